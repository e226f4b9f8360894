"""`million_clocks`: what a million open clocks do to a restart, to memory and to the lateness of alarms."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import psutil

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.load.alert_watch import watch_alerts
from tests.load.bench_stack import BenchStack
from tests.load.figures import Figures, Row
from tests.load.load_process import load_process
from tests.load.processes import MEBIBYTE
from tests.load.rounds import ROUNDS
from tests.load.standing_clocks import StandingClocks
from tests.load.steered_load import quantile
from tests.support.deployment_files import SHOP, SHOP_SECRET

MILLION = 1_000_000
PER_SECOND = 100  # clocks that fall due, from the moment of the restart on
WINDOW_SECONDS = 25
STEADY_AFTER = 8.0  # seconds from the restart; what was due before waited for it
LOAD_RATE = 100  # messages a second that open tickets meanwhile
RESTART_BUDGET, MEMORY_BUDGET_MB, LATENESS_BUDGET_MS = 5, 400, 1_000  # architecture §9
_PAST_THE_WINDOW = timedelta(days=1)
_SPREAD = timedelta(days=50)


@dataclass(frozen=True, slots=True)
class Restart:
    """What one restart took, and what came after it."""

    first_alert_seconds: float
    p50_ms: float
    p99_ms: float
    memory_mb: float


async def measure_million(bench: BenchStack, figures: Figures, say: Callable[[str], None]) -> None:
    """Restart with hardly any clock (the limit), then with a million, in rounds."""
    clocks = await StandingClocks.prepare(bench.stack.database)
    say("restarts with hardly any clock")
    bare = [await _restart(bench, clocks) for _ in range(ROUNDS)]
    say("writing a million tickets with an open clock: some minutes")
    random, now = Random(MILLION), datetime.now(UTC)
    began = time.monotonic()
    await clocks.write([now + _PAST_THE_WINDOW + random.random() * _SPREAD for _ in range(MILLION)])
    written = time.monotonic() - began
    say("restarts with a million open clocks")
    full = [await _restart(bench, clocks) for _ in range(ROUNDS)]
    _report(figures, bare, full, f"{MILLION:,} clocks written in {written:.0f} s")


async def _restart(bench: BenchStack, clocks: StandingClocks) -> Restart:
    """Stop the engine, let clocks fall due from now on, start it, load it, and hear when each alarm comes."""
    stack = bench.stack
    engine = stack.parts["sla-engine"]
    await engine.stop()
    load_options = {"port": stack.layout.port("ingest-webhook"), "path": f"/webhooks/{SHOP}", "secret": SHOP_SECRET}
    async with (
        watch_alerts(stack.kafka_address) as watch,
        load_process("tests.load.http_load", host=LOOPBACK, connections=8, **load_options) as load,
    ):
        now = datetime.now(UTC) + timedelta(seconds=0.5)
        due = await clocks.write(
            [now + timedelta(seconds=each / PER_SECOND) for each in range(PER_SECOND * WINDOW_SECONDS)]
        )
        began = time.time()
        await engine.start()
        await load.rate(LOAD_RATE)
        await watch.wait_for(due, WINDOW_SECONDS + 60)
        await load.pause()
        watch.exactly(due)
    assert engine.part.pid is not None, "it runs"
    memory = psutil.Process(engine.part.pid).memory_info().rss / MEBIBYTE
    late = sorted(
        watch.arrived[ticket][0] - at.timestamp() for ticket, at in due.items() if at.timestamp() > began + STEADY_AFTER
    )
    first = min(times[0] for times in watch.arrived.values()) - began
    return Restart(first, 1000 * quantile(late, 0.5), 1000 * quantile(late, 0.99), memory)


def _report(figures: Figures, bare: list[Restart], full: list[Restart], note: str) -> None:
    kinds: tuple[tuple[str, str, int | None, Callable[[Restart], float]], ...] = (
        ("million_restart_to_alert_s", "s", RESTART_BUDGET, lambda each: each.first_alert_seconds),
        ("million_alert_p50_ms", "ms", None, lambda each: each.p50_ms),
        ("million_alert_p99_ms", "ms", LATENESS_BUDGET_MS, lambda each: each.p99_ms),
        ("million_engine_rss_mb", "MB", MEMORY_BUDGET_MB, lambda each: each.memory_mb),
    )
    for name, unit, budget, of in kinds:
        ours, limit = [of(each) for each in full], [of(each) for each in bare]
        spread = f"{min(ours):.1f} to {max(ours):.1f}, with hardly any clock {min(limit):.1f} to {max(limit):.1f}"
        allowed = f"; the budget is {budget:,}" if budget else ""
        whole = f"the worst of {ROUNDS} rounds: {spread}{allowed}; {note}"
        figures.rows.append(Row(name, max(ours), sum(limit) / len(limit), unit, whole))
