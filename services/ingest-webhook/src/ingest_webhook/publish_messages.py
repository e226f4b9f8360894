"""From an understood request to messages in Kafka, whether it has just come or waited in the spool."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ingest_webhook.metrics import Metrics
from ingest_webhook.patience import Patience
from ingest_webhook.provider import Messages, WebhookRequest
from ingest_webhook.providers.left_behind import with_files
from ingest_webhook.sources import Source
from ticket_contracts.envelope import Event
from ticket_contracts.messages import StoredObject
from ticket_contracts.topics import MESSAGES, Topic
from ticket_intake.compose_event import Store, StoredParts, compose_event, compose_message, event_key, store_parts
from ticket_intake.incoming import IncomingMessage
from ticket_store.object_storage import StorageUnavailable
from ticket_stream.edge_publisher import MakeEvent

PublishMade = Callable[[Topic, MakeEvent], "asyncio.Future[None]"]
"""Returns what is done when Kafka has acknowledged the event, within a bounded time; `EdgePublisher.publish_made`."""


@dataclass(frozen=True, slots=True)
class MessagePublisher:
    """Stateless: identity makes a repeat recognisable, the router recognises it."""

    publish_made: PublishMade
    store: Store
    new_id: Callable[[], str]
    metrics: Metrics
    store_seconds: float

    async def publish_all(
        self,
        source: Source,
        request: WebhookRequest,
        reading: Messages,
        traceparent: str,
        patience: Patience | None = None,
    ) -> None:
        """Return when all messages are in the log: those of one conversation in order, conversations side by side.

        :param patience: for less time than Kafka is given otherwise; for each message.
        :raises KafkaAway: some may be there all the same; a repeat has the same identity.
        :raises StorageUnavailable: a file or a long text could not be stored.
        :raises EventTooLarge:
        """
        publish = partial(self._publish_in_order, source, request, traceparent, patience)
        if len(reading.messages) == 1:  # a task of its own would cost a tenth of the request
            await publish(reading.messages)
        else:
            await _side_by_side(publish, reading.messages)
        self.metrics.of(source.name).messages.inc(len(reading.messages))

    async def _publish_in_order(
        self,
        source: Source,
        request: WebhookRequest,
        traceparent: str,
        patience: Patience | None,
        conversation: Sequence[IncomingMessage],
    ) -> None:
        for said in conversation:
            message = with_files(said) if source.fetches_files else said
            parts = await store_parts(message, self._store_in_time)
            make = partial(self._make, source, message, request.received_at, traceparent, parts)
            acknowledged = self.publish_made(MESSAGES, make)
            if patience is not None:
                patience.limit(acknowledged)
            await acknowledged

    # Called in a flight with many others, after the request that asked: nothing here may wait or log.
    def _make(
        self, source: Source, message: IncomingMessage, received_at: datetime, traceparent: str, parts: StoredParts
    ) -> tuple[str, Event]:
        payload = compose_message(message, source, self.new_id(), received_at, parts)
        key = event_key(payload)
        return key, compose_event(payload, source, key, traceparent)

    async def _store_in_time(self, content: bytes, media_type: str) -> StoredObject:
        try:
            async with asyncio.timeout(self.store_seconds):
                return await self.store(content, media_type)
        except TimeoutError as error:
            raise StorageUnavailable(f"not stored within {self.store_seconds:g} s") from error


async def _side_by_side(
    publish: Callable[[Sequence[IncomingMessage]], Awaitable[None]], messages: Sequence[IncomingMessage]
) -> None:
    """Publish each conversation. All are waited for, failed or not: a repeat must not overtake what is under way."""
    conversations: dict[str, list[IncomingMessage]] = {}
    for message in messages:
        conversations.setdefault(message.conversation, []).append(message)
    ended = await asyncio.gather(*map(publish, conversations.values()), return_exceptions=True)
    for failure in filter(None, ended):
        raise failure
