"""The app without Kafka and storage: what it would publish and store is collected."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from uuid import UUID

import httpx
from prometheus_client import CollectorRegistry
from uuid_utils.compat import uuid7

from ingest_webhook.asgi_app import Limits, WebhookApp
from ingest_webhook.drain_spool import SpoolDrain
from ingest_webhook.limit_rates import SourceRates
from ingest_webhook.metrics import Metrics
from ingest_webhook.patience import Patience
from ingest_webhook.publish_messages import MessagePublisher
from ingest_webhook.receive_webhook import WebhookReceiver
from ingest_webhook.source_table import SourceTable
from ingest_webhook.spool import Spool
from tests.support.partners.freeswitch import FreeswitchSender
from tests.support.partners.slack import SlackSender
from tests.support.partners.standard_webhooks import StandardWebhooksSender, whsec
from ticket_contracts.envelope import Event
from ticket_contracts.messages import MessageReceived, StoredObject
from ticket_contracts.topics import Topic
from ticket_store.object_storage import ObjectStorage
from ticket_stream.edge_publisher import MakeEvent

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SHOP_SECRET, SLACK_SECRET, SWITCH_SECRET = (
    whsec(b"the-secret-of-the-shop's-form-24"),
    "8f742231b10e8888abcd99edabcd85a5",
    "switch:s3cret",
)

SOURCES = f"""
sources:
  - name: shop
    provider: standard-webhooks
    brand: acme
    account: web-shop
    secrets: [value: "{SHOP_SECRET}", env:NEXT_SHOP_SECRET]
  - name: slack
    provider: slack
    brand: acme
    account: T0WORKSPACE
    secrets: [value: "{SLACK_SECRET}", env:NEXT_SLACK_SECRET]
  - name: switch
    provider: freeswitch
    brand: acme
    account: main-number
    secrets: [value: "{SWITCH_SECRET}", env:NEXT_SWITCH_SECRET]
"""
ENVIRONMENT = {
    "NEXT_SHOP_SECRET": StandardWebhooksSender.next_secret,
    "NEXT_SLACK_SECRET": SlackSender.next_secret,
    "NEXT_SWITCH_SECRET": FreeswitchSender.next_credentials,
}


def now_seconds() -> float:
    return NOW.timestamp()


def shop_sender() -> StandardWebhooksSender:
    return StandardWebhooksSender(SHOP_SECRET, now_seconds)


def slack_sender() -> SlackSender:
    return SlackSender(SLACK_SECRET, now_seconds)


def switch_sender() -> FreeswitchSender:
    return FreeswitchSender(SWITCH_SECRET, now_seconds, uuid7)


@dataclass
class Edge:
    """The app's surroundings. Failures are raised by what follows; a `stuck` Kafka takes messages and never says so."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    published: list[tuple[str, Event]] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    publish_failure: Exception | None = None
    store_failure: Exception | None = None
    spool_room: int = 100
    stuck: bool = False
    life: int = 1
    seconds: float = 0
    """The steady clock by which rates are counted."""
    spool_after_seconds: float = 5
    storage: ObjectStorage = field(default_factory=lambda: ObjectStorage.open("memory:///"))
    drain: SpoolDrain = field(init=False)
    """What empties the spool of the app that was made last."""

    @property
    def messages(self) -> list[MessageReceived]:
        """What was published, read as a subscriber reads it."""
        return [MessageReceived.model_validate_json(event.data) for _, event in self.published]

    def counted(self, source: str, outcome: str) -> float:
        value = self.registry.get_sample_value(
            "firebreak_webhook_requests_total", {"source": source, "outcome": outcome}
        )
        return value or 0.0

    def publish_made(self, topic: Topic, make: MakeEvent) -> "asyncio.Future[None]":
        assert topic.name == "support.messages.v1"
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.publish_failure is not None:
            acknowledged.set_exception(self.publish_failure)
        elif not self.stuck:
            try:
                self.published.append(make())
                acknowledged.set_result(None)
            except Exception as error:  # noqa: BLE001 - as `EdgePublisher` tells who waits for this event
                acknowledged.set_exception(error)
        return acknowledged

    async def store(self, content: bytes, media_type: str) -> StoredObject:
        if self.store_failure is not None:
            raise self.store_failure
        key = f"sha256/{sha256(content).hexdigest()}"
        self.stored[key] = content
        return StoredObject(key=key, size=len(content), media_type=media_type)

    def restarted(self) -> "Edge":
        """The surroundings of another process with the same storage and log."""
        return Edge(published=self.published, storage=self.storage, life=self.life + 1)

    def open_spool(self) -> Spool:
        shelf, aside = self.storage.shelf("spool"), self.storage.shelf("spool-set-aside")
        return Spool(shelf, aside, f"life{self.life}", self.spool_room, lambda: NOW)

    def app(self, folder: Path, limits: Limits | None = None, sources: str = SOURCES) -> WebhookApp:
        file = folder / "sources.yaml"
        file.write_text(sources)
        metrics = Metrics(self.registry)
        publisher = MessagePublisher(self.publish_made, self.store, _numbered_ids(), metrics, store_seconds=5)
        spool = self.open_spool()
        spool.measure(metrics.spool)
        receiver = WebhookReceiver(
            publisher, spool, SourceRates(lambda: self.seconds), Patience(self.spool_after_seconds)
        )
        limits = limits or Limits(body_bytes=1024 * 1024, body_seconds=5, in_flight=100)
        table = SourceTable(file, ENVIRONMENT, metrics)
        self.drain = SpoolDrain(spool, table, publisher, lambda: True, metrics.spool, 0)
        return WebhookApp(table, receiver, metrics, limits, lambda: NOW, now_seconds)


def _numbered_ids() -> Callable[[], str]:
    """Ids 1, 2, 3 …, so that a test can name them."""
    numbers = count(1)
    return lambda: str(UUID(int=next(numbers)))


@asynccontextmanager
async def client_of(app: WebhookApp) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
        yield client
