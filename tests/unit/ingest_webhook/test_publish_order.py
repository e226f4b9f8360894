"""A request with many messages: in order within a conversation, side by side between conversations."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from uuid_utils.compat import uuid7

from ingest_webhook.metrics import Metrics
from ingest_webhook.provider import Messages, WebhookRequest
from ingest_webhook.providers.registry import PROVIDERS
from ingest_webhook.publish_messages import MessagePublisher
from ingest_webhook.sources import Source
from tests.support.every_source import SHOP_SECRET
from ticket_contracts.messages import MessageReceived, StoredObject
from ticket_contracts.topics import Topic
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_stream.edge_publisher import KafkaAway, MakeEvent

SOURCE = Source("shop", "acme", "shop-form", PROVIDERS["standard-webhooks"]({}, [SHOP_SECRET]))
REQUEST = WebhookRequest({}, b"", b"", datetime(2026, 11, 27, 12, tzinfo=UTC))
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class SlowLog:
    """Takes messages, and acknowledges one when the test says so."""

    waiting: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    def publish_made(self, topic: Topic, make: MakeEvent) -> "asyncio.Future[None]":
        _, event = make()
        text = MessageReceived.model_validate_json(event.data).text
        self.waiting[text] = asyncio.get_running_loop().create_future()
        return self.waiting[text]

    async def acknowledge(self, text: str, failure: Exception | None = None) -> None:
        acknowledged = self.waiting.pop(text)
        if failure is None:
            acknowledged.set_result(None)
        else:
            acknowledged.set_exception(failure)
        await settled()


async def settled() -> None:
    """Let everybody go on who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def store(content: bytes, media_type: str) -> StoredObject:
    raise AssertionError("nothing here is long enough to be stored")


def said(conversation: str, text: str) -> IncomingMessage:
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.CHAT,
        provider_id=text,
        conversation=conversation,
        sender=Person(kind=IdentityKind.EXTERNAL, value=conversation),
        text=text,
    )


async def begin(log: SlowLog, *messages: IncomingMessage) -> "asyncio.Task[None]":
    metrics = Metrics(CollectorRegistry())
    publisher = MessagePublisher(log.publish_made, store, lambda: str(uuid7()), metrics, store_seconds=5)
    publication = asyncio.create_task(publisher.publish_all(SOURCE, REQUEST, Messages(messages), TRACE))
    await settled()
    return publication


async def test_a_conversation_keeps_its_order_and_others_do_not_wait_for_it() -> None:
    log = SlowLog()
    publication = await begin(log, said("li", "li 1"), said("han", "han 1"), said("li", "li 2"), said("han", "han 2"))
    assert set(log.waiting) == {"li 1", "han 1"}
    await log.acknowledge("han 1")
    assert set(log.waiting) == {"li 1", "han 2"}
    await log.acknowledge("han 2")
    await log.acknowledge("li 1")
    assert set(log.waiting) == {"li 2"}
    assert not publication.done()
    await log.acknowledge("li 2")
    await publication


async def test_a_failure_is_told_once_nothing_of_the_request_is_under_way() -> None:
    log = SlowLog()
    publication = await begin(log, said("li", "li 1"), said("han", "han 1"), said("li", "li 2"))
    await log.acknowledge("li 1", KafkaAway("no broker"))
    assert not publication.done(), "a repeat of the sender could overtake what still waits"
    assert set(log.waiting) == {"han 1"}, "what follows in a broken conversation would be out of order"
    await log.acknowledge("han 1")
    with pytest.raises(KafkaAway):
        await publication
