"""Merges and splits on a real database: every step a command of its own, through what was published."""

import json
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4, uuid5

import pytest_asyncio

from sla_engine.check_fold import TicketRange, check_folds
from sla_engine.domain.splitting import split_id
from tests.support.sla_engine import OFFICE, STANDARD, EngineUnderTest, as_record, configure
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, a_message, moment
from ticket_contracts.commands import Command, ReceiveMessage, Routing
from ticket_contracts.exchanges import MOST_RELATED, LinkTickets, Merge, Split, UndoMerge
from ticket_contracts.topics import COMMANDS
from ticket_contracts.vocabulary import LinkKind, Priority
from ticket_store.sessions import open_pool
from ticket_stream.processing import NewEvent

ONE, TWO = (uuid5(CUSTOMER_ID, f"exchanged {number}") for number in (1, 2))
TEN, LATER = moment("mon 10:00"), moment("mon 10:05")


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[EngineUnderTest]:
    async with open_pool(database_url, application_name="test engine", index_plans=True) as pool:
        await configure(pool, OFFICE, STANDARD)
        engine = EngineUnderTest(pool)
        records = [
            engine.record(received(each, number), TEN, f"open {number}") for number, each in enumerate((ONE, TWO))
        ]
        await engine.run(records, now=TEN)
        yield engine


def received(ticket_id: UUID, number: int) -> ReceiveMessage:
    routing = Routing(team="service", priority=Priority.NORMAL)
    message = a_message(TEN, number + 1)
    return ReceiveMessage(ticket_id=ticket_id, actor=MACHINE, message=message, contact_id=CUSTOMER_ID, routing=routing)


def to_tickets(published: Sequence[NewEvent]) -> list[NewEvent]:
    return [event for event in published if event.topic == COMMANDS.name]


async def ask(engine: EngineUnderTest, command: Command, command_id: str, times: int = 1) -> None:
    """Ask, and let everything that follows from it arrive; each step `times` times, in batches of their own."""
    under_way = [engine.record(command, LATER, command_id)]
    while under_way:
        published: list[NewEvent] = []
        for _ in range(times):
            published += to_tickets(await engine.run(under_way, now=LATER))
        under_way = [as_record(event, LATER) for event in published]


async def state(engine: EngineUnderTest, ticket_id: UUID) -> tuple[str, UUID | None]:
    [row] = await engine.rows("SELECT status, successor_id FROM tickets WHERE ticket_id = $1", ticket_id)
    return row["status"], row["successor_id"]


async def differences(engine: EngineUnderTest) -> list[str]:
    async with engine.pool.acquire() as connection:
        return [each.what async for page in check_folds(connection, TicketRange()) for each in page.differences]


async def test_a_merge_whose_steps_all_come_twice_is_one_merge_and_later_messages_are_sent_on(
    engine: EngineUnderTest,
) -> None:
    await ask(engine, Merge(ticket_id=ONE, actor=AGENT, target_id=TWO), "merge", times=2)
    assert await state(engine, ONE) == ("closed", TWO)
    assert await state(engine, TWO) == ("new", None)
    [sent_on] = to_tickets(await engine.run([engine.record(received(ONE, 7), LATER, "late")], now=LATER))
    assert sent_on.key == str(TWO)
    await engine.run([as_record(sent_on, LATER)], now=LATER)
    assert len(await engine.rows("SELECT 1 FROM messages WHERE ticket_id = $1", TWO)) == 2
    assert await differences(engine) == []


async def test_a_merge_in_one_batch_with_its_answer_settles_too(engine: EngineUnderTest) -> None:
    both = [
        engine.record(Merge(ticket_id=ONE, actor=AGENT, target_id=TWO), LATER, "one"),
        engine.record(Merge(ticket_id=TWO, actor=AGENT, target_id=ONE), LATER, "other"),
    ]
    under_way = to_tickets(await engine.run(both, now=LATER))
    while under_way:
        under_way = to_tickets(await engine.run([as_record(event, LATER) for event in under_way], now=LATER))
    low, high = sorted((ONE, TWO))
    assert await state(engine, high) == ("closed", low)
    assert await state(engine, low) == ("new", None)


async def test_an_undone_merge_gives_the_ticket_back(engine: EngineUnderTest) -> None:
    await ask(engine, Merge(ticket_id=ONE, actor=AGENT, target_id=TWO), "merge")
    await ask(engine, UndoMerge(ticket_id=ONE, actor=AGENT), "undo", times=2)
    assert await state(engine, ONE) == ("open", None)
    assert await differences(engine) == []


async def test_a_split_opens_a_ticket_with_the_words_of_the_messages_once(engine: EngineUnderTest) -> None:
    await engine.run([engine.record(received(ONE, 7), LATER, "second")], now=LATER)
    [row] = await engine.rows("SELECT message_id FROM messages WHERE ticket_id = $1 AND version > 1", ONE)
    wish = Split(ticket_id=ONE, actor=AGENT, message_ids=(row["message_id"],), subject="另一件事")
    await ask(engine, wish, "split", times=2)
    opened = split_id(ONE, "split")
    [ticket] = await engine.rows("SELECT subject, number FROM tickets WHERE ticket_id = $1", opened)
    assert (ticket["subject"], ticket["number"] > 1000) == ("另一件事", True)
    [entry] = await engine.rows("SELECT text FROM messages WHERE ticket_id = $1", opened)
    assert entry["text"] == "message 8"
    assert await differences(engine) == []


async def test_a_link_that_finds_no_room_stands_on_neither_side_though_every_step_comes_twice(
    engine: EngineUnderTest,
) -> None:
    [before] = await engine.rows("SELECT state FROM tickets WHERE ticket_id = $1", TWO)
    links = json.dumps([[str(uuid4()), "related"]] * MOST_RELATED)
    await engine.rows("UPDATE tickets SET state = jsonb_set(state, '{links}', $2) WHERE ticket_id = $1", TWO, links)
    await ask(engine, LinkTickets(ticket_id=ONE, actor=AGENT, other_id=TWO, kind=LinkKind.PROBLEM), "link", times=2)
    facts = "SELECT data FROM ticket_events WHERE ticket_id = $1 AND type LIKE '%.link-%' ORDER BY version"
    added, removed = [json.loads(row["data"]) for row in await engine.rows(facts, ONE)]
    assert added["since"] == removed["until"]
    assert removed["reason"].startswith("on the other side: ")
    assert await engine.rows(facts, TWO) == []
    await engine.rows("UPDATE tickets SET state = $2 WHERE ticket_id = $1", TWO, before["state"])
    assert await differences(engine) == []
