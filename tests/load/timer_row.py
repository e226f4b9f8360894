"""`timers_fired`: how many due timers the engine works off a second, and how late 50,000 of one minute are."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from tests.load.alert_watch import AlertWatch, watch_alerts
from tests.load.bare_timers import measure_bare_timers
from tests.load.bench_stack import BenchStack
from tests.load.figures import Figures, Row
from tests.load.rounds import ROUNDS
from tests.load.standing_clocks import StandingClocks
from tests.load.steered_load import quantile

ONE_MINUTE = 50_000  # clocks due in the same minute
OVERDUE = 15_000  # a round: what an outage left
NOTICE_SECONDS = 40.0  # before the first due time: to write the clocks and to start the engine, on a busy machine
BARE_TOPIC = "bench.bare-timers"
LATENESS_BUDGET_MS = 1_000  # architecture §9


async def measure_timers(bench: BenchStack, figures: Figures, say: Callable[[str], None]) -> None:
    """In turns: timers that an outage left, by the engine; the same rows and records with no logic. Then the minute."""
    await bench.create_topics([BARE_TOPIC])
    clocks = await StandingClocks.prepare(bench.stack.database)
    ours, limits = [], []
    for number in range(ROUNDS):
        say(f"{OVERDUE:,} timers that an outage left, round {number + 1}")
        rate, tickets = await _after_an_outage(bench, clocks)
        ours.append(rate)
        limits.append(await measure_bare_timers(bench.stack.database, bench.stack.kafka_address, BARE_TOPIC, tickets))
    say(f"{ONE_MINUTE:,} clocks due in one minute")
    late = await _in_one_minute(bench, clocks)
    note = (
        f"{ROUNDS} outages of {OVERDUE:,}: {min(ours):,.0f} to {max(ours):,.0f}, limit {min(limits):,.0f} to "
        f"{max(limits):,.0f}; exactly one alert each; {ONE_MINUTE:,} due in one minute: lateness p50 "
        f"{1000 * quantile(late, 0.5):,.0f} ms, p99 {1000 * quantile(late, 0.99):,.0f} ms"
    )
    figures.rows.append(Row("timers_fired", sum(ours) / ROUNDS, sum(limits) / ROUNDS, "timers/s", note))
    figures.rows.append(
        Row("same_minute_p99_ms", 1000 * quantile(late, 0.99), LATENESS_BUDGET_MS, "ms", "the limit is the budget")
    )


async def _after_an_outage(bench: BenchStack, clocks: StandingClocks) -> tuple[float, Sequence[UUID]]:
    """Timers a second, from the first alarm to the last: starting the process is another row's matter."""
    engine = bench.stack.parts["sla-engine"]
    await engine.stop()
    now = datetime.now(UTC)
    due = await clocks.write([now - timedelta(seconds=3600 * each / OVERDUE) for each in range(OVERDUE)])
    async with watch_alerts(bench.stack.kafka_address) as watch:
        await engine.start()
        await watch.wait_for(due, 300)
        watch.exactly(due)
    times = sorted(times[0] for times in watch.arrived.values())
    return sum(1 for each in times if each > times[0]) / (times[-1] - times[0]), list(due)


async def _in_one_minute(bench: BenchStack, clocks: StandingClocks) -> list[float]:
    random = Random(ONE_MINUTE)
    begins = datetime.now(UTC) + timedelta(seconds=NOTICE_SECONDS)
    engine = bench.stack.parts["sla-engine"]
    await engine.stop()
    due = await clocks.write([begins + timedelta(seconds=60 * random.random()) for _ in range(ONE_MINUTE)])
    async with watch_alerts(bench.stack.kafka_address) as watch:
        await engine.start()
        assert time.time() < begins.timestamp(), "the engine was not up in time: no figure"
        await watch.wait_for(due, 300)
        watch.exactly(due)
    return _lateness(watch, due)


def _lateness(watch: AlertWatch, due: Mapping[UUID, datetime]) -> list[float]:
    return sorted(watch.arrived[ticket][0] - at.timestamp() for ticket, at in due.items())
