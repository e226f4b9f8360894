"""Migrations against a real Postgres."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData

from tests.support.servers import SharedPostgres
from ticket_store import migrations, sessions
from ticket_store.tables import METADATA
from ticket_stream.schema import METADATA as STREAM_METADATA

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


async def test_processes_that_start_at_once_migrate_once(postgres: SharedPostgres) -> None:
    url = await postgres.empty_database()

    await asyncio.gather(*(asyncio.to_thread(migrations.upgrade, url) for _ in range(3)), migrations.upgrade_async(url))

    async with sessions.open_pool(url, application_name="test") as pool:
        found = {row["tablename"] for row in await pool.fetch(TABLES)}
    assert set(METADATA.tables) <= found


async def test_migrating_again_keeps_what_is_stored(database_url: str) -> None:
    async with sessions.open_pool(database_url, application_name="test") as pool:
        await pool.execute("INSERT INTO configuration_head (id, version) VALUES (1, 7)")
        await migrations.upgrade_async(database_url)

        assert await pool.fetchval("SELECT version FROM configuration_head") == 7


async def test_statistics_are_taken_of_filled_tables_and_never_of_empty_ones(database_url: str) -> None:
    """An analyzed empty table counts as one row, and prepared batches then walk its whole index."""
    async with sessions.open_pool(database_url, application_name="test") as pool:
        await pool.execute("INSERT INTO configuration_head (id, version) VALUES (1, 7)")
        await migrations.upgrade_async(database_url)
        analyzed = {row[0]: row[1] for row in await pool.fetch("SELECT relname, reltuples FROM pg_class")}

    assert analyzed["configuration_head"] == 1
    assert analyzed["tickets"] == -1


# Everything of a schema that autogeneration overlooks: functions, checks, storage, fill factors, sequences.
CATALOGUE = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage, a.attidentity,
            pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0""",
    "options": "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "functions": """
        SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace""",
    "sequences": "SELECT sequencename, start_value, increment_by FROM pg_sequences WHERE schemaname = 'public'",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "generation": "SELECT * FROM stream_generation",
}


async def catalogue(url: str) -> dict[str, set[str]]:
    async with sessions.open_pool(url, application_name="test") as pool:
        found = {name: {str(tuple(row)) for row in await pool.fetch(query)} for name, query in CATALOGUE.items()}
    return {name: {row for row in rows if "alembic_version" not in row} for name, rows in found.items()}


async def test_the_migrated_schema_is_the_one_of_the_models(postgres: SharedPostgres) -> None:
    migrated, made = await postgres.empty_database(), await postgres.empty_database()
    await migrations.upgrade_async(migrated)
    async with sessions.open_engine(made, application_name="test") as engine, engine.begin() as connection:
        for tables in (METADATA, STREAM_METADATA):
            await connection.run_sync(tables.create_all)

    by_migration, by_models = await catalogue(migrated), await catalogue(made)

    for name in CATALOGUE:
        assert by_migration[name] == by_models[name], name


@pytest.mark.parametrize("tables", [METADATA, STREAM_METADATA], ids=["store", "stream"])
async def test_autogeneration_would_add_nothing(database_url: str, tables: MetaData) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {
            "compare_server_default": True,
            "include_name": lambda name, kind, _: kind != "table" or name in tables.tables,
        }
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, tables))

    async with sessions.open_engine(database_url, application_name="test") as engine, engine.connect() as connection:
        assert await connection.run_sync(differences) == []
