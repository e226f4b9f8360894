"""Which timers may go into the next batch."""

from collections.abc import Collection, Sequence

import structlog

from ticket_stream import timers
from ticket_stream.context import StreamContext
from ticket_stream.held_connection import HeldConnection
from ticket_stream.log_inspection import LogAway, LogInspector
from ticket_stream.owned import Hold, OwnedPartition
from ticket_stream.processing import DueTimer
from ticket_stream.reading import Reader

_MEASURE_SECONDS = 1.0  # no scrape asks more often

log = structlog.get_logger("ticket_stream")


class DueTimers:
    """Asks the log how far it reached when timers came due, and lets those through that the position has caught up."""

    def __init__(
        self, context: StreamContext, connection: HeldConnection, inspector: LogInspector, reader: Reader
    ) -> None:
        self._context = context
        self._connection = connection
        self._inspector = inspector
        self._reader = reader
        self._passed_over: set[tuple[int, str]] = set()
        self._measured_at = 0.0

    async def look(self, owned: Sequence[OwnedPartition]) -> list[tuple[OwnedPartition, int]]:
        """Return the partitions, with how far they are read, in which at least one timer may fire.

        To be called between batches: all that the reader has handed out is committed then.
        """
        now = self._context.clock.now()
        for item in owned:
            await timers.load_more(self._connection, item, now)
        waiting = [item for item in owned if (due := item.timers.earliest()) is not None and due <= now]
        await self._ask_watermarks([item for item in waiting if _needs_watermark(item)], now)
        self._measure(waiting, now)
        read = [(item, await self._reader.position(item)) for item in waiting]
        return [(item, position) for item, position in read if timers.fireable(item, position, 1)]

    def take(
        self, ready: Sequence[tuple[OwnedPartition, int]], busy_keys: Collection[str], limit: int
    ) -> list[tuple[OwnedPartition, DueTimer]]:
        """Return what fires in this batch; a key that has a record in it waits for the next."""
        return [
            (item, timer) for item, position in ready for timer in timers.fireable(item, position, limit, busy_keys)
        ][:limit]

    def overtaken(
        self, ready: Sequence[tuple[OwnedPartition, int]], busy_keys: Collection[str], limit: int
    ) -> list[tuple[OwnedPartition, DueTimer]]:
        """Return what was passed over once already for a record of its key: it comes before those of this batch.

        Else a conversation without a pause would keep its alarm from going off. They were appended after the hold.
        """
        before, self._passed_over = self._passed_over, set()
        if not busy_keys:
            return []
        waiting = [
            (item, timer)
            for item, position in ready
            for timer in timers.fireable(item, position, limit)
            if timer.key in busy_keys
        ]
        self._passed_over = {(item.id, timer.key) for item, timer in waiting} - before
        return [(item, timer) for item, timer in waiting if (item.id, timer.key) in before][:limit]

    async def _ask_watermarks(self, owned: Sequence[OwnedPartition], asked_at: float) -> None:
        if not owned:
            return
        try:
            watermarks = await self._inspector.watermarks([item.physical for item in owned])
        except LogAway as error:
            log.warning("timers are held: the log cannot be asked", consumer=self._context.consumer, error=str(error))
            return
        for item in owned:
            item.hold = Hold(asked_at, watermarks[item.physical])

    def _measure(self, waiting: Sequence[OwnedPartition], now: float) -> None:
        """Counting touches every timer in memory, so not at every look: under load there are a hundred a second."""
        if abs(now - self._measured_at) < _MEASURE_SECONDS:
            return
        self._measured_at = now
        metrics = self._context.metrics
        metrics.timers_due.set(sum(item.timers.count_due(now) for item in waiting))
        oldest = min((item.timers.earliest() or now for item in waiting), default=now)
        metrics.timers_held.set(now - oldest)


def _needs_watermark(item: OwnedPartition) -> bool:
    due = item.timers.earliest()
    return due is not None and (item.hold is None or item.hold.asked_at < due)
