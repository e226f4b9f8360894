"""Connections to Postgres with bounded waits, for everyone: the raw asyncpg pool and crm-api's SQLAlchemy engine.

JSONB stays text on the pool: batches already hold encoded JSON, and decoding it twice would cost more than the query.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

import asyncpg

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_SECONDS = 5.0  # a server that does not answer within this counts as away; callers try again anyway
CLOSE_SECONDS = 5.0  # half of the default stop budget of a process; what is still busy then is cut off
STATEMENT_LIMIT = "30s"  # a batch takes well under 1 s; more is a lost index, and holds everyone's locks meanwhile
LOCK_LIMIT = "10s"  # longer than any batch, shorter than the statement limit, so that the error names the lock
IDLE_LIMIT = "60s"  # a session frozen inside a transaction must not hold back vacuum for ever
CLIENT_LIMIT_SECONDS = 45.0  # only when the server died silently; afterwards the session is unusable and is replaced

_LIMITS = {
    "statement_timeout": STATEMENT_LIMIT,
    "lock_timeout": LOCK_LIMIT,
    "idle_in_transaction_session_timeout": IDLE_LIMIT,
    "timezone": "UTC",
}

_INDEX_PLANS = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


class DatabaseAway(OSError):
    """No connection could be made; try again later. The message names host and cause, never the password."""


@asynccontextmanager
async def open_pool(
    url: str, *, application_name: str, max_size: int = 4, index_plans: bool = False, wait: bool = True
) -> AsyncIterator[Pool]:
    """Open a pool and close it in a bounded time.

    `application_name` names the sessions in `pg_stat_activity`; a streaming service gives its owner id.
    `index_plans` is for batches of point look-ups: a plan prepared on a young, small table would keep its sequential
    scans while the table grows (facts §4.3c).

    :raises DatabaseAway: the server cannot be reached, or refuses the account.
    """
    options = _LIMITS | (_INDEX_PLANS if index_plans else {}) | {"application_name": application_name}
    pool: Pool = asyncpg.create_pool(
        url,
        min_size=1 if wait else 0,
        max_size=max_size,
        timeout=CONNECT_SECONDS,
        command_timeout=CLIENT_LIMIT_SECONDS,
        server_settings=options,
    )
    try:
        await pool
    except CONNECTION_FAILURES as error:
        raise _away(url, error) from error
    try:
        yield pool
    finally:
        await _close(pool)


@asynccontextmanager
async def open_engine(url: str, *, application_name: str, max_size: int = 10) -> "AsyncIterator[AsyncEngine]":
    """Open an SQLAlchemy engine for statements that are put together at run time; connections are made on use."""
    from sqlalchemy.ext.asyncio import create_async_engine  # 0.2 s that a streaming service need not wait for

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(url, application_name=application_name),
        pool_size=max_size,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # errors are logged, and parameters are names of people and hashes of keys
    )
    try:
        yield engine
    finally:
        await engine.dispose()


async def connect(url: str, *, application_name: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Make one connection outside any pool; the caller closes it.

    :raises DatabaseAway: the server cannot be reached, or refuses the account.
    """
    try:
        return await asyncpg.connect(
            url,
            timeout=CONNECT_SECONDS,
            command_timeout=CLIENT_LIMIT_SECONDS,
            server_settings=_LIMITS | {"application_name": application_name},
        )
    except CONNECTION_FAILURES as error:
        raise _away(url, error) from error


CONNECTION_FAILURES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,  # it starts up, recovers or shuts down
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""What making a connection can end in because of the other side."""


def _away(url: str, error: BaseException) -> DatabaseAway:
    parts = urlsplit(url)
    where = f"{parts.hostname or 'local socket'}:{parts.port or 5432}{parts.path}"
    return DatabaseAway(f"Postgres at {where} cannot be used: {error or type(error).__name__}")


async def _close(pool: Pool) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()
