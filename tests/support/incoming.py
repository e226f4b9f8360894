"""Messages as the ingestors publish them, and batches of them as the stream runtime hands them over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ticket_contracts.envelope import Event
from ticket_contracts.messages import CallRecord, Conversation, MessageReceived, Party
from ticket_contracts.topics import MESSAGES
from ticket_contracts.vocabulary import Automation, Channel, IdentityKind, MessageKind
from ticket_stream.processing import Batch, Partition, Record

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def message(provider_id: str, conversation: Conversation, **changes: Any) -> MessageReceived:
    """One message; its identity follows from account, provider id, kind and `revision`, as the edge makes it."""
    revision = changes.pop("revision", "")
    fields: dict[str, Any] = {
        "channel": Channel.EMAIL,
        "source": "mail",
        "brand": "acme",
        "account": "support@acme.example",
        "kind": MessageKind.CREATED,
        "automation": Automation.HUMAN,
        "sender": Party(kind=IdentityKind.EMAIL, value="ann@customer.example", name="Ann"),
        "received_at": NOON,
        **changes,
    }
    named = "\n".join((fields["account"], provider_id, fields["kind"], revision))
    return MessageReceived(
        message_id=uuid5(NAMESPACE_URL, named),
        identity=sha256(named.encode()).hexdigest(),
        provider_id=provider_id,
        conversation=conversation,
        **fields,
    )


def mail(message_id: str, *refers_to: str, **changes: Any) -> MessageReceived:
    """An e-mail; `refers_to` is In-Reply-To and then References, the nearest first."""
    return message(message_id, Conversation(key=message_id, refers_to=refers_to), **changes)


def slack(channel: str, thread: str, ts: str, **changes: Any) -> MessageReceived:
    """A Slack message in a thread."""
    person = Party(kind=IdentityKind.SLACK, value="T1:U1", name="Ben")
    defaults: dict[str, Any] = {"channel": Channel.CHAT, "source": "slack", "account": "T1", "sender": person}
    return message(f"{channel}:{ts}", Conversation(key=f"{channel}:{thread}"), **(defaults | changes))


def call(call_id: str, leg: str, **changes: Any) -> MessageReceived:
    """One leg of a telephone call."""
    record = CallRecord(
        call_id=call_id,
        direction="inbound",
        answered=False,
        caller="+861012345678",
        callee="+864001",
        started_at=NOON - timedelta(minutes=1),
        seconds=0,
    )
    caller = Party(kind=IdentityKind.PHONE, value="+861012345678")
    defaults: dict[str, Any] = {
        "channel": Channel.PHONE,
        "source": "pbx",
        "account": "pbx",
        "sender": caller,
        "call": record,
    }
    return message(f"{call_id}/{leg}", Conversation(key=call_id), **(defaults | changes))


@dataclass(frozen=True)
class Delivery:
    """A message on its way: the same one may be delivered by several partitions."""

    message: MessageReceived
    partition: int = 0


def event_of(received: MessageReceived, delivery: int = 0) -> Event:
    """The event of one delivery; each delivery is an event of its own."""
    return Event(
        id=f"{received.message_id}-{delivery}",
        source="/firebreak/1/test",
        type=MessageReceived.event_type,
        time=received.received_at,
        data=received.encode(),
        traceparent=TRACEPARENT,
    )


def batch_of(deliveries: Iterable[MessageReceived | Delivery], first_offset: int = 0) -> Batch:
    """One transaction's worth of deliveries."""
    wrapped = [each if isinstance(each, Delivery) else Delivery(each) for each in deliveries]
    return batch_of_events(
        [(event_of(each.message, number), each.partition) for number, each in enumerate(wrapped)], first_offset
    )


def batch_of_events(events: Sequence[tuple[Event, int]], first_offset: int = 0) -> Batch:
    """One transaction's worth of events, each with the number of its partition."""
    records = [
        Record(Partition(MESSAGES.name, partition), offset, NOON, "conversation", event)
        for offset, (event, partition) in enumerate(events, first_offset)
    ]
    return Batch(records=records, timers=(), now=NOON)
