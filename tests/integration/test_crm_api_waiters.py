"""Waiting for outcomes and remembering keys, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from crm_api.authenticate import CACHE_SECONDS, Authenticator
from crm_api.await_outcomes import POLL_SECONDS, OutcomeWaiters
from service_kit.api_keys import generate
from tests.integration.crm_api_around import add_key, execute, revoke
from tests.support.kept_part import wait_until
from ticket_store.sessions import open_engine

WAITERS = 200
PATIENT = 30.0  # seconds; an outcome takes milliseconds

_DECIDE = """
INSERT INTO command_outcomes (command_id, ticket_id, outcome, content_hash, decided_at)
SELECT id, gen_random_uuid(), 'applied', decode(repeat('00', 32), 'hex'), now() FROM unnest($1::text[]) AS id
"""


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    async with open_engine(database_url, application_name="test", max_size=2) as engine:
        yield engine


@asynccontextmanager
async def running_waiters(engine: AsyncEngine) -> AsyncIterator[OutcomeWaiters]:
    waiters = OutcomeWaiters(engine)
    looking = asyncio.create_task(waiters.run())
    try:
        yield waiters
    finally:
        looking.cancel()
        await asyncio.wait({looking})


@asynccontextmanager
async def counted_statements(engine: AsyncEngine) -> AsyncIterator[list[str]]:
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_all_who_wait_share_one_query(engine: AsyncEngine, database_url: str) -> None:
    ids = [f"command {number}" for number in range(WAITERS)]
    async with running_waiters(engine) as waiters, counted_statements(engine) as statements:
        asked = [asyncio.create_task(waiters.wait_for(name, PATIENT)) for name in (*ids, ids[0])]
        await wait_until(lambda: among(statements, 3), PATIENT, "some looks")
        assert len(set(statements)) == 1  # the same for any number of waiters, so it is prepared once
        looks = len(statements)
        await execute(database_url, _DECIDE, ids)
        outcomes = await asyncio.gather(*asked)
    assert [outcome.command_id for outcome in outcomes if outcome] == [*ids, ids[0]]
    assert len(statements) - looks < WAITERS / 10
    assert waiters.waiting == 0


async def among(statements: list[str], count: int) -> bool:
    return len(statements) >= count


async def test_nobody_waits_so_nothing_is_asked(engine: AsyncEngine) -> None:
    async with running_waiters(engine) as waiters, counted_statements(engine) as statements:
        assert await waiters.wait_for("never decided", 0.05) is None
        seen = -1

        async def rests() -> bool:
            nonlocal seen
            before, seen = seen, len(statements)
            return before == seen

        await wait_until(rests, PATIENT, "a look that was the last", every=20 * POLL_SECONDS)


async def test_a_cancelled_request_leaves_no_waiter_behind(engine: AsyncEngine, database_url: str) -> None:
    async with running_waiters(engine) as waiters:
        leaves = asyncio.create_task(waiters.wait_for("one", PATIENT))
        stays = asyncio.create_task(waiters.wait_for("one", PATIENT))
        await asyncio.sleep(0)
        assert waiters.waiting == 1
        leaves.cancel()
        await asyncio.wait({leaves})
        await execute(database_url, _DECIDE, ["one"])
        outcome = await stays
        assert outcome is not None
        assert outcome.outcome == "applied"
        assert waiters.waiting == 0


async def test_a_release_lets_everybody_go_now_and_later(engine: AsyncEngine) -> None:
    async with running_waiters(engine) as waiters:
        asked = asyncio.create_task(waiters.wait_for("one", PATIENT))
        await asyncio.sleep(0)
        waiters.release()
        assert await asked is None
        assert await waiters.wait_for("two", PATIENT) is None
        assert waiters.waiting == 0


async def test_a_revoked_key_works_no_longer_than_it_is_remembered(engine: AsyncEngine, database_url: str) -> None:
    now = 0.0  # a clock may start anywhere
    authenticator = Authenticator(engine, lambda: now)
    key = await add_key(database_url)
    known = await authenticator.caller_of(key)
    assert known is not None
    assert known.scopes == {"read", "write"}
    await revoke(database_url, key)
    now += CACHE_SECONDS / 2
    assert await authenticator.caller_of(key) == known
    now += CACHE_SECONDS / 2 + 0.001
    assert await authenticator.caller_of(key) is None


async def test_a_key_is_looked_up_once_while_it_is_remembered_and_an_impossible_one_never(
    engine: AsyncEngine, database_url: str
) -> None:
    authenticator = Authenticator(engine, lambda: 0.0)
    key = await add_key(database_url)
    async with counted_statements(engine) as statements:
        for _ in range(3):
            assert await authenticator.caller_of(key) is not None
        assert len(statements) == 1
        stranger = generate()
        assert [await authenticator.caller_of(stranger) for _ in range(3)] == [None, None, None]
        assert len(statements) == 2
        for impossible in ("", "fb_", key[:-1], f"{key}x", key.lower(), "密" * 39, f"{key[:-1]}\x00"):
            assert await authenticator.caller_of(impossible) is None
        assert len(statements) == 2


async def test_an_error_of_the_database_names_the_statement_and_never_its_parameters(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text("SELECT 1 / (length(:name) - 7)"), {"name": "Wang Li"})
    assert "length(" in str(caught.value)
    assert "Wang Li" not in str(caught.value)
