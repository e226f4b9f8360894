"""The use case: a request of a known source becomes messages in Kafka, and only then an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from ingest_webhook.metrics import Metrics
from ingest_webhook.provider import Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.rejections import IgnoreReason, Outcome, Rejected, bad_signature, stale, unavailable
from ingest_webhook.sources import Source
from ticket_contracts.envelope import Event
from ticket_contracts.messages import StoredObject
from ticket_contracts.topics import MESSAGES, Topic
from ticket_intake.compose_event import Store, compose_event, compose_message, event_key
from ticket_intake.signatures import SignatureInvalid, SignatureStale
from ticket_store.object_storage import StorageUnavailable
from ticket_stream.edge_publisher import EventTooLarge, KafkaAway

Publish = Callable[[Topic, str, Event], Awaitable[None]]
"""Returns when Kafka has acknowledged the event, within a bounded time; `EdgePublisher.publish`."""

log = structlog.get_logger("webhook")


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """Stateless: identity makes a repeat recognisable, the router recognises it."""

    publish: Publish
    store: Store
    new_id: Callable[[], str]
    metrics: Metrics
    store_seconds: float

    async def receive(self, source: Source, request: WebhookRequest, traceparent: str) -> Reading:
        """Verify, understand, publish. A returned `Messages` means that all of them are in the log.

        :raises Rejected:
        """
        _verify(source, request)
        reading = source.provider.read(request)
        if isinstance(reading, Messages):
            await self._publish_all(source, request, reading, traceparent)
        elif isinstance(reading, Ignored) and reading.reason is IgnoreReason.RATE_LIMITED:
            log.warning("the provider holds messages back because of its rate limit", source=source.name)
        return reading

    async def _publish_all(self, source: Source, request: WebhookRequest, reading: Messages, traceparent: str) -> None:
        try:
            for message in reading.messages:  # one after another: order within a conversation is kept
                payload = await compose_message(
                    message, source, self.new_id(), request.received_at, self._store_in_time
                )
                key = event_key(payload)
                await self.publish(MESSAGES, key, compose_event(payload, source, key, traceparent))
        except KafkaAway as error:
            # It may be in the log all the same; the repeat that this answer asks for has the same identity.
            raise unavailable(Outcome.KAFKA_AWAY, "The message log did not answer in time.") from error
        except (StorageUnavailable, TimeoutError) as error:
            raise unavailable(Outcome.STORAGE_AWAY, "The storage of files and long texts is away.") from error
        except EventTooLarge as error:
            raise Rejected(Outcome.TOO_LARGE, 413, "Message too large", "The message does not fit an event.") from error
        self.metrics.of(source.name).messages.inc(len(reading.messages))

    async def _store_in_time(self, content: bytes, media_type: str) -> StoredObject:
        async with asyncio.timeout(self.store_seconds):
            return await self.store(content, media_type)


def _verify(source: Source, request: WebhookRequest) -> None:
    try:
        source.provider.verify(request)
    except SignatureInvalid as error:
        raise bad_signature(source.provider.challenge) from error
    except SignatureStale as error:
        raise stale() from error
