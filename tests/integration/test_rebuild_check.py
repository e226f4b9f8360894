"""`firebreak rebuild --check` on a real database: silent on what is right, and plain about each thing that is not."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from uuid import UUID, uuid5

import pytest
import pytest_asyncio

from sla_engine.check_fold import PAGE, TicketRange, check_folds
from tests.support.sla_engine import OFFICE, STANDARD, EngineUnderTest, configure
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, a_message, moment
from ticket_contracts.commands import ReceiveMessage, Reply, Routing
from ticket_contracts.vocabulary import Priority
from ticket_store.sessions import open_pool

TEN = moment("mon 10:00")
TICKETS = [uuid5(CUSTOMER_ID, f"checked ticket {number}") for number in range(3)]


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[EngineUnderTest]:
    async with open_pool(database_url, application_name="test engine") as pool:
        await configure(pool, OFFICE, STANDARD)
        engine = EngineUnderTest(pool)
        await open_tickets(engine, TICKETS)
        reply = Reply(ticket_id=TICKETS[0], actor=AGENT, text="We look into it")
        await engine.run([engine.record(reply, moment("mon 10:40"), "reply")], now=moment("mon 10:40"))
        yield engine


async def open_tickets(engine: EngineUnderTest, ids: list[UUID]) -> None:
    routing = Routing(team="service", priority=Priority.NORMAL, tags=("pump", "leak"))
    commands = [
        ReceiveMessage(ticket_id=each, actor=MACHINE, message=a_message(TEN), contact_id=CUSTOMER_ID, routing=routing)
        for each in ids
    ]
    await engine.run([engine.record(each, TEN, f"open {each.ticket_id}") for each in commands], now=TEN)


async def differences(engine: EngineUnderTest, wanted: TicketRange | None = None) -> list[str]:
    async with engine.pool.acquire() as connection:
        pages = [page async for page in check_folds(connection, wanted or TicketRange())]
    return [each.what for page in pages for each in page.differences]


async def spoil(engine: EngineUnderTest, statement: str) -> None:
    async with engine.pool.acquire() as connection:
        assert await connection.execute(statement, TICKETS[0]) != "UPDATE 0"


async def test_what_the_engine_wrote_shows_no_difference(engine: EngineUnderTest) -> None:
    await engine.fire(now=moment("wed 12:00"))
    assert await differences(engine) == []


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("UPDATE tickets SET team = 'other' WHERE ticket_id = $1", "`tickets.team` is not what its events say"),
        ("UPDATE tickets SET tags = '{pump}' WHERE ticket_id = $1", "`tickets.tags` is not what its events say"),
        (
            "UPDATE tickets SET state = jsonb_set(state, '{summary,team}', '\"other\"') WHERE ticket_id = $1",
            "`tickets.state` is not the fold of its events",
        ),
        (
            "UPDATE clocks SET due_at = NULL WHERE ticket_id = $1 AND metric = 'resolution'",
            "`clocks` resolution 1: `due_at` is not what its events say",
        ),
        ("DELETE FROM clocks WHERE ticket_id = $1 AND metric = 'resolution'", "`clocks` resolution 1 is missing"),
        (
            "UPDATE messages SET text = 'something else' WHERE ticket_id = $1 AND version = 1",
            "`messages` 1: `text` is not what its events say",
        ),
        ("DELETE FROM tickets WHERE ticket_id = $1", "have no row in `tickets`"),
        ("DELETE FROM ticket_events WHERE ticket_id = $1", "it stands in `tickets`, but has no events"),
        ("DELETE FROM ticket_events WHERE ticket_id = $1 AND version = 1", "its events do not follow on each other"),
    ],
)
async def test_each_thing_that_was_changed_by_hand_is_named(
    engine: EngineUnderTest, statement: str, difference: str
) -> None:
    await spoil(engine, statement)
    found = await differences(engine)
    assert len(found) == 1
    assert difference in found[0]


async def test_only_the_tickets_of_the_range_are_checked(engine: EngineUnderTest) -> None:
    await spoil(engine, "UPDATE tickets SET team = 'other' WHERE ticket_id = $1")
    others = sorted(TICKETS[1:])
    assert await differences(engine, TicketRange(others[0], others[0])) == []
    assert await differences(engine, TicketRange(TICKETS[0], TICKETS[0])) != []
    assert await differences(engine, TicketRange(since=moment("mon 10:50"))) == []


async def test_no_ticket_is_left_out_between_two_pages(engine: EngineUnderTest) -> None:
    more = [uuid5(CUSTOMER_ID, f"page {number}") for number in range(PAGE)]
    await open_tickets(engine, more)
    async with engine.pool.acquire() as connection:
        pages = [page async for page in check_folds(connection, TicketRange())]
    assert [page.tickets for page in pages] == [PAGE, len(TICKETS)]


async def test_the_command_prints_what_it_found_and_ends_with_1(engine: EngineUnderTest, database_url: str) -> None:
    clean = await run_command(database_url, "rebuild", "--check", "--json")
    assert clean == (0, {"tickets": 3, "facts": 7, "differences": []})
    await spoil(engine, "UPDATE tickets SET team = 'other' WHERE ticket_id = $1")
    code, report = await run_command(database_url, "rebuild", "--check", "--json")
    assert code == 1
    wanted = {"ticket_id": str(TICKETS[0]), "difference": "`tickets.team` is not what its events say"}
    assert report["differences"] == [wanted]


async def run_command(database_url: str, *arguments: str) -> tuple[int | None, dict[str, object]]:
    environment = {**os.environ, "FIREBREAK_POSTGRES": database_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "firebreak_cli", *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    report: dict[str, object] = json.loads(output)
    return process.returncode, report
