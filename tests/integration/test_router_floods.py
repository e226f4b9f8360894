"""A sender who opens conversation after conversation: so many tickets, then one for all, then only a count."""

from collections.abc import Sequence
from datetime import timedelta

from tests.integration.test_router import Routers, routers
from tests.support.incoming import NOON, batch_of, mail
from ticket_contracts.commands import AddNote, ReceiveMessage
from ticket_contracts.messages import MessageReceived
from ticket_router.domain.floods import FloodLimits
from ticket_router.route_messages import MessageRouter
from ticket_stream.processing import NewEvent

__all__ = ["routers"]  # the fixture

LIMITS = FloodLimits(conversations=4, window=timedelta(hours=1), messages=3, exempt=("*@relay.example",))


async def run(routers: Routers, router: MessageRouter, messages: Sequence[MessageReceived]) -> list[NewEvent]:
    batch = batch_of(messages)
    async with routers.transaction() as connection:
        events = await router.process(batch, connection)
    for confirm in batch.after_commit:
        confirm()
    return list(events)


def received(events: Sequence[NewEvent]) -> list[ReceiveMessage]:
    return [
        ReceiveMessage.model_validate_json(event.data) for event in events if event.type == ReceiveMessage.event_type
    ]


def notes(events: Sequence[NewEvent]) -> list[AddNote]:
    return [AddNote.model_validate_json(event.data) for event in events if event.type == AddNote.event_type]


def bomb(first: int, count: int, minutes: int = 0) -> list[MessageReceived]:
    return [
        mail(f"<{number}@bomb>", received_at=NOON + timedelta(minutes=minutes))
        for number in range(first, first + count)
    ]


async def test_a_mail_bomb_becomes_a_few_tickets_one_for_the_rest_and_a_count(routers: Routers) -> None:
    router = routers.new(LIMITS)
    events = [event for start in range(0, 30, 5) for event in await run(routers, router, bomb(start, 5))]
    commands = received(events)
    tickets = [command.ticket_id for command in commands]
    assert len(commands) == 7
    assert len(set(tickets[:4])) == 4
    assert len(set(tickets[4:])) == 1
    assert tickets[4] not in tickets[:4]
    assert ["flood" in command.routing.tags for command in commands] == [False] * 4 + [True] * 3
    assert [command.routing.assignee for command in commands[5:]] == [None, None]
    assert {note.ticket_id for note in notes(events)} == {tickets[4]}
    assert [note.text.split()[0] for note in notes(events)] == ["3", "8", "18"]
    [held] = await routers.rows("SELECT count(*), count(ticket_id) FROM inbound_messages WHERE outcome = 'recorded'")
    assert tuple(held) == (23, 23)


async def test_in_one_batch_it_is_the_same(routers: Routers) -> None:
    events = await run(routers, routers.new(LIMITS), bomb(0, 30))
    assert len(received(events)) == 7
    assert len({command.ticket_id for command in received(events)}) == 5
    assert [note.text.split()[0] for note in notes(events)] == ["23"]


async def test_another_router_knows_of_the_flood(routers: Routers) -> None:
    first, second = routers.new(LIMITS), routers.new(LIMITS)
    [*_, flooded] = received(await run(routers, first, bomb(0, 5)))
    commands = received(await run(routers, second, bomb(5, 4)))
    # The half that a router lets pass without asking, then the flood's ticket.
    assert [command.ticket_id == flooded.ticket_id for command in commands] == [False, False, True, True]


async def test_an_answer_in_a_conversation_of_the_flood_stays_there_and_others_have_tickets_of_their_own(
    routers: Routers,
) -> None:
    router = routers.new(LIMITS)
    [*_, flooded] = received(await run(routers, router, bomb(0, 5)))
    somebody = flooded.message.sender.model_copy(update={"value": "ben@customer.example"})
    answer, other = received(await run(routers, router, [mail("<a@x>", "<4@bomb>"), mail("<b@x>", sender=somebody)]))
    assert answer.ticket_id == flooded.ticket_id
    assert other.ticket_id != flooded.ticket_id
    assert "flood" not in other.routing.tags


async def test_a_flood_is_over_when_its_sender_was_quiet_for_a_window(routers: Routers) -> None:
    router = routers.new(LIMITS)
    [*_, flooded] = received(await run(routers, router, bomb(0, 5)))
    [going_on] = received(await run(routers, router, bomb(5, 1, minutes=50)))
    [still] = received(await run(routers, router, bomb(6, 1, minutes=100)))
    later = received(await run(routers, router, bomb(7, 4, minutes=161)))
    assert going_on.ticket_id == still.ticket_id == flooded.ticket_id
    assert len({command.ticket_id for command in later} - {flooded.ticket_id}) == 4


async def test_few_conversations_are_not_even_looked_up_and_exempt_senders_never(routers: Routers) -> None:
    router = routers.new(LIMITS)
    sender = mail("<x>").sender.model_copy(update={"value": "orders@relay.example"})
    relayed = [mail(f"<{number}@relay>", sender=sender) for number in range(20)]
    commands = received(await run(routers, router, [*bomb(0, 2), *relayed]))
    assert len({command.ticket_id for command in commands}) == 22
    assert await routers.count("sender_floods") == 0


async def test_what_was_rolled_back_was_not_counted(routers: Routers) -> None:
    router = routers.new(LIMITS)
    batch = batch_of(bomb(0, 30))
    async with routers.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await router.process(batch, connection)
        await transaction.rollback()
    assert len({command.ticket_id for command in received(await run(routers, router, bomb(30, 4)))}) == 4
