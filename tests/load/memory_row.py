"""`memory`: a steady mix of every channel for as long as asked, and whether any process grows meanwhile."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
from rich.table import Table

from tests.load.bench_stack import BenchStack, bench_stack
from tests.load.every_channel import Send, open_partners, senders
from tests.load.figures import Figures, Row
from tests.load.processes import ProcessWatch
from tests.load.resident_memory import FLAT_MIB_PER_HOUR, ONE_STEP_MIB, SERVERS, MemorySamples, Trend
from tests.load.standing import open_standing
from tests.support.deployment_files import MAIL

SAMPLE_SECONDS = 10.0
WARM_UP_SECONDS, WARM_UP_PER_SECOND = 100.0, 20.0
"""Not counted: code paths are met for the first time, pools and the allocator fill, which takes some 600 mails at
ingest-email. At most as long as a quarter of the whole."""
WEIGHTS = {"smtp": 6, "lmtp": 2, "imap": 2}
"""How often a channel speaks in one pass over all of them, where not once: most mail comes over SMTP."""
LAST_LOOK_SECONDS = 5.0  # until what reads files and mailboxes has looked once more
SOURCE_OF = {
    **dict.fromkeys(("smtp", "lmtp", "mailgun", "sendgrid", "postmark"), MAIL),
    "file": "telegram",
}
"""Whose messages those of a channel are, where the source has another name."""
READ = "read"
READ_EVERY = 10  # messages, then somebody looks at the list of tickets and at the newest


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """How long, how many messages a second over all channels, and where each sample is written as a line of CSV."""

    minutes: float = 3.0
    per_second: float = 2.0
    samples_file: Path | None = None


@dataclass
class Mix:
    """Sends messages of all channels in turn; what is refused is counted, with the first words of each channel."""

    channels: Mapping[str, Send]
    sent: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    _waiting: set[asyncio.Task[None]] = field(default_factory=set)
    refusals: dict[str, list[str]] = field(default_factory=dict)

    def passes(self) -> list[str]:
        """The channels of one pass, in an order of its own, the same in every run."""
        names = [name for name in self.channels for _ in range(WEIGHTS.get(name, 1))]
        random.Random(self.sent).shuffle(names)
        return names

    async def run(self, per_second: float, read: Send) -> None:
        """Send until cancelled. A message that takes long does not hold up the next one."""
        began, before, names = time.monotonic(), self.sent, list[str]()
        while True:
            await asyncio.sleep(max(0.0, began + (self.sent - before) / per_second - time.monotonic()))
            names = names or self.passes()
            tasks = [self._one(name := names.pop(), self.channels[name])]
            self.sent += 1
            if self.sent % READ_EVERY == 0:
                tasks.append(self._one(READ, read))
            for task in map(asyncio.create_task, tasks):
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)

    async def _one(self, name: str, send: Send) -> None:
        refusal = await send()
        if refusal is None:
            self.accepted[name] += 1
        else:
            self.refusals.setdefault(name, []).append(refusal)

    def expected(self) -> Counter[str]:
        """How many messages each source has then; a file comes with a message, and is one when it was fetched."""
        found = Counter({SOURCE_OF["file"]: self.accepted["file"]})
        for name, count in self.accepted.items():
            found[SOURCE_OF.get(name, name)] += count
        return found

    @property
    def refused(self) -> int:
        return sum(map(len, self.refusals.values()))


async def measure_memory(figures: Figures, plan: MemoryPlan) -> None:
    """Run a stack of its own for so long; a row with the steepest of our processes, a table with all."""
    seconds, per_second = plan.minutes * 60, plan.per_second
    async with (
        open_partners() as partners,
        bench_stack(partners.configure) as bench,
        httpx.AsyncClient(trust_env=False, timeout=30) as client,
    ):
        channels = senders(bench.stack, partners, client)
        mix = Mix(channels)
        reader = _reader(bench, client)
        async with _running(mix.run(WARM_UP_PER_SECOND, reader)):
            await asyncio.sleep(min(WARM_UP_SECONDS, seconds / 4))
        async with _running(mix.run(per_second, reader)):
            watch = ProcessWatch(bench.pids())
            samples = await _sample(bench, seconds, plan.samples_file)
            usages = watch.usages()
        await asyncio.sleep(LAST_LOOK_SECONDS)
        async with open_standing(bench.stack.database, bench.stack.kafka_address) as standing:
            await standing.settle()
        recorded = await _recorded(bench)
    expected = mix.expected()
    trends = samples.trends()
    figures.tables.append(_table(trends, samples.restarted))
    figures.usages["memory"] = usages
    cores = sum(usage.cores for name, usage in usages.items() if name != "all else here")
    note = (
        f"steepest of ours over the second half of {seconds / 60:.0f} min; {mix.sent} messages of {len(channels)} "
        f"channels, {per_second:g} a second, {mix.refused} refused, {recorded.total()} recorded; {cores:.2f} cores in "
        f"all; {_verdict(trends, samples.restarted)}"
    )
    steepest = max(trend.late_slope for name, trend in trends.items() if name not in SERVERS)
    figures.rows.append(Row("memory_growth", steepest, FLAT_MIB_PER_HOUR, "MiB/h", note))
    for name, words in sorted(mix.refusals.items()):
        print(f"refused: {name} {len(words)} times, first: {words[0]}")
    for name in sorted(expected.keys() - {READ}):
        if recorded[name] != expected[name]:
            print(f"recorded: {recorded[name]} of {expected[name]} accepted of {name}")


async def _sample(bench: BenchStack, seconds: float, samples_file: Path | None) -> MemorySamples:
    samples, began = MemorySamples(), time.monotonic()
    file = samples_file.open("w", encoding="utf-8") if samples_file else None
    if file:
        file.write("seconds,process,mebibytes\n")
    try:
        while True:
            moment = time.monotonic() - began
            taken = samples.take(bench.pids(), moment)
            if file:
                file.writelines(f"{moment:.0f},{name},{value:.2f}\n" for name, value in taken.items())
                file.flush()
            if moment >= seconds:
                return samples
            await asyncio.sleep(min(SAMPLE_SECONDS, seconds / 10))
    finally:
        if file:
            file.close()


@asynccontextmanager
async def _running(mix: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(mix)
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait({task})


def _reader(bench: BenchStack, client: httpx.AsyncClient) -> Send:
    headers = {"authorization": f"Bearer {bench.stack.api_key.strip()}"}

    async def read() -> str | None:
        answer = await client.get(f"{bench.stack.api}/tickets", params={"limit": 50}, headers=headers)
        return None if answer.is_success else f"{answer.status_code} {answer.text[:200]}"

    return read


async def _recorded(bench: BenchStack) -> Counter[str]:
    """Messages in the record by source."""
    connection = await asyncpg.connect(bench.stack.database)
    try:
        rows = await connection.fetch("SELECT source, count(*) FROM inbound_messages GROUP BY source")
        return Counter({row["source"]: row["count"] for row in rows})
    finally:
        await connection.close()


def _verdict(trends: Mapping[str, Trend], restarted: set[str]) -> str:
    if restarted:
        return f"restarted meanwhile: {', '.join(sorted(restarted))}"
    growing = [name for name, trend in trends.items() if name not in SERVERS and not trend.is_flat]
    return f"growing: {', '.join(growing)}" if growing else "flat"


def _table(trends: Mapping[str, Trend], restarted: set[str]) -> Table:
    bound = f"flat: at most {FLAT_MIB_PER_HOUR:g} MiB/h or {ONE_STEP_MIB:g} MiB in the second half"
    table = Table(title=f"Resident memory in MiB after the warm-up; {bound}")
    table.add_column("process")
    for title in ("start", "mid", "end", "MiB/h", "MiB/h, second half"):
        table.add_column(title, justify="right")
    table.add_column("verdict")
    for name, found in trends.items():
        figures = (found.start, found.middle, found.end, found.slope, found.late_slope)
        verdict = "restarted" if name in restarted else "flat" if found.is_flat else "growing"
        verdict = "not ours, proportional" if name in SERVERS else verdict
        table.add_row(name, *(f"{figure:,.1f}" for figure in figures), verdict)
    return table
