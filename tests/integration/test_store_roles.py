"""Each service's role on a real Postgres: a table has one writer, and the server holds it to that."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from ticket_store import configuration, sessions
from ticket_store.documents import Team
from ticket_store.roles import (
    CRM_API,
    INGEST_FILES,
    PULLING,
    ROUTER,
    SERVICES,
    SLA_ENGINE,
    WRITERS,
    create_roles,
    role_of,
)
from ticket_store.tables import METADATA
from ticket_stream import job_rows
from ticket_stream.job_rows import JobKey
from ticket_stream.schema import METADATA as STREAM_METADATA

PASSWORDS = {service: f"pass '\" word of {service}" for service in SERVICES}


@pytest.fixture
async def urls(database_url: str) -> AsyncIterator[dict[str, str]]:
    """The URL of each service's role; roles belong to the server, so they carry a prefix of this test's own."""
    prefix = f"test_{uuid.uuid4().hex}_"
    made = await create_roles(database_url, PASSWORDS, prefix)
    yield made
    owner = await sessions.connect(database_url, application_name="test")
    for service in SERVICES:
        role = role_of(service, prefix)
        await owner.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')
    await owner.close()


def test_every_table_has_its_writers_named() -> None:
    assert set(WRITERS) == set(METADATA.tables) | set(STREAM_METADATA.tables)


def test_a_table_that_is_not_the_runtimes_has_one_writer_but_for_the_queue_of_files() -> None:
    assert {table: writers for table, writers in WRITERS.items() if table in METADATA.tables and len(writers) != 1} == {
        "file_fetches": (ROUTER, INGEST_FILES)
    }  # the one orders, the other takes


def test_the_modules_of_the_tables_name_the_same_writer() -> None:
    from ticket_store import tables

    for module in (getattr(tables, name) for name in tables.__all__ if name != "METADATA"):
        named = {table.name for table in vars(module).values() if getattr(table, "metadata", None) is METADATA}
        writers = {writer for table in named & set(WRITERS) for writer in WRITERS[table]}
        said = module.__doc__.split("Writer: ")[1]
        assert all(writer in said for writer in writers), module.__name__


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_writes_only_its_own_tables_and_a_pulling_one_reads_no_other(
    urls: dict[str, str], service: str
) -> None:
    async with sessions.open_pool(urls[service], application_name="test") as pool:
        for table, writers in WRITERS.items():
            if service in writers or service not in PULLING:
                assert await pool.fetchval(f'SELECT count(*) FROM "{table}"') >= 0
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await pool.fetchval(f'SELECT count(*) FROM "{table}"')
            for verb in ("DELETE FROM", "UPDATE"):
                statement = f'{verb} "{table}"' + (f" SET {await _any_column(pool, table)}" if verb == "UPDATE" else "")
                if service in writers:
                    await pool.execute(f"{statement} WHERE false")
                else:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await pool.execute(f"{statement} WHERE false")


async def test_the_router_cannot_change_a_ticket(urls: dict[str, str]) -> None:
    async with sessions.open_pool(urls[ROUTER], application_name="test") as pool:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for table tickets"):
            await pool.execute("UPDATE tickets SET status = 'closed'")


async def test_only_the_engine_draws_ticket_numbers(urls: dict[str, str]) -> None:
    async with sessions.open_pool(urls[SLA_ENGINE], application_name="test") as pool:
        assert await pool.fetchval("SELECT nextval('ticket_numbers')") == 1001
    async with sessions.open_pool(urls[ROUTER], application_name="test") as pool:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("SELECT nextval('ticket_numbers')")


async def test_the_api_applies_configuration_and_a_streaming_service_does_not(urls: dict[str, str]) -> None:
    triage = Team(name="triage", display_name="Triage", triage=True)
    async with sessions.open_pool(urls[CRM_API], application_name="test") as pool, pool.acquire() as connection:
        assert (await configuration.apply(connection, [triage], "anna")).version == 1
    async with sessions.open_pool(urls[ROUTER], application_name="test") as pool, pool.acquire() as connection:
        assert (await configuration.load(connection)).version == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await configuration.apply(connection, [triage], "router")


async def test_streaming_services_take_their_leases(urls: dict[str, str]) -> None:
    for service in (ROUTER, SLA_ENGINE):
        async with sessions.open_pool(urls[service], application_name="test") as pool:
            leases = await pool.fetch("SELECT * FROM stream_lease($1, 'owner', $2)", service, timedelta(seconds=3))
            assert len(leases) == 1


async def test_pulling_services_take_jobs_move_their_cursors_and_give_them_back(urls: dict[str, str]) -> None:
    for service in PULLING:
        async with sessions.open_pool(urls[service], application_name="test") as pool, pool.acquire() as connection:
            span, key = timedelta(seconds=3), JobKey(service, "job", "owner")
            assert await job_rows.lease(connection, service, "owner", span, ["job"]) == {"job"}
            standing = await job_rows.regain(connection, key, span)
            assert (await job_rows.move(connection, key, standing, {"uid": 1}, span)).cursor == {"uid": 1}
            await job_rows.note(connection, key, "away")
            await job_rows.release(connection, service, "owner", ["job"])
            await job_rows.leave(connection, service, "owner")


async def test_a_service_that_got_no_password_gets_no_role(database_url: str) -> None:
    prefix = f"test_{uuid.uuid4().hex}_"
    made = await create_roles(database_url, {ROUTER: "word"}, prefix)
    owner = await sessions.connect(database_url, application_name="test")
    names = await owner.fetch("SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", prefix)
    await owner.execute(f'DROP OWNED BY "{prefix}router"; DROP ROLE "{prefix}router"')
    await owner.close()
    assert (list(made), [row["rolname"] for row in names]) == ([ROUTER], [f"{prefix}router"])


async def test_making_roles_again_renews_their_password_and_takes_back_old_rights(
    database_url: str, urls: dict[str, str]
) -> None:
    router = urls[ROUTER].split("//")[1].split(":")[0]
    owner = await sessions.connect(database_url, application_name="test")
    await owner.execute(f'GRANT UPDATE ON tickets TO "{router}"')

    renewed = await create_roles(database_url, PASSWORDS | {ROUTER: "new"}, router.removesuffix("router"))

    assert not await owner.fetchval("SELECT has_table_privilege($1, 'tickets', 'UPDATE')", router)
    await owner.close()
    with pytest.raises(sessions.DatabaseAway, match="password"):
        await sessions.connect(urls[ROUTER], application_name="test")
    await (await sessions.connect(renewed[ROUTER], application_name="test")).close()


async def _any_column(pool: sessions.Pool, table: str) -> str:
    name = await pool.fetchval(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = '' LIMIT 1",
        table,
    )
    return f'"{name}" = "{name}"'
