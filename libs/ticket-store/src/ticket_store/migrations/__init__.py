"""Brings a database to the present schema. Safe to run again, and by several processes at once."""

import asyncio

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ticket_store.sessions import connect
from ticket_store.tables import METADATA
from ticket_stream.schema import METADATA as STREAM_METADATA

_LOCK = 7_463_021_558_301  # drawn once; any number that no other program uses for pg_advisory_lock


def upgrade(url: str) -> None:
    """Bring the database to the present schema; for callers without an event loop.

    :raises ticket_store.sessions.DatabaseAway: the server cannot be reached.
    """
    asyncio.run(upgrade_async(url))


async def upgrade_async(url: str) -> None:
    """The same for callers inside an event loop."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(url, application_name="firebreak-migrations")
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))  # an index of a large table takes long
            await connection.execute(text("SET LOCAL lock_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_run_migrations)
            await _analyze_filled(connection)
    finally:
        await engine.dispose()


def _run_migrations(connection: Connection) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", "ticket_store:migrations")
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


async def _analyze_filled(connection: AsyncConnection) -> None:
    """Refresh statistics, but never of an empty table.

    An empty table that was analyzed counts as one row, and plans prepared on it walk the whole index for every batch;
    one that was never analyzed counts as ten pages, and gets the look-ups we want (seen on PostgreSQL 18).
    """
    for table in (*METADATA.sorted_tables, *STREAM_METADATA.sorted_tables):
        if await connection.scalar(select(exists(select(1).select_from(table)))):
            await connection.execute(text(f'ANALYZE "{table.name}"'))
