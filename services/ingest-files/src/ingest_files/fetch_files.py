"""Keeps the slots of this process busy with orders that are due; one that is slow holds its own slot and no other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from ingest_files.domain.fair_slots import full_sources
from ingest_files.leased_orders import Order
from ingest_files.work_order import OrderWork
from ticket_stream.failure_classes import FailureClass, classify

# Between two looks at the table when nothing was due, and at a scanner or storage that is away.
REST_SECONDS = 1.0
# While a lease lasts: two renewals may fail before another process takes the row.
RENEWALS_PER_LEASE = 3

log = structlog.get_logger("files")


@dataclass(slots=True)
class FileFetching:
    """Runs for ever in the supervisor; any number of processes share the table.

    :param may_tell: whether Kafka is there. Without it nothing is taken, or each file is had again and again from its
        provider, only to be put off.
    """

    work: OrderWork
    at_once: int
    may_tell: Callable[[], bool]
    _in_hand: dict["asyncio.Task[None]", Order] = field(default_factory=dict)

    async def run(self) -> None:
        """Work off what is due, then rest. A database, Kafka, storage or scanner that is away is waited for."""
        try:
            while True:
                await _through_outages(self.start_due())
                await self._until_free()
        finally:
            for task in self._in_hand:
                task.cancel()
            await asyncio.gather(*self._in_hand, return_exceptions=True)

    async def start_due(self) -> int:
        """Take what is due into the free slots; return how much that was."""
        started = 0
        while len(self._in_hand) < self.at_once and await self._may_take():
            held = Counter(order.source for order in self._in_hand.values())
            order = await self.work.orders.take(full_sources(held, self.at_once))
            if order is None:
                break
            self.work.storage.taken()
            self._in_hand[asyncio.create_task(self.work.work(order), name="a file")] = order
            started += 1
        return started

    async def _may_take(self) -> bool:
        """Whether what is taken could be kept, told and scanned."""
        return self.may_tell() and self.work.storage.may_take(len(self._in_hand)) and await self.work.scanner.ready()

    async def finish(self) -> None:
        """Return when nothing is in hand any more."""
        while self._in_hand:
            await self._until_free()

    async def _until_free(self) -> None:
        """Return when something has ended, or after a rest if there is a free slot."""
        if not self._in_hand:
            await asyncio.sleep(REST_SECONDS)
            return
        rest = REST_SECONDS if len(self._in_hand) < self.at_once else None
        ended, _ = await asyncio.wait(self._in_hand, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            del self._in_hand[task]
        for task in ended:
            await _through_outages(task)

    async def keep_leases(self) -> None:
        """Renew what is in hand and count what waits. Run this beside `run`."""
        while True:
            await asyncio.sleep(self.work.orders.lease.total_seconds() / RENEWALS_PER_LEASE)
            await _through_outages(self._renew())

    async def _renew(self) -> None:
        if held := list(self._in_hand.values()):
            await self.work.orders.renew(held)
        for kind, orders in (await self.work.orders.waiting()).items():
            self.work.metrics.waiting.labels(kind).set(orders)


async def _through_outages(step: Awaitable[object]) -> None:
    """Await a step; what is away is logged, and the next one comes soon."""
    try:
        await step
    except Exception as error:
        if classify(error) is not FailureClass.AGAIN:
            raise
        log.warning("files wait", reason=str(error) or type(error).__name__)
