"""Takes responsibility for one mail: stored, read and acknowledged by Kafka before the sender hears 250."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog

from ingest_email.compose_message import compose_unread
from ingest_email.delivery import Delivery, EncodedMessage, Mailbox
from ingest_email.metrics import MailMetrics
from ingest_email.reading_pool import ReadingPool, ReadResult, Unreadable
from ingest_email.sealed_addresses import SealedAddresses
from service_kit.tracing import TraceContext, new_trace
from ticket_contracts.envelope import Event
from ticket_contracts.messages import MessageReceived
from ticket_contracts.topics import MESSAGES
from ticket_store.object_storage import ObjectStorage
from ticket_stream.edge_publisher import EdgePublisher

SOURCE = "/firebreak/ingest-email"

log = structlog.get_logger("accept_mail")


class Prepared(NamedTuple):
    """An event whose files are all stored."""

    key: str
    event: Event


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
        sealed: SealedAddresses,
    ) -> None:
        self._storage = storage
        self._pool = pool
        self._publisher = publisher
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id
        self._sealed = sealed

    async def accept(
        self, raw: bytes, envelope_sender: str, mailboxes: Sequence[Mailbox], recipients: Sequence[str] = ()
    ) -> None:
        """Return when every mailbox's event is in the log and all it refers to is stored.

        A mail that nothing can read is accepted like any other, with its original and a note.

        :raises StorageUnavailable: nothing was promised; the sender has to try again.
        :raises KafkaAway: the same.
        """
        prepared = await self.prepare(raw, envelope_sender, mailboxes, recipients)
        publications = [self._publisher.publish(MESSAGES, key, event) for key, event in prepared]
        await (publications[0] if len(publications) == 1 else asyncio.gather(*publications))
        self._metrics.deliveries.inc(len(prepared))

    async def prepare(
        self,
        raw: bytes,
        envelope_sender: str,
        mailboxes: Sequence[Mailbox],
        recipients: Sequence[str] = (),
        note: str = "",
    ) -> list[Prepared]:
        """Store and read a mail, and return its events, one for each mailbox, for whoever publishes them.

        :raises StorageUnavailable: nothing was promised.
        """
        received_at = self._clock()
        deliveries = [
            Delivery(mailbox, self._new_id(), received_at, self._sealed.ticket_of(mailbox, recipients, raw), note)
            for mailbox in mailboxes
        ]
        result = await self._read(raw, envelope_sender, deliveries)
        await self._storage.put_all([raw, *(file.content for file in result.files)])
        trace = new_trace()
        return [
            _prepared(message, delivery, trace) for message, delivery in zip(result.messages, deliveries, strict=True)
        ]

    async def _read(self, raw: bytes, envelope_sender: str, deliveries: list[Delivery]) -> ReadResult:
        try:
            return await self._pool.read(raw, envelope_sender, deliveries)
        except Unreadable as end:
            self._metrics.unread.inc()
            log.warning(
                "mail not read", reason=str(end), size=len(raw), message_ids=[str(d.message_id) for d in deliveries]
            )
            return ReadResult([compose_unread(raw, delivery, envelope_sender, str(end)) for delivery in deliveries], [])


def _prepared(message: EncodedMessage, delivery: Delivery, trace: TraceContext) -> Prepared:
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
    return Prepared(message.key, event)
