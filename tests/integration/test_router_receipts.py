"""Receipts from the log to what the API shows of an answer, in any order, as often as they come."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import event

from crm_api.delivery_states import read_deliveries
from crm_api.responses import DeliveryView
from tests.integration.crm_api_around import add_ticket
from tests.integration.test_router import Routers, race, routers
from tests.support.incoming import NOON, batch_of, message, slack
from tests.support.incoming import Delivery as Arrived
from tests.unit.sla_engine.case import AGENT
from ticket_contracts.messages import Conversation, Delivery, MessageReceived, Party
from ticket_contracts.tickets import MessageEntry
from ticket_contracts.vocabulary import Automation, Channel, DeliveryState, IdentityKind, MessageKind
from ticket_store.sessions import open_engine
from ticket_stream.failure_classes import FailureClass, classify

__all__ = ["routers"]  # the fixture

DELIVERED, READ, FAILED = DeliveryState
ANSWER = "wamid.9"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def receipt(state: DeliveryState, seconds: float, provider_id: str = ANSWER, **changes: Any) -> MessageReceived:
    """A receipt as the edge publishes it; `up_to` in seconds after noon, `conversation` as its key."""
    up_to, key = changes.pop("up_to", None), changes.pop("conversation", "C1:1")
    told = Delivery(state=state, reason=changes.pop("reason", ""), up_to=None if up_to is None else at(up_to))
    defaults: dict[str, Any] = {
        "kind": MessageKind.STATUS,
        "channel": Channel.CHAT,
        "source": "slack",
        "account": "T1",
        "automation": Automation.GENERATED,
        "sender": Party(kind=IdentityKind.SLACK, value="T1:U1", name="Ben"),
        "revision": state if provider_id else f"{state}/{key}/{up_to}",
        "sent_at": at(seconds),
        "received_at": at(3600),
        "delivery": told,
    }
    return message(provider_id, Conversation(key=key), **(defaults | changes))


def view(state: DeliveryState, **seconds: float) -> DeliveryView:
    times = {f"{each}_at": at(seconds[each]) if each in seconds else None for each in DeliveryState}
    return DeliveryView(state=state, reason="", **times)


class Reader:
    """Reads as the API does, for answers of one ticket."""

    def __init__(self, url: str, ticket_id: UUID) -> None:
        self._url, self._ticket_id = url, ticket_id
        self.statements = 0

    async def deliveries(self, *provider_ids: str) -> dict[str, DeliveryView]:
        entries = [
            MessageEntry(message_id=uuid4(), author=AGENT, public=True, provider_id=each, at=NOON, received_at=NOON)
            for each in provider_ids
        ]
        async with open_engine(self._url, application_name="test") as engine, engine.connect() as connection:
            event.listen(engine.sync_engine, "before_cursor_execute", self._count)
            return dict(await read_deliveries(connection, self._ticket_id, entries))

    async def answer(self) -> DeliveryView | None:
        return (await self.deliveries(ANSWER)).get(ANSWER)

    def _count(self, *_: object) -> None:
        self.statements += 1


@pytest_asyncio.fixture
async def reader(database_url: str, routers: Routers) -> Reader:
    return Reader(database_url, await add_ticket(database_url))


Told = tuple[DeliveryState, float, bool, float | None]
"""A state, when it came about, whether it names the answer, and the time until which it holds for all."""

ARRIVED_AND_READ: list[Told] = [(DELIVERED, 2, True, None), (READ, 9, True, None), (DELIVERED, 2, True, None)]
READ_BY_TIME: list[Told] = [(DELIVERED, 2.5, True, 2), (READ, 9, False, 8), (READ, 20, False, 19)]


@pytest.mark.parametrize(
    ("told", "delivered"),
    [pytest.param(ARRIVED_AND_READ, 2, id="by id"), pytest.param(READ_BY_TIME, 2.5, id="by time")],
)
async def test_an_answer_that_was_read_is_read_in_whatever_order_and_batches_that_is_told(
    routers: Routers, reader: Reader, told: list[Told], delivered: float
) -> None:
    names = []
    for number, order in enumerate(permutations(told)):
        for together in (True, False):
            name = f"{number} {together}"
            names.append(name)
            receipts = [
                receipt(state, seconds, name if named else "", conversation=name, up_to=up_to)
                for state, seconds, named, up_to in order
            ]
            for batch in [receipts] if together else [[each] for each in receipts]:
                assert await routers.route(*batch) == []
    assert len(names) == 12
    assert await reader.deliveries(*names) == dict.fromkeys(names, view(READ, delivered=delivered, read=9))


async def test_what_arrived_or_was_read_is_recorded_and_makes_nobody_known(routers: Routers) -> None:
    await routers.route(slack("C1", "1", "1"))
    before = [await routers.count(table) for table in ("threads", "contacts")]
    someone = Party(kind=IdentityKind.SLACK, value="T1:U2")
    assert await routers.route(receipt(DELIVERED, 2, sender=someone), receipt(READ, 3, "", up_to=2)) == []
    assert [await routers.count(table) for table in ("threads", "contacts")] == before
    rows = await routers.rows("SELECT reason, ticket_id FROM inbound_messages WHERE outcome = 'recorded'")
    assert [tuple(row) for row in rows] == [
        ("status: that something arrived or was read is kept for the message and changes no ticket", None)
    ] * 2
    counted = {"channel": "chat", "automation": "auto-generated"}
    assert routers.registry.get_sample_value("firebreak_router_messages_recorded_total", counted) == 2


async def test_a_time_counts_only_for_what_was_sent_by_then_to_the_same_person_and_did_not_fail(
    routers: Routers, reader: Reader
) -> None:
    await routers.route(
        receipt(READ, 9, "", up_to=8),
        receipt(DELIVERED, 7, "before"),
        receipt(DELIVERED, 8.5, "after"),
        receipt(DELIVERED, 7, "to another", conversation="C1:2"),
        receipt(FAILED, 7, "failed"),
        receipt(READ, 5, "read earlier"),
    )
    found = await reader.deliveries("before", "after", "to another", "failed", "read earlier")
    assert found["before"] == view(READ, delivered=7, read=9)
    assert found["after"] == view(DELIVERED, delivered=8.5)
    assert found["to another"] == view(DELIVERED, delivered=7)
    assert found["failed"] == view(FAILED, failed=7)
    assert found["read earlier"] == view(READ, read=5)
    assert reader.statements == 1
    assert await reader.deliveries("") == {}
    assert reader.statements == 1


async def test_what_was_tried_again_and_arrived_has_not_failed(routers: Routers, reader: Reader) -> None:
    await routers.route(receipt(FAILED, 2, reason="131026: Undeliverable"))
    assert await reader.answer() == view(FAILED, failed=2).model_copy(update={"reason": "131026: Undeliverable"})
    await routers.route(receipt(DELIVERED, 5))
    now = await reader.answer()
    assert now == view(DELIVERED, delivered=5, failed=2).model_copy(update={"reason": "131026: Undeliverable"})


async def test_a_failure_goes_to_the_ticket_of_its_conversation_once(routers: Routers, reader: Reader) -> None:
    [question] = await routers.route(slack("C1", "1", "1"))
    told = receipt(FAILED, 5, reason="131047: More than 24 hours")
    [command] = await routers.route(told)
    assert (command.ticket_id, command.contact_id) == (question.ticket_id, question.contact_id)
    assert command.message.delivery == told.delivery
    assert await routers.route(told) == []
    assert await routers.count("contacts") == await routers.count("threads") == 1


async def test_a_failure_of_a_conversation_without_a_ticket_is_kept_and_opens_none(
    routers: Routers, reader: Reader
) -> None:
    assert await routers.route(receipt(FAILED, 5)) == []
    assert await reader.answer() == view(FAILED, failed=5)
    [row] = await routers.rows("SELECT outcome, reason, ticket_id FROM inbound_messages")
    assert tuple(row) == ("recorded", "auto-generated, status: no ticket of its conversation is known", None)
    assert await routers.count("contacts") == await routers.count("threads") == 0
    [question] = await routers.route(slack("C1", "1", "1"))
    assert question.routing.team == "triage"


async def test_a_message_with_the_id_of_a_receipt_is_no_repeat_of_it(routers: Routers, reader: Reader) -> None:
    await routers.route(receipt(DELIVERED, 2, "C1:1"))
    [command] = await routers.route(slack("C1", "1", "1"), receipt(READ, 3, "C1:1"))
    assert (command.message.kind, command.message.provider_id) == (MessageKind.CREATED, "C1:1")
    assert (await reader.deliveries("C1:1"))["C1:1"] == view(READ, delivered=2, read=3)


async def test_a_batch_that_was_rolled_back_is_done_again(routers: Routers, reader: Reader) -> None:
    told = [receipt(DELIVERED, 2, up_to=2), receipt(READ, 9, "", up_to=8), receipt(DELIVERED, 2, up_to=2)]
    async with routers.pool.acquire() as connection:
        undone = connection.transaction()
        await undone.start()
        await routers.new().process(batch_of(told), connection)
        await undone.rollback()
    assert await reader.answer() is None
    for _ in range(2):
        await routers.route(*told)
    assert await reader.answer() == view(READ, delivered=2, read=9)
    assert await routers.count("delivery_receipts") == 1
    assert await routers.count("delivery_watermarks") == 2


async def test_routers_that_tell_of_the_same_answers_at_once_wait_for_each_other_and_agree(
    routers: Routers, reader: Reader
) -> None:
    names = [f"wamid.{number}" for number in range(20)]
    delivered = [receipt(DELIVERED, 2, name, up_to=2) for name in names]
    was_read = [Arrived(receipt(READ, 9, name, up_to=8), partition=1) for name in reversed(names)]
    assert await race(routers, delivered, was_read) == ([], [])
    assert await reader.deliveries(*names) == dict.fromkeys(names, view(READ, delivered=2, read=9))


HOSTILE = ("'; DROP TABLE tickets; --", "😀" * 1000, "\\x00", "%", " ")


async def test_ids_and_reasons_of_any_kind_are_kept_as_they_are(routers: Routers, reader: Reader) -> None:
    reason = "字" * 1000
    await routers.route(*[receipt(FAILED, 2, each, reason=reason) for each in HOSTILE])
    failed = view(FAILED, failed=2).model_copy(update={"reason": reason})
    assert await reader.deliveries(*HOSTILE, "another") == dict.fromkeys(HOSTILE, failed)


async def test_nothing_is_claimed_of_an_id_that_two_accounts_of_a_brand_gave_and_nothing_of_another_brand(
    routers: Routers, reader: Reader
) -> None:
    await routers.route(receipt(READ, 2), receipt(READ, 2, "elsewhere", brand="other"))
    assert await reader.answer() is not None
    assert await reader.deliveries("elsewhere") == {}
    await routers.route(receipt(READ, 2, account="T2"))
    assert await reader.answer() is None


async def test_a_time_that_no_clock_of_ours_has_seen_yet_is_the_time_of_receipt(
    routers: Routers, reader: Reader
) -> None:
    await routers.route(receipt(DELIVERED, 5000), receipt(READ, 0, sent_at=None))
    assert await reader.answer() == view(READ, delivered=3600, read=3600)


@pytest.mark.parametrize(("up_to", "covered"), [(3600 + 299, 3700), (3600 + 10**9, 3600)])
async def test_a_time_may_be_as_far_ahead_as_clocks_are_apart_and_holds_for_nothing_that_is_yet_to_be_written(
    routers: Routers, reader: Reader, up_to: float, covered: float
) -> None:
    def heard(seconds: float, name: str) -> MessageReceived:
        return receipt(DELIVERED, seconds, name, received_at=at(seconds))

    await routers.route(receipt(READ, 9, "", up_to=up_to), heard(covered, "covered"), heard(4000, "later"))
    found = await reader.deliveries("covered", "later")
    assert found == {"covered": view(READ, delivered=covered, read=9), "later": view(DELIVERED, delivered=4000)}


PAST_ALL = datetime.max.replace(tzinfo=timezone(timedelta(hours=-14)))  # no UTC has it
NUL = "a\0b"


@pytest.mark.parametrize(
    "told",
    [
        receipt(FAILED, 2, NUL),
        receipt(FAILED, 2, reason=NUL),
        receipt(READ, 2, delivery=Delivery(state=READ, up_to=PAST_ALL)),
    ],
)
async def test_a_receipt_that_no_table_holds_is_taken_out_of_its_batch(
    routers: Routers, reader: Reader, told: MessageReceived
) -> None:
    with pytest.raises(asyncpg.DataError) as refused:
        await routers.route(receipt(DELIVERED, 2, "other"), told)
    assert classify(refused.value) is FailureClass.BISECT
    assert await reader.deliveries("other") == {}


async def test_the_number_of_statements_does_not_grow_with_the_receipts(routers: Routers) -> None:
    async def statements(told: Sequence[MessageReceived]) -> int:
        seen: list[object] = []
        async with routers.transaction() as connection:
            with connection.query_logger(seen.append):
                await router.process(batch_of(told), connection)
        return len(seen)

    router = routers.new()
    await routers.route(slack("C1", "1", "1"), router=router)
    few = await statements([receipt(READ, 2, "m", up_to=2)])
    many = await statements([receipt(READ, 2, f"m{number}", up_to=number) for number in range(200)])
    assert few == many == 5
    assert await statements([slack("C1", "1", "2")]) == 5
