"""Connections to a real Postgres: their names, their limits, and what happens when there is no server."""

import asyncio
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from sqlalchemy import text

from firebreak_cli.local_stack.ports import free_ports
from ticket_store import sessions
from ticket_store.sessions import DatabaseAway, open_engine, open_pool


async def test_sessions_carry_the_name_of_their_process(database_url: str) -> None:
    async with open_pool(database_url, application_name="router-7f") as pool:
        assert await pool.fetchval("SELECT current_setting('application_name')") == "router-7f"
    async with open_engine(database_url, application_name="crm-api") as engine, engine.connect() as connection:
        assert await connection.scalar(text("SELECT current_setting('application_name')")) == "crm-api"


async def test_no_statement_lock_or_idle_transaction_is_without_limit(database_url: str) -> None:
    async with open_pool(database_url, application_name="test") as pool:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            assert await pool.fetchval("SELECT current_setting($1)", name) != "0", name


async def test_batches_planned_on_an_empty_table_look_up_by_index(database_url: str) -> None:
    query = "EXPLAIN SELECT * FROM unnest(ARRAY[]::uuid[]) AS wanted (id) JOIN tickets ON ticket_id = wanted.id"
    async with open_pool(database_url, application_name="test", index_plans=True) as pool:
        plan = "\n".join(row[0] for row in await pool.fetch(query))

    assert "Index Cond: (ticket_id = wanted.id)" in plan


async def test_an_unreachable_server_is_named_without_its_password() -> None:
    url = f"postgresql://anna:hush@127.0.0.1:{free_ports(1)[0]}/firebreak"

    with pytest.raises(DatabaseAway, match=r"Postgres at 127\.0\.0\.1:\d+/firebreak cannot be used") as caught:
        async with open_pool(url, application_name="test"):
            pass

    assert "hush" not in str(caught.value)


async def test_a_database_that_does_not_exist_counts_as_away(database_url: str) -> None:
    url = urlunsplit(urlsplit(database_url)._replace(path="/absent"))

    with pytest.raises(DatabaseAway, match="absent"):
        await sessions.connect(url, application_name="test")


async def test_a_pool_closes_in_bounded_time_while_a_connection_is_in_use(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CLOSE_SECONDS", 0.2)
    async with open_pool(database_url, application_name="test") as pool:
        held = await pool.acquire()

    async with asyncio.timeout(5):
        with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError, OSError)):
            await held.execute("SELECT 1")
