"""How late an alarm is: breaches of a policy with short targets, against the moment when each was due."""

import asyncio
import time
from contextlib import AsyncExitStack

from aiokafka import AIOKafkaConsumer

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.load.bench_stack import BenchStack
from tests.load.figures import Figures, Row
from tests.load.load_process import load_process
from tests.load.steered_load import quantile
from tests.support.deployment_files import SHOP, SHOP_SECRET, configure, fast_policy
from ticket_contracts.alerts import SlaBreached
from ticket_contracts.topics import ALERTS

TARGET_SECONDS = 4
LOAD_SECONDS = 4.0
RATE = 100  # tickets a second, so as many breaches a second, four seconds later
WAIT_SECONDS = 15.0
BUDGET_MS = 1_000  # architecture §9, there with a million open clocks


async def measure_alerts(bench: BenchStack, figures: Figures) -> None:
    """`alert_lateness_p99_ms`: from the due time to the arrival of the alert at a subscriber."""
    stack = bench.stack
    await configure(stack.database, [fast_policy(TARGET_SECONDS, 3600)])  # services notice the new version
    consumer = AIOKafkaConsumer(
        ALERTS.name, bootstrap_servers=stack.kafka_address, enable_auto_commit=False, auto_offset_reset="latest"
    )
    async with AsyncExitStack() as context:
        await consumer.start()
        context.push_async_callback(consumer.stop)
        await consumer.seek_to_end()
        load = await context.enter_async_context(
            load_process(
                "tests.load.http_load",
                host=LOOPBACK,
                port=stack.layout.port("ingest-webhook"),
                path=f"/webhooks/{SHOP}",
                secret=SHOP_SECRET,
                connections=8,
            )
        )
        await load.rate(RATE)
        await asyncio.sleep(LOAD_SECONDS)
        lap = await load.pause()
        lateness = sorted(await _lateness(consumer, lap.accepted))
    note = f"{len(lateness)} breaches, {TARGET_SECONDS} s after each message; the limit is the budget"
    figures.rows.append(Row("alert_lateness_p99_ms", 1000 * quantile(lateness, 0.99), BUDGET_MS, "ms", note))


async def _lateness(consumer: AIOKafkaConsumer, wanted: int) -> list[float]:
    """Seconds from due to here, for each breach; every ticket of the load must have one."""
    found: list[float] = []
    async with asyncio.timeout(WAIT_SECONDS):
        while len(found) < wanted:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                now = time.time()
                for record in records:
                    if dict(record.headers).get("ce_type") == SlaBreached.event_type.encode():
                        due = SlaBreached.model_validate_json(record.value).clock.due_at
                        assert due is not None, "a breach has a due time"
                        found.append(now - due.timestamp())
    return found
