"""The only place where the parts of ingest-email are put together."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from uuid_utils.compat import uuid7

from ingest_email.accept_mail import AcceptMail
from ingest_email.door import Door, SmtpLimits
from ingest_email.mailboxes import load_mailboxes
from ingest_email.metrics import MailMetrics
from ingest_email.reading_pool import ReadingPool, open_reading_pool
from ingest_email.receive_mail import ReceiveMail
from ingest_email.settings import IngestEmailSettings
from ingest_email.smtp_server import load_tls, open_smtp_server
from ingest_email.smtp_session import LmtpSession
from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Check, Probes, Readiness
from service_kit.supervisor import Supervisor
from ticket_contracts.topics import MESSAGES
from ticket_store.object_storage import ObjectStorage
from ticket_stream.edge_publisher import EdgePublisher, open_edge_publisher


@asynccontextmanager
async def wiring(settings: IngestEmailSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order; the door opens last and closes first."""
    registry, readiness = new_registry("ingest-email"), Readiness()
    metrics = MailMetrics(registry)
    mailboxes = load_mailboxes(settings.mailboxes_file)
    tls = load_tls(settings.smtp_tls_certificate, settings.smtp_tls_key)
    storage = ObjectStorage.open(settings.object_store)
    limits = smtp_limits(settings)
    async with (
        supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
        serve(Probes(readiness, registry), settings.host, settings.port, supervisor=supervisor),
        open_edge_publisher(settings.kafka, settings.topic_prefix, topics=(MESSAGES,)) as publisher,
        open_reading_pool(settings.reading_workers, mailboxes.addresses(), metrics, supervisor) as pool,
    ):
        readiness.add("kafka", _kafka_check(publisher))
        readiness.add("reading workers", _pool_check(pool))
        accept = AcceptMail(storage, pool, publisher, metrics, lambda: datetime.now(UTC), uuid7)
        handler = ReceiveMail(accept, mailboxes, settings.smtp_recipients, metrics)
        listen = partial(
            open_smtp_server,
            settings.smtp_host,
            hostname=settings.smtp_hostname,
            handler=handler,
            door=Door(limits, metrics, time.monotonic),
            limits=limits,
            tls=tls,
        )
        async with AsyncExitStack() as doors:
            await doors.enter_async_context(listen(settings.smtp_port))
            if settings.lmtp_port is not None:
                await doors.enter_async_context(listen(settings.lmtp_port, session_type=LmtpSession))
            yield


def smtp_limits(settings: IngestEmailSettings) -> SmtpLimits:
    return SmtpLimits(
        message_bytes=settings.smtp_message_bytes,
        line_bytes=settings.smtp_line_bytes,
        connections=settings.smtp_connections,
        connections_per_address=settings.smtp_connections_per_address,
        mails_per_minute=settings.smtp_mails_per_minute,
        buffered_bytes=settings.smtp_buffered_bytes,
        idle_seconds=settings.smtp_idle_seconds,
        require_tls=settings.smtp_require_tls,
    )


def _kafka_check(publisher: EdgePublisher) -> Check:
    async def check() -> str | None:
        return None if publisher.available() else "Kafka does not answer; senders are told to try again"

    return check


def _pool_check(pool: ReadingPool) -> Check:
    async def check() -> str | None:
        return None if pool.warm_workers() else "no process that reads mail has started yet"

    return check
