"""Carries out what an operator decided about a paused partition, behind the fence of its owner."""

from contextlib import aclosing

import structlog
from aiokafka.structs import ConsumerRecord

from ticket_stream import pauses
from ticket_stream.batch_work import BatchWork, move_past
from ticket_stream.held_connection import HeldConnection
from ticket_stream.log_inspection import LogInspector
from ticket_stream.owned import Move, OwnedPartition
from ticket_stream.pauses import StoredPause
from ticket_stream.processing import Connection
from ticket_stream.transactions import Effects

log = structlog.get_logger("ticket_stream")


class OperatorDecisions:
    """Resume tries the same again; skip buries the record at fault, or drops the timer at fault."""

    def __init__(self, batches: BatchWork, connection: HeldConnection, inspector: LogInspector) -> None:
        self._batches = batches
        self._connection = connection
        self._inspector = inspector

    async def carry_out(self, owned: OwnedPartition) -> None:
        """Let the partition go on as decided; without a decision it stays paused."""
        pause = await pauses.read(await self._connection.get(), owned.id)
        if pause is not None:
            if pause.decision is None:
                return  # decided about an earlier pause, and paused again since
            await self._apply(owned, pause)
        owned.paused = None
        names = self._batches.names(owned)
        self._batches.context.metrics.paused.forget(owned.partition.topic, owned.partition.number)
        log.info("partition goes on", **names, decision=None if pause is None else pause.decision)

    async def _apply(self, owned: OwnedPartition, pause: StoredPause) -> None:
        skips_record = pause.decision == "skip" and pause.timer_key is None
        record = await self._record_at_fault(owned) if skips_record else None

        async def apply(connection: Connection) -> Effects:
            await pauses.delete(connection, owned.id)
            if record is not None:
                reason = f"skipped by an operator: {pause.reason}"
                return await self._batches.bury(connection, owned, record, reason)
            if pause.decision == "skip" and pause.timer_key is not None:
                return Effects(schedules={(owned.partition, pause.timer_key): None})
            return Effects()

        await self._batches.must([Move.stay(owned) if record is None else move_past(owned, record)], apply)

    async def _record_at_fault(self, owned: OwnedPartition) -> ConsumerRecord | None:
        """A pause leaves the position at the record at fault, or at markers of somebody's transaction before it."""
        bounds = (await self._inspector.bounds([owned.physical]))[owned.physical]
        if owned.next_offset >= bounds.end:
            return None
        async with aclosing(self._inspector.read({owned.physical: (owned.next_offset, bounds.end)})) as records:
            return await anext(records, None)
