"""The process's share of the partitions, kept up to date once a second and whenever another process joins or leaves."""

import asyncio
import uuid

import structlog

from ticket_stream.context import StreamContext
from ticket_stream.failure_classes import FailureClass, classify, describe
from ticket_stream.held_connection import ConnectionLost, HeldConnection, is_usable
from ticket_stream.lease_function import LEASE_CHANNEL
from ticket_stream.processing import Connection

log = structlog.get_logger("ticket_stream")

_CALL_SECONDS = 2.0  # shorter than a lease, so that a silent server costs one renewal and not the lease
_RETRY_SECONDS = 0.2  # Postgres is away: soon after its return the leases must be renewed

_LEASE = "SELECT * FROM stream_lease($1, $2, $3)"
_LEAVE = "SELECT stream_leave($1, $2)"


def new_owner() -> str:
    """A random id made at process start: a process that comes back is never taken for the one before."""
    return f"owner-{uuid.uuid4().hex}"


class Leases:
    """What the last call said. The loop applies changes between batches; the revision decides, not this."""

    def __init__(self, context: StreamContext, connection: HeldConnection) -> None:
        self._context = context
        self._connection = connection
        self._listening: Connection | None = None
        self._wake = asyncio.Event()
        self.answered = asyncio.Event()
        self.owned: frozenset[int] = frozenset()
        self.decided: frozenset[int] = frozenset()
        self.refusal: str | None = None
        self.away: str | None = None
        self.lost = False  # a session was, since the loop last looked: the database may be one from before

    def forget(self) -> None:
        """Before the stream begins again: what was heard before a refusal is old."""
        self.answered.clear()
        self.owned = self.decided = frozenset()
        self.refusal = None

    async def keep(self) -> None:
        """Run for as long as the stream does; an error of the database is only a reason to try again."""
        while True:
            try:
                await self.call()
                delay = self._context.settings.renew_seconds
            except Exception as error:
                if classify(error) is not FailureClass.AGAIN:
                    raise
                self._note_away(error)
                await self._connection.discard()
                delay = _RETRY_SECONDS
            try:
                async with asyncio.timeout(delay):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    def wake(self) -> None:
        """Call again soon: there may be new partitions to take."""
        self._wake.set()

    async def call(self) -> None:
        """Renew, give back, take; and hear the database's time, refusals and operators' decisions."""
        context = self._context
        async with asyncio.timeout(_CALL_SECONDS):
            connection = await self._connection.get()
            if self._listening is not connection:
                await connection.add_listener(LEASE_CHANNEL, self._on_notify)
                self._listening = connection
            row = await connection.fetchrow(_LEASE, context.consumer, context.owner, context.lease)
        assert row is not None, "the function returns one row"
        context.clock.set(row["moment"].timestamp())
        context.generation = row["generation"]
        context.metrics.members.set(row["members"])
        self.owned = frozenset(row["owned"])
        self.decided = frozenset(row["decided"])
        if row["refusal"] is not None:
            self.refusal = f"{row['refusal']}. To continue: {row['refusal_command']}"
        if self.away is not None or not self.answered.is_set():
            log.info("leases are renewed", consumer=context.consumer, partitions=len(self.owned))
        self.away = None
        self.answered.set()

    async def leave(self) -> None:
        """Give everything back, so that the others need not wait for the leases to expire."""
        async with asyncio.timeout(_CALL_SECONDS):
            try:
                connection = await self._connection.get()
            except ConnectionLost:  # to leave it does not matter which database answers: it is by our own name
                connection = await self._connection.get()
            await connection.execute(_LEAVE, self._context.consumer, self._context.owner)

    async def close(self) -> None:
        connection, self._listening = self._listening, None
        if connection is not None and is_usable(connection):
            await connection.remove_listener(LEASE_CHANNEL, self._on_notify)
        await self._connection.give_back()

    def _on_notify(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if payload == self._context.consumer:
            self._wake.set()

    def _note_away(self, error: Exception) -> None:
        if self.away is None:
            log.warning("leases cannot be renewed", consumer=self._context.consumer, error=describe(error))
        self.away = describe(error)
        if not isinstance(error, TimeoutError):  # a slow server is still the same one
            self.lost = True
        self._listening = None
