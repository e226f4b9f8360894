"""One transaction per poll: fence, effects, outbox, last-seen; and what follows once COMMIT has answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import structlog
from asyncpg.transaction import Transaction

from ticket_stream import outbox, seen, timers
from ticket_stream.context import StreamContext
from ticket_stream.failpoints import Failpoint
from ticket_stream.held_connection import SESSION_ERRORS, is_usable
from ticket_stream.owned import CommitUnanswered, Move
from ticket_stream.positions import advance
from ticket_stream.processing import Connection, NewEvent, Partition
from ticket_stream.publishing import Publisher
from ticket_stream.time_travel import TimeTravelChecks

log = structlog.get_logger("ticket_stream")

_ROLL_BACK_SECONDS = 1.0  # takes a millisecond; less than the part of a stop that is left for the loop's end


@dataclass(slots=True)
class Effects:
    """What the body of a transaction leaves to the runtime."""

    events: Sequence[NewEvent] = ()
    schedules: dict[tuple[Partition, str], datetime | None] = field(default_factory=dict)
    after_commit: Sequence[Callable[[], None]] = ()


class AfterCommitFailed(Exception):
    """A callback raised after the commit. The batch must not run again; the process has to start anew."""


Body = Callable[[Connection], Awaitable[Effects]]


class Transactions:
    """Runs them one after another. Nothing in memory changes before a COMMIT that answered."""

    def __init__(self, context: StreamContext, checks: TimeTravelChecks, publisher: Publisher) -> None:
        self._context = context
        self._checks = checks
        self._publisher = publisher

    async def run(self, connection: Connection, moves: Sequence[Move], body: Body) -> None:
        """Commit the moves together with what `body` writes, then publish.

        :raises Fenced: nothing was written, the partitions have another owner.
        :raises CommitUnanswered: unknown whether it was written.
        :raises WentBack: a record is newer than its origin.
        Everything else comes from the body or the database, and nothing was written.
        """
        context = self._context
        began = time.perf_counter()
        acknowledged = self._acknowledged(moves)
        transaction: Transaction = connection.transaction()
        await transaction.start()
        try:
            await advance(connection, context.owner, context.lease, moves)
            await self._checks.check_batch(connection, _highest(moves))
            effects = await body(connection)
            stamp = int(context.clock.now() * 1000)
            rows = outbox.number_events(effects.events, moves, context.counts, stamp)
            await self._write(connection, moves, effects, rows, acknowledged)
        except BaseException:
            await _roll_back(connection, transaction)
            raise
        await self._commit(transaction)
        context.metrics.batch_seconds.observe(time.perf_counter() - began)
        context.metrics.batches.inc()
        _apply(moves, effects, acknowledged)
        await self._follow_up(effects, rows)

    async def _follow_up(self, effects: Effects, rows: dict[int, list[outbox.Outgoing]]) -> None:
        try:
            await self._context.failpoints.reach(Failpoint.COMMITTED_NOT_PUBLISHED)
        except Exception as error:
            raise CommitUnanswered(repr(error)) from error  # the same doubt, and the same way back
        for position_id, several in rows.items():
            self._publisher.enqueue(position_id, several)
        try:
            for callback in effects.after_commit:
                callback()
        except Exception as error:
            raise AfterCommitFailed("a processor's memory may no longer fit the table") from error

    def _acknowledged(self, moves: Iterable[Move]) -> dict[int, int]:
        return {
            move.owned.id: up_to
            for move in moves
            if (up_to := self._publisher.deletable(move.owned.id)) is not None and up_to > move.owned.cleaned_up_to
        }

    async def _write(
        self,
        connection: Connection,
        moves: Sequence[Move],
        effects: Effects,
        rows: dict[int, list[outbox.Outgoing]],
        acknowledged: dict[int, int],
    ) -> None:
        proven = False
        if effects.schedules:
            await timers.write(connection, {move.owned.partition: move.owned.id for move in moves}, effects.schedules)
            proven = True
        if rows:
            await outbox.insert(connection, rows)
            proven = True
        if acknowledged:
            await outbox.delete(connection, acknowledged)
            proven = True
        if any(move.seen for move in moves):
            await seen.write(connection, moves)
            proven = True
        if not proven:
            # COMMIT of a transaction that failed inside a swallowed exception answers ROLLBACK without an error.
            # Any statement finds that out, so there always is one after the body.
            await connection.execute("SELECT 1")

    async def _commit(self, transaction: Transaction) -> None:
        try:
            await transaction.commit()
            await self._context.failpoints.reach(Failpoint.COMMITTED_NOT_ANSWERED)
        except asyncpg.PostgresError as error:
            if (error.sqlstate or "")[:2] in {"08", "57"}:
                raise CommitUnanswered(repr(error)) from error
            raise  # a constraint checked at the end, a serialization failure: answered, and rolled back
        except Exception as error:
            raise CommitUnanswered(repr(error)) from error


async def _roll_back(connection: Connection, transaction: Transaction) -> None:
    """Bounded, because a stop waits for it: a server that is frozen forgets the transaction with its session."""
    try:
        async with asyncio.timeout(_ROLL_BACK_SECONDS):
            await transaction.rollback()
    except SESSION_ERRORS as error:
        log.debug("the connection was gone before the roll-back", error=repr(error))
        if is_usable(connection):
            connection.terminate()


def _highest(moves: Iterable[Move]) -> dict[str, tuple[int, Partition]]:
    highest: dict[str, tuple[int, Partition]] = {}
    for move in moves:
        for source, sequence in move.seen.items():
            if source not in highest or sequence > highest[source][0]:
                highest[source] = (sequence, move.owned.partition)
    return highest


def _apply(moves: Iterable[Move], effects: Effects, acknowledged: dict[int, int]) -> None:
    by_partition = {}
    for move in moves:
        owned = move.owned
        owned.revision += 1
        owned.next_offset = move.next_offset
        owned.previous = move.previous or owned.previous
        owned.seen.update(move.seen)
        owned.cleaned_up_to = acknowledged.get(owned.id, owned.cleaned_up_to)
        by_partition[owned.partition] = owned
    for (partition, key), due in effects.schedules.items():
        by_partition[partition].timers.schedule(key, None if due is None else due.timestamp())
