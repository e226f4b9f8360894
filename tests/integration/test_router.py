"""The router's step inside a transaction on a real database, with another router at its side."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from tests.support.incoming import Delivery, batch_of, call, mail, slack
from ticket_contracts.commands import ReceiveMessage
from ticket_contracts.messages import MessageReceived, Party
from ticket_contracts.vocabulary import Automation, IdentityKind, MessageKind, Priority
from ticket_router.domain.floods import FloodLimits
from ticket_router.metrics import RouterMetrics
from ticket_router.route_messages import MessageRouter
from ticket_router.routing_configuration import ConfigurationMissing, RoutingConfiguration
from ticket_store import configuration
from ticket_store.documents import Agent, Document, Routing, RoutingEffect, RoutingRule, Team
from ticket_store.sessions import Pool, open_pool
from ticket_stream.processing import Batch, Connection, NewEvent

WAITING_SECONDS = 10  # a deadline, not a delay: how long a test looks for a transaction that has to wait

TRIAGE = Team(name="triage", display_name="Triage", triage=True)
AGENTS = tuple(Agent(name=name, display_name=name, email=f"{name}@acme.example") for name in ("li", "bo", "mei"))
PHONES = Team(name="phones", display_name="Phones", members=("li", "bo", "mei"))
RULES = Routing(
    name="rules",
    rules=(
        RoutingRule(name="calls", when='message.channel == "phone"', set=RoutingEffect(team="phones")),
        RoutingRule(
            name="refund",
            when='message.words.mentions(["退款", "refund"])',
            set=RoutingEffect(priority=Priority.HIGH, tags=("refund",)),
        ),
    ),
)

NO_LIMIT = FloodLimits(0, timedelta(hours=1), 1)


CLOSED_TICKET = """
INSERT INTO tickets (
    ticket_id, successor_id, contact_id, number, version, brand, channel, subject, status, team, tags, opened_at,
    updated_at, state
) VALUES ($1, $2, $3, nextval('ticket_numbers'), 1, 'acme', 'email', '', 'closed', 'triage', '{}', now(), now(), '{}')
"""


class Routers:
    """Routers on one database; each has its own caches, as processes have."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.registry = CollectorRegistry()
        self._metrics = RouterMetrics(self.registry)

    def new(self, floods: FloodLimits = NO_LIMIT, *, scans: bool = False) -> MessageRouter:
        return MessageRouter(RoutingConfiguration(), self._metrics, floods, scans=scans)

    async def configure(self, *documents: Document) -> None:
        async with self.pool.acquire() as connection:
            await configuration.apply(connection, documents, "test")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection

    async def route(
        self, *deliveries: MessageReceived | Delivery, router: MessageRouter | None = None
    ) -> list[ReceiveMessage]:
        batch = batch_of(deliveries)
        async with self.transaction() as connection:
            commands = await process(router or self.new(), batch, connection)
        for confirm in batch.after_commit:
            confirm()
        return commands

    async def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.pool.acquire() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return rows

    async def count(self, table: str) -> int:
        return int((await self.rows(f"SELECT count(*) FROM {table}"))[0][0])

    async def until_somebody_waits(self) -> None:
        """Return when a session of this database waits for another's lock."""
        query = """SELECT 1 FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'"""
        async with asyncio.timeout(WAITING_SECONDS):
            while not await self.rows(query):  # noqa: ASYNC110 - only Postgres knows, and it has to be asked
                await asyncio.sleep(0.005)


async def process(router: MessageRouter, batch: Batch, connection: Connection) -> list[ReceiveMessage]:
    return [ReceiveMessage.model_validate_json(event.data) for event in await router.process(batch, connection)]


@pytest_asyncio.fixture
async def routers(database_url: str) -> AsyncIterator[Routers]:
    async with open_pool(database_url, application_name="test-router", max_size=6, index_plans=True) as pool:
        made = Routers(pool)
        await made.configure(TRIAGE, PHONES, *AGENTS, RULES)
        yield made


async def race(
    routers: Routers, first: Sequence[MessageReceived | Delivery], second: Sequence[MessageReceived | Delivery]
) -> tuple[list[ReceiveMessage], list[ReceiveMessage]]:
    """Let the second router run into what the first has written and not committed."""
    batch = batch_of(first)
    async with routers.transaction() as connection:
        commands = await process(routers.new(), batch, connection)
        waiting = asyncio.create_task(routers.route(*second))
        await routers.until_somebody_waits()
    return commands, await waiting


def tickets(commands: Iterable[ReceiveMessage]) -> set[UUID]:
    return {command.ticket_id for command in commands}


async def test_a_message_becomes_one_command_with_contact_and_routing(routers: Routers) -> None:
    [command] = await routers.route(mail("<1@x>", text="我要退款"))

    assert (command.routing.team, command.routing.priority, command.routing.tags) == (
        "triage",
        Priority.HIGH,
        ("refund",),
    )
    assert command.routing.reason
    assert command.contact_name == "Ann"
    [contact] = await routers.rows("SELECT contact_id, value FROM contact_identities")
    assert (contact["contact_id"], contact["value"]) == (command.contact_id, "ann@customer.example")


async def test_an_answer_in_the_same_batch_finds_its_question(routers: Routers) -> None:
    commands = await routers.route(mail("<1@x>"), mail("<2@x>", "<1@x>"), slack("C1", "1", "1"), slack("C1", "1", "2"))

    assert len(commands) == 4
    assert len(tickets(commands)) == 2


async def test_an_answer_that_came_first_is_found_by_its_question(routers: Routers) -> None:
    [answer] = await routers.route(mail("<2@x>", "<1@x>"))
    [question] = await routers.route(mail("<1@x>"))

    assert question.ticket_id == answer.ticket_id
    assert question.routing.assignee is None


async def test_a_repeat_is_counted_and_yields_no_command(routers: Routers) -> None:
    message = mail("<1@x>")

    assert len(await routers.route(message, Delivery(message, partition=2))) == 1
    assert await routers.route(message, Delivery(message, partition=3)) == []
    [row] = await routers.rows("SELECT deliveries, outcome FROM inbound_messages")
    assert (row["deliveries"], row["outcome"]) == (4, "routed")
    assert routers.registry.get_sample_value("firebreak_router_repeats_total", {"channel": "email"}) == 3


async def test_edits_and_deletions_are_commands_to_the_ticket_of_their_message(routers: Routers) -> None:
    [created] = await routers.route(slack("C1", "1", "1"))
    changes = await routers.route(
        slack("C1", "1", "1", kind=MessageKind.EDITED), slack("C1", "1", "1", kind=MessageKind.DELETED)
    )

    assert [command.message.kind for command in changes] == [MessageKind.EDITED, MessageKind.DELETED]
    assert tickets(changes) == {created.ticket_id}


async def test_a_bounce_of_nothing_known_is_recorded_with_the_reason_and_claims_no_thread(routers: Routers) -> None:
    bounce = mail("<9@mta>", "<unknown@x>", automation=Automation.BOUNCE)

    assert await routers.route(bounce) == []
    [row] = await routers.rows("SELECT outcome, reason, ticket_id FROM inbound_messages")
    assert (row["outcome"], row["ticket_id"]) == ("recorded", None)
    assert "bounce" in row["reason"]
    assert await routers.count("threads") == await routers.count("contacts") == 0
    assert await routers.route(bounce) == []


async def test_a_bounce_of_a_known_mail_joins_its_ticket(routers: Routers) -> None:
    [question] = await routers.route(mail("<1@x>"))
    [bounce] = await routers.route(mail("<9@mta>", "<1@x>", automation=Automation.BOUNCE))

    assert bounce.ticket_id == question.ticket_id


async def test_two_routers_that_meet_a_conversation_at_once_open_one_ticket(routers: Routers) -> None:
    first, second = await race(routers, [mail("<1@x>")], [mail("<2@x>", "<1@x>"), mail("<3@x>", "<2@x>")])

    assert len(tickets([*first, *second])) == 1
    assert [row[0] for row in await routers.rows("SELECT DISTINCT ticket_id FROM threads")] == [first[0].ticket_id]


async def test_keys_won_before_a_lost_race_lead_to_the_winners_ticket(routers: Routers) -> None:
    first, second = await race(routers, [mail("<1@x>")], [mail("<2@x>", "<new@x>", "<1@x>")])
    [later] = await routers.route(mail("<3@x>", "<new@x>"))

    assert len(tickets([*first, *second, later])) == 1


async def test_a_bounce_that_loses_the_race_to_its_own_mail_joins_it(routers: Routers) -> None:
    bounce = mail("<9@mta>", "<1@x>", automation=Automation.BOUNCE)

    first, second = await race(routers, [mail("<1@x>")], [mail("<2@x>", "<1@x>"), bounce])

    assert len(second) == 2
    assert len(tickets([*first, *second])) == 1


async def test_a_message_for_a_closed_ticket_goes_to_the_last_of_its_follow_ups(routers: Routers) -> None:
    [first] = await routers.route(mail("<1@x>"))
    chain = [first.ticket_id, *(UUID(int=number) for number in range(1, 61))]
    for ticket_id, successor in zip(chain, [*chain[1:], None], strict=True):
        await routers.rows(CLOSED_TICKET, ticket_id, successor, first.contact_id)

    [later] = await routers.route(mail("<2@x>", "<1@x>"))
    [answer] = await routers.route(mail("<3@x>", "<2@x>"))

    assert (later.ticket_id, later.previous_ticket_id) == (chain[-1], chain[-2])
    assert answer.ticket_id == chain[-1]
    assert first.previous_ticket_id is None


async def test_one_message_in_two_partitions_at_once_is_one_command(routers: Routers) -> None:
    message = mail("<1@x>")

    first, second = await race(routers, [message], [Delivery(message, partition=4)])

    assert (len(first), second) == (1, [])
    assert (await routers.rows("SELECT deliveries FROM inbound_messages"))[0]["deliveries"] == 2
    assert await routers.count("contacts") == 1


async def test_two_routers_that_meet_a_person_at_once_agree_on_one_contact(routers: Routers) -> None:
    other_case = Party(kind=IdentityKind.EMAIL, value="ANN@customer.example ", name="Ann B.")

    first, second = await race(routers, [mail("<1@x>")], [mail("<2@x>", sender=other_case)])

    assert first[0].contact_id == second[0].contact_id
    assert first[0].ticket_id != second[0].ticket_id
    assert await routers.count("contacts") == 1


async def test_the_same_address_at_another_brand_is_another_contact(routers: Routers) -> None:
    one, other = await routers.route(mail("<1@x>"), mail("<2@x>", brand="other"))

    assert one.contact_id != other.contact_id


async def test_a_batch_that_is_rolled_back_and_bisected_gives_the_same_ids(routers: Routers) -> None:
    batch = [mail("<1@x>"), mail("<2@x>", "<1@x>"), call("c-1", "a"), slack("C1", "1", "1"), mail("<3@x>", "<2@x>")]
    router = routers.new()
    async with routers.pool.acquire() as connection:
        undone = connection.transaction()
        await undone.start()
        whole = await router.process(batch_of(batch), connection)
        await undone.rollback()
        parts: list[NewEvent] = []
        for start, end in ((0, 2), (2, 3), (3, 5)):
            async with connection.transaction():
                parts += await router.process(batch_of(batch[start:end]), connection)

    assert [(event.id, event.key, event.data) for event in parts] == [
        (event.id, event.key, event.data) for event in whole
    ]


async def test_new_tickets_of_a_team_go_round_its_members_over_all_routers(routers: Routers) -> None:
    received = [
        command.routing.assignee
        for batch in (["1", "2"], ["3"], ["4", "5", "6", "7"])
        for command in await routers.route(*(call(number, leg) for number in batch for leg in ("a", "b")))
        if command.routing.assignee
    ]

    assert received == ["li", "bo", "mei", "li", "bo", "mei", "li"]


async def test_a_changed_configuration_counts_from_the_next_batch(routers: Routers) -> None:
    router = routers.new()
    [before] = await routers.route(call("c-1", "a"), router=router)
    await routers.configure(TRIAGE, RULES.model_copy(update={"rules": RULES.rules[1:]}))
    [after] = await routers.route(call("c-2", "a"), router=router)

    assert (before.routing.team, before.routing.assignee) == ("phones", "li")
    assert (after.routing.team, after.routing.assignee) == ("triage", None)


async def test_without_configuration_messages_wait_and_nothing_is_written(database_url: str) -> None:
    async with open_pool(database_url, application_name="test-router", index_plans=True) as pool:
        routers = Routers(pool)
        with pytest.raises(ConfigurationMissing, match=r"`firebreak up` or `deploy/prepare\.py` applies the first one"):
            await routers.route(mail("<1@x>"))

        assert await routers.count("inbound_messages") == 0


@pytest.mark.parametrize("seed", range(3))
async def test_routers_side_by_side_neither_double_nor_split_nor_deadlock(routers: Routers, seed: int) -> None:
    chance = random.Random(seed)
    threads = [[f"<{number}.{place}@x>" for place in range(5)] for number in range(40)]
    messages = [mail(ids[place], *reversed(ids[:place])) for ids in threads for place in range(5)]
    people = [Party(kind=IdentityKind.EMAIL, value=f"{number}@x", name="") for number in range(80)]
    messages = [each.model_copy(update={"sender": chance.choice(people)}) for each in messages]

    async def consume(partition: int) -> list[ReceiveMessage]:
        router, mine = routers.new(), chance.sample(messages, 150)
        batches = [mine[start : start + 25] for start in range(0, len(mine), 25)]
        return [
            command
            for batch in batches
            for command in await routers.route(*(Delivery(each, partition) for each in batch), router=router)
        ]

    commands = [command for part in await asyncio.gather(*map(consume, range(4))) for command in part]

    delivered = (await routers.rows("SELECT count(*), sum(deliveries) FROM inbound_messages"))[0]
    assert (len(commands), 600) == tuple(delivered)
    assert len({command.message.identity for command in commands}) == len(commands)
    ticket_of = {command.message.provider_id: command.ticket_id for command in commands}
    for ids in threads:
        assert len({ticket_of[each] for each in ids if each in ticket_of}) <= 1
    assert len(tickets(commands)) == len({each.split(".")[0] for each in ticket_of})
    assert len({command.contact_id for command in commands}) == await routers.count("contacts") <= len(people)


async def test_the_number_of_statements_does_not_grow_with_the_batch(routers: Routers) -> None:
    async def statements(batch: Batch) -> int:
        seen: list[object] = []
        async with routers.transaction() as connection:
            with connection.query_logger(seen.append):
                await router.process(batch, connection)
        return len(seen)

    router = routers.new()
    await routers.route(call("warm", "a"), router=router)
    few = await statements(batch_of([call("c-0", "a")]))
    many = await statements(batch_of([call(f"c-{number}", leg) for number in range(1, 200) for leg in "ab"]))

    assert few == many == 7
