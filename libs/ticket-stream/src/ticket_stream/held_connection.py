"""One connection of the pool, kept for as long as it works.

The pool resets what it gets back; keeping the connection saves that round trip per batch and keeps its settings: the
owner id as `application_name`, by which a taker ends the sessions of a frozen owner, and plans by key.
A plan prepared while the tables are nearly empty would otherwise keep its sequential scans (facts §4.3c).
"""

import asyncpg
import structlog

from ticket_stream.processing import Connection

SESSION_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What using a session can end in that is broken, or was ended under us."""

log = structlog.get_logger("ticket_stream")


class ConnectionLost(OSError):
    """The session was ended under us: what answers next may be a database from before. Nobody goes on unnoticed."""


_ACQUIRE_SECONDS = 5.0
# A frozen process must not hold its rows: its statements are over, so the server may end the session. Longer than any
# pause between two statements of a batch, shorter than anyone would wait for.
_IDLE_IN_TRANSACTION = "10s"

_SETTINGS = """
SELECT set_config('application_name', $1, false), set_config('enable_seqscan', 'off', false),
       set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('idle_in_transaction_session_timeout', $2, false)
"""


class HeldConnection:
    """Hands out the same connection until `discard`, then another."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", owner: str) -> None:
        self._pool = pool
        self._owner = owner
        self._connection: Connection | None = None

    async def get(self) -> Connection:
        """:raises ConnectionLost: once, after a session was ended; the next call makes another.

        :raises OSError, asyncpg.PostgresError, asyncpg.InterfaceError: no connection can be made now.
        """
        if self._connection is not None and not is_usable(self._connection):
            await self.discard()
            raise ConnectionLost("Postgres ended the session")
        if self._connection is None:
            connection = await self._pool.acquire(timeout=_ACQUIRE_SECONDS)
            try:
                await connection.execute(_SETTINGS, self._owner, _IDLE_IN_TRANSACTION)
            except BaseException:
                await self._drop(connection)
                raise
            self._connection = connection
        return self._connection

    def survives(self, error: Exception) -> bool:
        """Whether the session can be used after this error; after a time-out of the driver it cannot (facts §5)."""
        broken = isinstance(error, TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)
        return not broken and self._connection is not None and is_usable(self._connection)

    async def discard(self) -> None:
        """Forget a connection that is broken or in an unknown state."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._drop(connection)

    async def give_back(self) -> None:
        """Return a healthy connection to the pool."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await self._pool.release(connection, timeout=_ACQUIRE_SECONDS)
        except SESSION_ERRORS as error:
            log.info("connection was already lost when given back", error=repr(error))

    async def _drop(self, connection: Connection) -> None:
        try:
            connection.terminate()
            await self._pool.release(connection)
        except SESSION_ERRORS as error:
            log.debug("releasing a terminated connection", error=repr(error))


def is_usable(connection: Connection) -> bool:
    """Whether it is open. The pool takes a connection back by itself when the server ends it; asking it then raises."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False
