"""From what was polled to what is committed: tries again, takes a failing batch apart, buries, pauses."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from aiokafka.structs import ConsumerRecord

from ticket_stream import dead_letters, pauses
from ticket_stream.context import StreamContext
from ticket_stream.failure_classes import FailureClass, classify, describe, printable
from ticket_stream.failures import StreamRefused
from ticket_stream.held_connection import HeldConnection
from ticket_stream.lease import Leases
from ticket_stream.owned import CommitUnanswered, Fenced, Move, OwnedPartition, Previous
from ticket_stream.processing import Batch, Connection, DueTimer
from ticket_stream.reading import Reading, read_records
from ticket_stream.time_travel import WentBack
from ticket_stream.transactions import AfterCommitFailed, Body, Effects, Transactions
from ticket_stream.work import Work

log = structlog.get_logger("ticket_stream")

_FIRST_DELAY = 0.05  # seconds; a deadlock or a restart of Postgres is over soon
_LONGEST_DELAY = 5.0


class Failure(NamedTuple):
    """Why a transaction can not succeed by being tried again."""

    kind: FailureClass
    reason: str


@dataclass(slots=True)
class BatchWork:
    """The processor's side of the loop. One transaction at a time."""

    context: StreamContext
    connection: HeldConnection
    leases: Leases
    transactions: Transactions
    retrying: str | None = field(default=None, init=False)
    stopping: bool = field(default=False, init=False)

    async def handle(self, work: Work) -> None:
        """Commit all of it, in as many transactions as it takes.

        :raises Fenced, CommitUnanswered, WentBack: some of it is not ours, in doubt, or must be refused.
        """
        stack = [work]
        while stack:
            part = stack.pop().live()
            if not part:
                continue
            self._check_offsets(part)
            readings = [read_records(owned, raws, owned.seen) for owned, raws in part.polled]
            failure = await self._process(readings, part.timers)
            if failure is None:
                stack.extend(await self._bury_poison(readings))
            elif len(part) > 1:
                self.context.metrics.bisections.inc()
                log.info(
                    "taking a failing batch apart",
                    consumer=self.context.consumer,
                    items=len(part),
                    reason=failure.reason,
                )
                stack.extend(reversed(part.halves()))
            else:
                await self._settle_one(part, failure)

    async def clean_up(self, owned: Sequence[OwnedPartition]) -> None:
        """Delete acknowledged outbox rows of partitions that have nothing else to do."""
        await self.must([Move.stay(item) for item in owned], _nothing)

    def _check_offsets(self, part: Work) -> None:
        """The first record must be the one at the position; a gap can only be somebody's transaction markers."""
        for owned, raws in part.polled:
            gap = raws[0].offset - owned.next_offset
            if gap < 0:
                raise Fenced([owned.partition])  # read anew from the position of the table
            if gap:
                self.context.metrics.gaps.inc(gap)
                log.warning("offsets without records", **self.names(owned), offset=owned.next_offset, missing=gap)

    async def _process(
        self, readings: Sequence[Reading], timers: Sequence[tuple[OwnedPartition, DueTimer]]
    ) -> Failure | None:
        moves = [reading.move for reading in readings if reading.move.previous is not None]
        moved = {move.owned.id for move in moves}
        moves += [Move.stay(owned) for owned in {item.id: item for item, _ in timers}.values() if owned.id not in moved]
        if not moves:
            return None
        records = [record for reading in readings for record in reading.records]
        due = [timer for _, timer in timers]

        async def process(connection: Connection) -> Effects:
            if not records and not due:
                return Effects()
            batch = Batch(records, due, datetime.fromtimestamp(self.context.clock.now(), UTC))
            events = await self.context.processor.process(batch, connection)
            fired = dict.fromkeys((timer.origin, timer.key) for timer in due)
            return Effects(events, {**fired, **batch.schedules}, batch.after_commit)

        failure = await self._attempt(moves, process)
        if failure is None:
            self._count(readings, due)
        return failure

    async def _attempt(self, moves: Sequence[Move], body: Body) -> Failure | None:
        """Run one transaction until it is committed or can not be; waits out what passes.

        :raises OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the session is lost.
        """
        delay = _FIRST_DELAY
        while True:
            try:
                await self.transactions.run(await self.connection.get(), moves, body)
            except (Fenced, CommitUnanswered, WentBack, AfterCommitFailed):
                raise
            except Exception as error:  # sorted by `classify`; what is unknown pauses
                kind = classify(error, self.context.settings.guarded_tables)
                if kind is not FailureClass.AGAIN:
                    return Failure(kind, describe(error))
                self.context.metrics.retries.inc()
                if not self.connection.survives(error):
                    self.retrying = None
                    raise  # the loop takes the way back: what answers next may be a database from before
                self._note_retry(error)
            else:
                self.retrying = None
                return None
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)
            if self.leases.refusal is not None:
                raise StreamRefused(self.leases.refusal)
            if self.stopping:
                raise StoppedWaiting

    def _note_retry(self, error: Exception) -> None:
        self.retrying = describe(error)
        log.warning("batch is tried again", consumer=self.context.consumer, error=self.retrying)

    async def must(self, moves: Sequence[Move], body: Body) -> None:
        """For the runtime's own transactions: no record can be at fault."""
        failure = await self._attempt(moves, body)
        if failure is not None:
            raise RuntimeError(f"a transaction of the runtime itself failed: {failure.reason}")

    async def _bury_poison(self, readings: Sequence[Reading]) -> list[Work]:
        rest = []
        for reading in readings:
            if reading.poison is not None:
                owned = reading.move.owned
                await self._bury_or_pause(owned, reading.poison.raw, f"no event: {printable(reading.poison.reason)}")
                rest.append(Work([(owned, reading.rest)]))
        return rest

    async def _settle_one(self, part: Work, failure: Failure) -> None:
        if part.timers:
            owned, timer = part.timers[0]
            await self._pause(owned, f"timer {timer.key}: {failure.reason}", timer.key)
            return
        owned, raws = part.polled[0]
        if failure.kind is FailureClass.BISECT:
            await self._bury_or_pause(owned, raws[0], failure.reason)
        else:
            await self._pause(owned, f"record at offset {raws[0].offset}: {failure.reason}")

    async def _bury_or_pause(self, owned: OwnedPartition, raw: ConsumerRecord, reason: str) -> None:
        limit = self.context.settings.dead_letters_per_hour

        async def bury(connection: Connection) -> Effects:
            if await dead_letters.count_recent(connection, self.context.consumer) >= limit:
                raise TooManyDeadLetters(f"{limit} dead letters within an hour, and one more: {reason}")
            return await self.bury(connection, owned, raw, reason)

        failure = await self._attempt([move_past(owned, raw)], bury)
        if failure is not None:
            await self._pause(owned, f"record at offset {raw.offset}: {failure.reason}")
            return
        self.context.metrics.dead_letters.inc()
        self.context.metrics.records.inc()
        log.error("dead letter", **self.names(owned), offset=raw.offset, reason=reason)

    async def bury(self, connection: Connection, owned: OwnedPartition, raw: ConsumerRecord, reason: str) -> Effects:
        context = self.context
        now = datetime.fromtimestamp(context.clock.now(), UTC)
        event = await dead_letters.bury(
            connection, context.consumer, context.generation, owned.partition, raw, reason, now
        )
        record = dead_letters.as_record(owned.partition, raw)
        if context.on_dead_letter is not None and record is not None:
            await context.on_dead_letter(connection, record, reason)
        return Effects([event])

    async def _pause(self, owned: OwnedPartition, reason: str, timer_key: str | None = None) -> None:
        async def insert(connection: Connection) -> Effects:
            await pauses.insert(connection, owned, reason, timer_key)
            return Effects()

        await self.must([Move.stay(owned)], insert)
        owned.paused = reason
        self.context.metrics.paused.set(owned.partition.topic, owned.partition.number, 1)
        command = pauses.command_to_continue(self.context.consumer, owned.partition)
        log.critical(
            "partition paused", **self.names(owned), offset=owned.next_offset, reason=reason, to_continue=command
        )

    def names(self, owned: OwnedPartition) -> dict[str, object]:
        return {"consumer": self.context.consumer, "topic": owned.partition.topic, "partition": owned.partition.number}

    def _count(self, readings: Sequence[Reading], due: Sequence[DueTimer]) -> None:
        metrics = self.context.metrics
        read = sum(len(reading.records) for reading in readings)
        metrics.records.inc(read)
        metrics.batch_records.observe(read)
        metrics.repeats.inc(sum(reading.repeats for reading in readings))
        metrics.timers_fired.inc(len(due))
        now = self.context.clock.now()
        for timer in due:
            metrics.timer_lateness.observe(now - timer.due_at.timestamp())


class StoppedWaiting(Exception):
    """The stream shall stop while what it needs is away; the batch is left to the next owner."""


class TooManyDeadLetters(Exception):
    """The limit is reached: it is the code that is at fault, or somebody floods us."""


def move_past(owned: OwnedPartition, raw: ConsumerRecord) -> Move:
    """The move over one record that is not processed; its sequence counts as seen."""
    reading = read_records(owned, [raw], owned.seen)
    return Move(owned, raw.offset + 1, Previous.of(raw), reading.move.seen)


async def _nothing(_: Connection) -> Effects:
    return Effects()
