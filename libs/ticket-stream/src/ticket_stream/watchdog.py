"""Measures the lag, and notices a consumer that stopped silently (aiokafka #727, #1037; facts §4.3)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiokafka.structs import TopicPartition

from ticket_stream.context import StreamContext
from ticket_stream.log_inspection import LogAway, LogInspector
from ticket_stream.owned import OwnedPartition

log = structlog.get_logger("ticket_stream")

_INTERVAL_SECONDS = 2.0  # of the lag metric


class Watchdog:
    """A partition that has records waiting and does not move, while polls find nothing, has a stuck consumer."""

    def __init__(
        self,
        context: StreamContext,
        inspector: LogInspector,
        held: Callable[[], Sequence[OwnedPartition]],
        read_to: Callable[[OwnedPartition], Awaitable[int]],
    ) -> None:
        self._context = context
        self._inspector = inspector
        self._held = held
        self._read_to = read_to
        self._unmoved: dict[int, tuple[int, int]] = {}
        self.suspicious = False
        self.empty_polls = 0

    def polled(self, found: int) -> None:
        """The loop reports each poll: only polls that had room for more say anything."""
        if found < self._context.settings.batch_size:
            self.empty_polls += 1

    async def watch(self) -> None:
        """Run for as long as the stream does."""
        while True:
            await asyncio.sleep(_INTERVAL_SECONDS)
            owned = self._held()
            try:
                watermarks = await self._inspector.watermarks([item.physical for item in owned]) if owned else {}
            except LogAway as error:
                log.debug("lag is unknown", error=str(error))
                continue
            await self._measure(watermarks)

    async def _measure(self, watermarks: Mapping[TopicPartition, int]) -> None:
        behind: dict[int, int] = {}
        for item in self._held():  # as of now: what was given up meanwhile is reported by its owner
            if item.physical not in watermarks:
                continue
            lag = watermarks[item.physical] - item.next_offset
            self._context.metrics.lag.set(item.partition.topic, item.partition.number, lag)
            # Markers of somebody's transactions at the end of the log are read past, but no position follows.
            if lag > 0 and item.paused is None and await self._read_to(item) < watermarks[item.physical]:
                behind[item.id] = item.next_offset
        self._judge(behind)

    def _judge(self, behind: dict[int, int]) -> None:
        """Count, per partition that is behind, for how many measurements it has not moved although it was polled."""
        polled, self.empty_polls = self.empty_polls, 0
        rounds: dict[int, tuple[int, int]] = {}
        for position_id, offset in behind.items():
            known, count = self._unmoved.get(position_id, (offset, 0))
            rounds[position_id] = (offset, count + (1 if polled else 0) if known == offset else 0)
        self._unmoved = rounds
        limit = self._context.settings.watchdog_seconds / _INTERVAL_SECONDS
        stuck = [position_id for position_id, (_, count) in rounds.items() if count >= limit]
        if stuck:
            log.error("records wait and none arrive: the consumer is made anew", positions=stuck)
            self._unmoved = {}
            self.suspicious = True
