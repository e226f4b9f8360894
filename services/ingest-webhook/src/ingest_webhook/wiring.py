"""The only place where the parts of ingest-webhook are put together."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from secrets import token_hex

import structlog
from uuid_utils import uuid7

from ingest_webhook.asgi_app import Limits, WebhookApp
from ingest_webhook.drain_spool import SpoolDrain
from ingest_webhook.limit_rates import SourceRates
from ingest_webhook.metrics import Metrics
from ingest_webhook.patience import Patience
from ingest_webhook.publish_messages import MessagePublisher
from ingest_webhook.receive_webhook import WebhookReceiver
from ingest_webhook.settings import IngestWebhookSettings
from ingest_webhook.source_table import SourceTable
from ingest_webhook.spool import Spool
from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Check, Probes, Readiness, with_probes
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor
from ticket_contracts.topics import MESSAGES
from ticket_intake.reloaded_file import on_hangup
from ticket_intake.source_file import SourcesInvalid
from ticket_store.object_storage import ObjectStorage, StorageUnavailable
from ticket_stream.edge_publisher import EdgePublisher, open_edge_publisher

log = structlog.get_logger("wiring")


@asynccontextmanager
async def wiring(settings: IngestWebhookSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    registry = new_registry("ingest-webhook")
    metrics = Metrics(registry)
    sources = _open_sources(settings, metrics)
    storage = ObjectStorage.open(settings.object_store)
    async with (
        open_edge_publisher(
            settings.kafka, settings.topic_prefix, publish_seconds=settings.publish_seconds, topics=(MESSAGES,)
        ) as publisher,
        supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
        supervisor.running("sources", sources.watch()),
    ):
        messages = MessagePublisher(publisher.publish_made, storage.put, _new_id, metrics, settings.store_seconds)
        spool = await _open_spool(settings, storage, metrics)
        drain = SpoolDrain(
            spool, sources, messages, publisher.available, metrics.spool, 1 / settings.spool_drain_per_second
        )
        receiver = WebhookReceiver(messages, spool, SourceRates(time.monotonic), Patience(settings.spool_after_seconds))
        limits = Limits(settings.max_body_bytes, settings.body_seconds, settings.max_in_flight)
        metrics.kafka_available.set_function(lambda: float(publisher.available()))
        app = WebhookApp(sources, receiver, metrics, limits, _utc_now, time.perf_counter)
        readiness = Readiness(supervisor.started)
        readiness.add("kafka", _kafka_check(publisher, sources, spool))
        served = with_probes(app, Probes(readiness, registry))
        with on_hangup(sources.ask_reload):
            async with (
                supervisor.running("spool", drain.run()),
                serve(served, settings.host, settings.port, supervisor=supervisor),
            ):
                yield


def _open_sources(settings: IngestWebhookSettings, metrics: Metrics) -> SourceTable:
    try:
        return SourceTable(settings.sources_file, os.environ, metrics)
    except SourcesInvalid as error:
        raise StartError(f"the sources file {settings.sources_file} is not valid", fix=str(error)) from error


async def _open_spool(settings: IngestWebhookSettings, storage: ObjectStorage, metrics: Metrics) -> Spool:
    """Look before the first request: a source with something in the spool has to be known as such."""
    shelf, aside = storage.shelf("spool"), storage.shelf("spool-set-aside")
    spool = Spool(shelf, aside, token_hex(4), settings.spool_max_requests, _utc_now)
    spool.measure(metrics.spool)
    try:
        async with asyncio.timeout(settings.store_seconds):
            await spool.look()
    except (StorageUnavailable, TimeoutError) as error:
        log.warning("nobody knows yet what the spool holds; requests go behind it", reason=str(error))
    return spool


def _kafka_check(publisher: EdgePublisher, sources: SourceTable, spool: Spool) -> Check:
    async def check() -> str | None:
        """While some requests can wait in the spool they have to reach us: an unready pod gets none."""
        if publisher.available() or (sources.any_spooled() and not spool.full):
            return None
        return "Kafka is away; requests get 503"

    return check


def _new_id() -> str:
    """Made in Rust, with no `UUID` of the standard library in between: only the text is wanted."""
    return str(uuid7())


def _utc_now() -> datetime:
    return datetime.now(UTC)
