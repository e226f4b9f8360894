"""The only place where the parts of ingest-email are put together."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import httpx
from uuid_utils.compat import uuid7

from ingest_email.accept_mail import AcceptMail
from ingest_email.door import Door, SmtpLimits
from ingest_email.hooks.load_hooks import HookLoader
from ingest_email.hooks.receive_hook import MailHooks
from ingest_email.imap_jobs import running_imap
from ingest_email.mailbox_table import MailboxTable
from ingest_email.mailboxes import Mailboxes
from ingest_email.metrics import MailMetrics
from ingest_email.reading_pool import ReadingPool, open_reading_pool
from ingest_email.receive_mail import ReceiveMail
from ingest_email.sealed_addresses import SealedAddresses
from ingest_email.settings import IngestEmailSettings
from ingest_email.smtp_server import load_tls, open_smtp_server
from ingest_email.smtp_session import LmtpSession
from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Check, Probes, Readiness, with_probes
from service_kit.supervisor import Supervisor
from ticket_contracts.topics import MESSAGES
from ticket_intake.reloaded_file import on_hangup
from ticket_store.object_storage import ObjectStorage
from ticket_stream.edge_publisher import EdgePublisher, open_edge_publisher


@asynccontextmanager
async def wiring(settings: IngestEmailSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order; the door opens last and closes first."""
    registry, readiness, client = new_registry("ingest-email"), Readiness(supervisor.started), httpx.AsyncClient()
    metrics = MailMetrics(registry)
    mailboxes = _open_table(settings, metrics, client)
    tls = load_tls(settings.smtp_tls_certificate, settings.smtp_tls_key)
    storage = ObjectStorage.open(settings.object_store)
    limits = smtp_limits(settings)
    async with (
        supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
        client,
        _hooks_server(settings, mailboxes, metrics, Probes(readiness, registry), supervisor) as hooks,
        open_edge_publisher(settings.kafka, settings.topic_prefix, topics=(MESSAGES,)) as publisher,
        open_reading_pool(
            settings.reading_workers, mailboxes.current.addresses(), metrics, supervisor, settings.mail_trusted_server
        ) as pool,
    ):
        readiness.add("kafka", _kafka_check(publisher))
        readiness.add("reading workers", _pool_check(pool))
        sealed = SealedAddresses(settings.reply_address_secrets.get_secret_value().split())
        accept = AcceptMail(storage, pool, publisher, metrics, _now, uuid7, sealed)
        handler = ReceiveMail(accept, mailboxes.find, settings.smtp_recipients, metrics)
        door = Door(limits, metrics, time.monotonic)
        listen = partial(
            open_smtp_server,
            settings.smtp_host,
            hostname=settings.smtp_hostname,
            handler=handler,
            door=door,
            limits=limits,
            tls=tls,
        )
        hooks.open(accept.accept)
        imap = running_imap(
            mailboxes.current,
            settings.postgres,
            accept,
            settings.smtp_message_bytes,
            _now,
            publisher,
            registry,
            supervisor,
        )
        async with imap as change_folders, AsyncExitStack() as doors:
            doors.push_async_callback(door.empty)  # last: first nobody else comes in, by SMTP or LMTP
            await doors.enter_async_context(_following(mailboxes, pool, change_folders, supervisor))
            await doors.enter_async_context(listen(settings.smtp_port))
            if settings.lmtp_port is not None:
                await doors.enter_async_context(listen(settings.lmtp_port, session_type=LmtpSession))
            yield


def _open_table(settings: IngestEmailSettings, metrics: MailMetrics, client: httpx.AsyncClient) -> MailboxTable:
    """:raises StartError: the file cannot be used."""
    loader = HookLoader(os.environ, client, settings.smtp_message_bytes)
    return MailboxTable(settings.mailboxes_file, metrics, loader, has_database=settings.postgres is not None)


@asynccontextmanager
async def _following(
    table: MailboxTable, pool: ReadingPool, change_folders: Callable[[Mailboxes], None], supervisor: Supervisor
) -> AsyncIterator[None]:
    """Let the file's changes reach everybody while the block lasts; who asks the table itself needs no telling."""

    def adopt(mailboxes: Mailboxes) -> None:
        pool.introduce(mailboxes.addresses())
        change_folders(mailboxes)

    with on_hangup(table.ask_reload):
        async with supervisor.running("mailboxes", table.watch(adopt)):
            yield


@asynccontextmanager
async def _hooks_server(
    settings: IngestEmailSettings,
    mailboxes: MailboxTable,
    metrics: MailMetrics,
    probes: Probes,
    supervisor: Supervisor,
) -> AsyncIterator[MailHooks]:
    """The process's HTTP port: probes from the start, hooks once they are opened."""
    hooks = MailHooks(mailboxes.hook, mailboxes.find, settings.smtp_message_bytes, metrics, _now)
    async with serve(with_probes(hooks, probes), settings.host, settings.port, supervisor=supervisor):
        yield hooks


def _now() -> datetime:
    return datetime.now(UTC)


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
