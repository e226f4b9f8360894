"""Takes responsibility for one mail: stored, read and acknowledged by Kafka before the sender hears 250."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import structlog

from ingest_email.compose_message import RAW_MEDIA_TYPE, compose_unread
from ingest_email.delivery import Delivery, EncodedMessage, Mailbox
from ingest_email.metrics import MailMetrics
from ingest_email.reading_pool import ReadingPool, ReadResult, Unreadable
from service_kit.tracing import TraceContext, new_trace
from ticket_contracts.envelope import Event
from ticket_contracts.messages import MessageReceived
from ticket_contracts.topics import MESSAGES
from ticket_store.object_storage import ObjectStorage
from ticket_stream.edge_publisher import EdgePublisher

SOURCE = "/firebreak/ingest-email"

log = structlog.get_logger("accept_mail")


class AcceptMail:
    """The use case; safe to call at once for many mails."""

    def __init__(
        self,
        storage: ObjectStorage,
        pool: ReadingPool,
        publisher: EdgePublisher,
        metrics: MailMetrics,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._storage = storage
        self._pool = pool
        self._publisher = publisher
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id

    async def accept(self, raw: bytes, envelope_sender: str, mailboxes: Sequence[Mailbox]) -> None:
        """Return when every mailbox's event is in the log and all it refers to is stored.

        A mail that nothing can read is accepted like any other, with its original and a note.

        :raises StorageUnavailable: nothing was promised; the sender has to try again.
        :raises KafkaAway: the same.
        """
        received_at = self._clock()
        deliveries = [Delivery(mailbox, self._new_id(), received_at) for mailbox in mailboxes]
        _, result = await asyncio.gather(
            self._storage.put(raw, RAW_MEDIA_TYPE), self._read(raw, envelope_sender, deliveries)
        )
        if result.files:
            await asyncio.gather(*(self._storage.put(file.content, file.media_type) for file in result.files))
        trace = new_trace()
        await asyncio.gather(
            *(
                self._publish(message, delivery, trace)
                for message, delivery in zip(result.messages, deliveries, strict=True)
            )
        )
        self._metrics.deliveries.inc(len(deliveries))

    async def _read(self, raw: bytes, envelope_sender: str, deliveries: list[Delivery]) -> ReadResult:
        try:
            return await self._pool.read(raw, envelope_sender, deliveries)
        except Unreadable as end:
            self._metrics.unread.inc()
            log.warning(
                "mail not read", reason=str(end), size=len(raw), message_ids=[str(d.message_id) for d in deliveries]
            )
            return ReadResult([compose_unread(raw, delivery, envelope_sender, str(end)) for delivery in deliveries], [])

    async def _publish(self, message: EncodedMessage, delivery: Delivery, trace: TraceContext) -> None:
        event = Event(
            id=str(delivery.message_id),
            source=SOURCE,
            type=MessageReceived.event_type,
            time=delivery.received_at,
            data=message.data,
            partitionkey=message.key,
            traceparent=trace.traceparent,
            correlationid=str(delivery.message_id),
        )
        await self._publisher.publish(MESSAGES, message.key, event)
