"""From an understood request to messages in Kafka, whether it has just come or waited in the spool."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ingest_webhook.metrics import Metrics
from ingest_webhook.provider import Messages, WebhookRequest
from ingest_webhook.providers.left_behind import with_files
from ingest_webhook.sources import Source
from ticket_contracts.envelope import Event
from ticket_contracts.messages import StoredObject
from ticket_contracts.topics import MESSAGES, Topic
from ticket_intake.compose_event import Store, compose_event, compose_message, event_key
from ticket_store.object_storage import StorageUnavailable

Publish = Callable[[Topic, str, Event], Awaitable[None]]
"""Returns when Kafka has acknowledged the event, within a bounded time; `EdgePublisher.publish`."""


@dataclass(frozen=True, slots=True)
class MessagePublisher:
    """Stateless: identity makes a repeat recognisable, the router recognises it."""

    publish: Publish
    store: Store
    new_id: Callable[[], str]
    metrics: Metrics
    store_seconds: float

    async def publish_all(self, source: Source, request: WebhookRequest, reading: Messages, traceparent: str) -> None:
        """Return when all messages are in the log.

        :raises KafkaAway: some may be there all the same; a repeat has the same identity.
        :raises StorageUnavailable: a file or a long text could not be stored.
        :raises EventTooLarge:
        """
        for said in reading.messages:  # one after another: order within a conversation is kept
            message = with_files(said) if source.fetches_files else said
            payload = await compose_message(message, source, self.new_id(), request.received_at, self._store_in_time)
            key = event_key(payload)
            await self.publish(MESSAGES, key, compose_event(payload, source, key, traceparent))
        self.metrics.of(source.name).messages.inc(len(reading.messages))

    async def _store_in_time(self, content: bytes, media_type: str) -> StoredObject:
        try:
            async with asyncio.timeout(self.store_seconds):
                return await self.store(content, media_type)
        except TimeoutError as error:
            raise StorageUnavailable(f"not stored within {self.store_seconds:g} s") from error
