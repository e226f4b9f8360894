"""What is read from records, and that the command written byte by byte is the one of the contract."""

from dataclasses import replace
from uuid import UUID

import pytest
from msgspec import structs

from tests.support.incoming import NOON, TRACEPARENT, Delivery, batch_of, batch_of_events, event_of, mail
from ticket_contracts.commands import Actor, ReceiveMessage, Routing, RuleTrace
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_contracts.vocabulary import ActorKind, Priority
from ticket_router.domain.classification import Classification
from ticket_router.domain.conversations import Arrival, Placement
from ticket_router.find_contacts import Contact
from ticket_router.read_deliveries import read_deliveries
from ticket_router.receive_message_command import receive_message
from ticket_stream.failures import PoisonRecord, UnknownType
from ticket_stream.processing import NewEvent, Record

MAIL = mail("<1@x>", subject='Quotes " and 中文', text="line\nline \u2028 😀")
CLASSIFICATION = Classification("billing", Priority.HIGH, ("refund",), (("rule", "team=billing"),), "")


def command_for(
    record: Record, previous: UUID | None = None, classification: Classification = CLASSIFICATION
) -> NewEvent:
    placement = Placement(Arrival.of(MAIL), UUID(int=1), opens=True, previous_ticket_id=previous)
    return receive_message(record, placement, Contact(UUID(int=2), "Anne"), classification, "li", NOON)


def test_the_command_carries_the_message_as_it_came_and_the_routing() -> None:
    command = command_for(batch_of([MAIL]).records[0])

    assert ReceiveMessage.model_validate_json(command.data) == ReceiveMessage(
        ticket_id=UUID(int=1),
        actor=Actor(kind=ActorKind.MACHINE, id="router"),
        message=MAIL,
        contact_id=UUID(int=2),
        contact_name="Ann",
        routing=Routing(
            team="billing",
            assignee="li",
            priority=Priority.HIGH,
            tags=("refund",),
            trace=(RuleTrace(rule="rule", effect="team=billing"),),
        ),
    )


def test_the_command_says_that_a_rule_calls_the_message_spam() -> None:
    record = batch_of([MAIL]).records[0]
    spam = ReceiveMessage.model_validate_json(
        command_for(record, classification=replace(CLASSIFICATION, spam=True)).data
    )

    assert spam.routing.spam
    assert not ReceiveMessage.model_validate_json(command_for(record).data).routing.spam


def test_the_command_to_a_follow_up_names_the_closed_ticket_before_it() -> None:
    command = command_for(batch_of([MAIL]).records[0], previous=UUID(int=3))

    read = ReceiveMessage.model_validate_json(command.data)
    assert (read.ticket_id, read.previous_ticket_id, read.contact_id) == (UUID(int=1), UUID(int=3), UUID(int=2))


def test_the_command_names_its_ticket_its_cause_and_its_chain() -> None:
    record = batch_of([MAIL]).records[0]
    chained = replace(record, event=structs.replace(record.event, correlationid="the first"))
    command, later = command_for(record), command_for(chained)

    assert (command.key, command.subject, command.type) == (str(UUID(int=1)),) * 2 + (ReceiveMessage.event_type,)
    assert (command.causation_id, command.correlation_id) == (record.event.id, record.event.id)
    assert (later.correlation_id, later.traceparent) == ("the first", TRACEPARENT)


def test_the_command_id_follows_from_the_message_and_not_from_its_delivery() -> None:
    first, again = (command_for(record).id for record in batch_of([MAIL, MAIL]).records)

    assert first == again
    assert UUID(first).version == 5


def test_a_message_that_leaves_no_room_for_its_routing_is_poison() -> None:
    record = batch_of([MAIL]).records[0]
    padded = record.event.data[:-1] + b" " * (MAX_EVENT_BYTES - len(record.event.data)) + b"}"

    with pytest.raises(PoisonRecord, match="bytes"):
        command_for(replace(record, event=structs.replace(record.event, data=padded)))


def test_repeats_within_a_batch_are_counted_on_the_first() -> None:
    delivered = read_deliveries(batch_of([MAIL, Delivery(MAIL, partition=3), mail("<2@x>")]).records)

    assert [(each.record.offset, each.times) for each in delivered.values()] == [(0, 2), (2, 1)]


def test_a_record_that_is_no_message_is_poison_and_its_words_are_not_quoted() -> None:
    broken = structs.replace(event_of(MAIL), data=MAIL.encode().replace(b'"kind":"created"', b'"kind":"whispered"'))

    with pytest.raises(PoisonRecord, match="kind: enum") as caught:
        read_deliveries(batch_of_events([(broken, 0)]).records)
    assert "whispered" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"null", b'{"text": "\xff"}', b"[" * 100_000])
def test_bytes_that_are_no_json_object_are_poison(data: bytes) -> None:
    with pytest.raises(PoisonRecord):
        read_deliveries(batch_of_events([(structs.replace(event_of(MAIL), data=data), 0)]).records)


@pytest.mark.parametrize(
    ("event_type", "failure"),
    [("firebreak.message.received.v2", UnknownType), ("com.example.thing", PoisonRecord)],
)
def test_a_newer_type_pauses_and_a_foreign_one_is_poison(event_type: str, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        read_deliveries(batch_of_events([(structs.replace(event_of(MAIL), type=event_type), 0)]).records)
