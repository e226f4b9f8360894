"""The use case: a request of a known source becomes messages in Kafka or waits in the spool; then comes the answer."""

import asyncio
from dataclasses import dataclass

import structlog

from ingest_webhook.limit_rates import SourceRates
from ingest_webhook.patience import Patience
from ingest_webhook.provider import Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.publish_messages import MessagePublisher
from ingest_webhook.rejections import IgnoreReason, Outcome, Rejected, bad_signature, stale, unavailable
from ingest_webhook.sources import Source
from ingest_webhook.spool import Spool, SpoolFull
from ingest_webhook.spooled_request import SpooledRequest
from ticket_intake.signatures import SignatureInvalid, SignatureStale
from ticket_store.object_storage import StorageUnavailable
from ticket_stream.edge_publisher import EventTooLarge, KafkaAway

_UNDELIVERED = (KafkaAway, SpoolFull, EventTooLarge, StorageUnavailable, TimeoutError)

log = structlog.get_logger("webhook")


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """`patience` is how long Kafka may take before a request of a spooled source is kept instead."""

    publisher: MessagePublisher
    spool: Spool
    rates: SourceRates
    patience: Patience

    async def receive(self, source: Source, request: WebhookRequest, traceparent: str) -> Reading:
        """Verify, understand, publish. A returned `Messages` means that all of them are in the log or the spool.

        :raises Rejected:
        """
        _verify(source, request)
        self.rates.check(source)
        reading = source.provider.read(request)
        if isinstance(reading, Messages):
            try:
                await self._deliver(source, request, reading, traceparent)
            except _UNDELIVERED as error:
                raise _refusal(error) from error
        elif isinstance(reading, Ignored) and reading.reason is IgnoreReason.RATE_LIMITED:
            log.warning("the provider holds messages back because of its rate limit", source=source.name)
        return reading

    async def _deliver(self, source: Source, request: WebhookRequest, reading: Messages, traceparent: str) -> None:
        """Publish; keep instead what a sender will not bring again, when Kafka does not answer soon enough."""
        if not source.spooled:
            await self.publisher.publish_all(source, request, reading, traceparent)
            return
        if not self.spool.holds(source.name):
            try:
                await self.publisher.publish_all(source, request, reading, traceparent, self.patience)
            except KafkaAway:
                pass  # the spool is for this
            else:
                return
        await self._keep(SpooledRequest(source.name, request, traceparent))

    async def _keep(self, spooled: SpooledRequest) -> None:
        async with asyncio.timeout(self.publisher.store_seconds):
            await self.spool.keep(spooled)
        self.publisher.metrics.of(spooled.source).spooled.inc()


def _refusal(error: Exception) -> Rejected:
    match error:
        case KafkaAway():
            # It may be in the log all the same; the repeat that this answer asks for has the same identity.
            return unavailable(Outcome.KAFKA_AWAY, "The message log did not answer in time.")
        case SpoolFull():
            return unavailable(Outcome.KAFKA_AWAY, "The message log is away, and no more requests can wait.")
        case EventTooLarge():
            return Rejected(Outcome.TOO_LARGE, 413, "Message too large", "The message does not fit an event.")
    return unavailable(Outcome.STORAGE_AWAY, "The storage of files and long texts is away.")


def _verify(source: Source, request: WebhookRequest) -> None:
    try:
        source.provider.verify(request)
    except SignatureInvalid as error:
        raise bad_signature(source.provider.challenge) from error
    except SignatureStale as error:
        raise stale() from error
