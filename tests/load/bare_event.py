"""What the bare servers publish, and with which producer: the same bytes and the same promise as ours."""

from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer

from tests.load.http_load import WORDS
from ticket_contracts.envelope import Event
from ticket_contracts.messages import Conversation, MessageReceived, Party
from ticket_contracts.vocabulary import Channel, IdentityKind

_ID = UUID("0190a5b0-0000-7000-8000-000000000000")


def bare_producer(kafka: str) -> AIOKafkaProducer:
    """Acknowledged by all replicas and idempotent, like our edge; a mail of the corpus must fit."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka,
        acks="all",
        enable_idempotence=True,
        max_batch_size=256 * 1024,
        max_request_size=512 * 1024,
    )


def sample_event(text: str = WORDS.format(number=10000)) -> tuple[bytes, Event]:
    """Return key and event as ingest-webhook makes them of one request of the load."""
    now = datetime.now(UTC)
    key = "aurora|shop|msg_0123456789ab_10000"
    message = MessageReceived(
        message_id=_ID,
        identity="0" * 64,
        channel=Channel.WEB,
        source="shop",
        brand="aurora",
        account="shop",
        provider_id="msg_0123456789ab_10000",
        conversation=Conversation(key="msg_0123456789ab_10000"),
        sender=Party(kind=IdentityKind.EMAIL, value="customer1000@example.com", name="Customer 1000"),
        subject="E18 on order 10000",
        text=text,
        received_at=now,
    )
    event = Event(
        id=str(_ID),
        source="/firebreak/ingest-webhook/shop",
        type=MessageReceived.event_type,
        time=now,
        data=message.encode(),
        subject=str(_ID),
        partitionkey=key,
        traceparent=f"00-{'0' * 31}1-{'0' * 15}1-01",
        correlationid=str(_ID),
    )
    return key.encode(), event
