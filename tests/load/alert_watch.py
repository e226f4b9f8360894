"""A subscriber that notes when each breach reached it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import AIOKafkaConsumer

from ticket_contracts.alerts import SlaBreached
from ticket_contracts.topics import ALERTS


@dataclass
class AlertWatch:
    """`arrived` holds the times of day of every breach by ticket; made by `watch_alerts`."""

    consumer: AIOKafkaConsumer
    arrived: dict[UUID, list[float]] = field(default_factory=dict)

    async def listen(self) -> None:
        """Note what comes, until cancelled."""
        while True:
            for records in (await self.consumer.getmany(timeout_ms=50)).values():
                now = time.time()
                for record in records:
                    if dict(record.headers).get("ce_type") == SlaBreached.event_type.encode():
                        self.arrived.setdefault(UUID(record.key.decode()), []).append(now)

    async def wait_for(self, tickets: Collection[UUID], seconds: float) -> None:
        """Return when each of the tickets was heard of.

        :raises AssertionError: not within so long.
        """
        deadline = time.monotonic() + seconds
        while missing := sum(1 for ticket in tickets if ticket not in self.arrived):
            assert time.monotonic() < deadline, f"{missing} of {len(tickets)} alerts are missing after {seconds:.0f} s"
            await asyncio.sleep(0.05)

    def exactly(self, tickets: Collection[UUID]) -> None:
        """
        :raises AssertionError: another ticket was heard of, or one more than once. A repeat would be the outbox's
            after a kill; nobody kills here.
        """
        times = Counter(len(each) for each in self.arrived.values())
        assert self.arrived.keys() == set(tickets), "alerts that nobody is due"
        assert times.keys() == {1}, f"alerts came more than once: {times}"


@asynccontextmanager
async def watch_alerts(kafka: str) -> AsyncIterator[AlertWatch]:
    """Listen from here on."""
    consumer = AIOKafkaConsumer(
        ALERTS.name, bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="latest"
    )
    await consumer.start()
    try:
        await consumer.seek_to_end()
        watch = AlertWatch(consumer)
        listening = asyncio.create_task(watch.listen())
        try:
            yield watch
        finally:
            listening.cancel()
            await asyncio.wait({listening})
    finally:
        await consumer.stop()
