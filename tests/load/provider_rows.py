"""`webhook_providers` and `mail_hooks`: what a door takes of each provider, beside a bare door that only publishes."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

import yaml
from rich.table import Table

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.load.accept_rows import MAIL_REFUSALS, WEBHOOK_CONNECTIONS
from tests.load.bare_process import bare_server
from tests.load.bare_webhook import BODY
from tests.load.bench_stack import BenchStack, mail_ports
from tests.load.figures import Figures, Row
from tests.load.hook_requests import HOOKS, hook_entries, new_key
from tests.load.load_process import load_process
from tests.load.mail_corpus import corpus_folder, describe_corpus
from tests.load.rounds import ROUNDS, Side, run_lap
from tests.support.deployment_files import BRAND, MAIL, SUPPORT_ADDRESS
from tests.support.every_source import EVERY_SOURCE, WORDS, sources_file
from tests.support.stack import free_port_base

WEBHOOK_BUDGET, MAIL_BUDGET = 0.60, 0.50  # architecture §9
DECRYPTING = ("wecom", "wechat-official", "feishu")
WARM_UP_SECONDS = 0.3
DOOR = "door"
HOOK_CONNECTIONS = 8  # more at once are told to come again
BARE_PROVIDERS, BARE_HOOKS = "bench.bare-providers", "bench.bare-hooks"


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests a second of one provider, and the microseconds of a core that a door's process took for each."""

    name: str
    ours: float
    limit: float
    our_work: float
    limit_work: float

    @property
    def ratio(self) -> float:
        return self.ours / self.limit

    @property
    def work_ratio(self) -> float:
        """The same by the work of the door alone: what else is busy on this machine is left out."""
        return self.limit_work / self.our_work


async def measure_providers(bench: BenchStack, figures: Figures, seconds: float) -> None:
    """`webhook_providers`: the provider in the middle; a table has all of them."""
    await bench.create_topics([BARE_PROVIDERS])
    port = free_port_base(1)
    sources = bench.stack.layout.data_dir / "every-source.yaml"
    sources.write_text(sources_file(), encoding="utf-8")
    options = {"host": LOOPBACK, "connections": WEBHOOK_CONNECTIONS, "path": "/webhooks/{name}"}
    async with (
        bench.lone_door("ingest-webhook", {"FIREBREAK_SOURCES_FILE": str(sources)}) as door,
        bare_server("tests.load.bare_webhook", port, bench.stack.kafka_address, BARE_PROVIDERS, WORDS) as bare,
        load_process("tests.load.request_load", port=port, **options) as bare_load,
        load_process("tests.load.request_load", port=door.part.port, **options) as our_load,
    ):
        names = [source.provider for source in EVERY_SOURCE]
        sides = Side(bare_load, {DOOR: bare.pid}), Side(our_load, {DOOR: bench.pids()[door.label]})
        found = await _measure_each(names, *sides, seconds)
    ordered = sorted(found, key=lambda each: each.ratio)
    middle, lowest = ordered[len(ordered) // 2], ordered[0]
    opened = ", ".join(f"{each.name} {each.ratio:.0%}" for each in found if each.name in DECRYPTING)
    note = (
        f"{middle.name}, the median of {len(found)} providers; lowest: {lowest.name} {lowest.ratio:.0%}; decrypting: "
        f"{opened}; by work of the door alone the median is "
        f"{median(each.work_ratio for each in found):.0%}; budget {WEBHOOK_BUDGET:.0%}; {ROUNDS} rounds of "
        f"{seconds:.1f} s each"
    )
    figures.rows.append(Row("webhook_providers", middle.ours, middle.limit, "webhooks/s", note))
    figures.tables.append(_table("Webhooks accepted a second, by provider", ordered, WEBHOOK_BUDGET))


async def measure_hooks(bench: BenchStack, figures: Figures, seconds: float) -> None:
    """`mail_hooks`: mails that providers post; the limit publishes the request's body as it came."""
    await bench.create_topics([BARE_HOOKS])
    port, key = free_port_base(1), new_key()
    smtp_port = free_port_base(1)
    mailboxes = bench.stack.layout.data_dir / "hooks.yaml"
    mailbox = {"address": SUPPORT_ADDRESS, "brand": BRAND, "source": MAIL}
    mailboxes.write_text(yaml.safe_dump({"mailboxes": [mailbox], "hooks": hook_entries(key)}), encoding="utf-8")
    environment = {"FIREBREAK_MAILBOXES_FILE": str(mailboxes), **mail_ports(smtp_port)}
    options = {"host": LOOPBACK, "connections": HOOK_CONNECTIONS, "path": "/mail/{name}/", "hooks": key}
    async with (
        bench.lone_door("ingest-email", environment) as door,
        bare_server("tests.load.bare_webhook", port, bench.stack.kafka_address, BARE_HOOKS, BODY) as bare,
        load_process("tests.load.request_load", port=port, **options) as bare_load,
        load_process("tests.load.request_load", port=door.part.port, **options) as our_load,
    ):
        sides = (
            Side(bare_load, {DOOR: bare.pid}, MAIL_REFUSALS),
            Side(our_load, {DOOR: bench.pids()[door.label]}, MAIL_REFUSALS),
        )
        found = await _measure_each(HOOKS, *sides, seconds)
    note = f"{HOOK_CONNECTIONS} connections, {describe_corpus(corpus_folder())}; budget {MAIL_BUDGET:.0%}"
    for each in found:
        figures.rows.append(Row(f"mail_hook_{each.name}", each.ours, each.limit, "mails/s", note))


async def _measure_each(names: Sequence[str], bare: Side, our: Side, seconds: float) -> list[Measured]:
    """Each by itself: limit, ours, limit, ours, so that other work on the machine falls on both."""
    found = []
    for name in names:
        laps: dict[Side, list[tuple[float, float]]] = {bare: [], our: []}
        for round_ in range(ROUNDS + 1):
            for side in (bare, our):
                await side.load.choose(name)
                lap, usages = await run_lap(side, seconds if round_ else WARM_UP_SECONDS)
                if round_:
                    laps[side].append((lap.rate, 1e6 * usages[DOOR].cores / lap.rate))
        limit, ours = ([fmean(column) for column in zip(*laps[side], strict=True)] for side in (bare, our))
        found.append(Measured(name, ours[0], limit[0], ours[1], limit[1]))
    return found


def _table(title: str, found: Sequence[Measured], budget: float) -> Table:
    table = Table(title=title)
    table.add_column("provider")
    for column in ("ours", "limit", "ratio", "our µs", "limit's µs", "ratio of work"):
        table.add_column(column, justify="right")
    table.add_column("budget")
    for each in found:
        verdict = "kept" if each.ratio >= budget else "missed"
        rates = (f"{each.ours:,.0f}", f"{each.limit:,.0f}", f"{each.ratio:.0%}")
        work = (f"{each.our_work:,.0f}", f"{each.limit_work:,.0f}", f"{each.work_ratio:.0%}")
        table.add_row(each.name, *rates, *work, verdict)
    return table
