"""The only place where the parts of ingest-files are put together."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
from uuid_utils import uuid7

from ingest_files.fetch_file import FileFetcher
from ingest_files.fetch_files import FileFetching
from ingest_files.file_source_table import FileSourceTable
from ingest_files.guarded_http import GuardedClient
from ingest_files.leased_orders import LeasedOrders
from ingest_files.metrics import FileMetrics
from ingest_files.scan_attachments import AttachmentScanner
from ingest_files.scan_file import Scanner
from ingest_files.scanner_state import ScannerState
from ingest_files.settings import IngestFilesSettings
from ingest_files.watched_storage import WatchedStorage
from ingest_files.work_order import Limits, OrderWork
from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Probes, Readiness
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor
from ticket_contracts.topics import MESSAGES
from ticket_intake.reloaded_file import on_hangup
from ticket_intake.source_file import SourcesInvalid
from ticket_store.object_storage import ObjectStorage
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import open_edge_publisher

# What an attempt may take beside provider, scanner and storage, each of which has a time of its own.
_OTHER_SECONDS = 30


@asynccontextmanager
async def wiring(settings: IngestFilesSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    registry = new_registry("ingest-files")
    readiness = Readiness(supervisor.started)
    metrics = FileMetrics(registry)
    sources = _open_sources(settings, metrics)
    scanner = _scanner(settings)
    objects = ObjectStorage.open(settings.object_store)
    storage = WatchedStorage(objects.put, objects.get, settings.storage_seconds, metrics, time.monotonic)
    seconds = settings.file_seconds + settings.scan_seconds + settings.storage_seconds + _OTHER_SECONDS
    url = settings.postgres.get_secret_value()
    timeout = httpx.Timeout(settings.file_seconds, connect=5.0)
    async with (
        open_pool(url, application_name="ingest-files", max_size=settings.database_connections, wait=False) as pool,
        open_edge_publisher(
            settings.kafka, settings.topic_prefix, publish_seconds=settings.publish_seconds, topics=(MESSAGES,)
        ) as publisher,
        # No proxy of the environment: it would resolve names itself, past our check.
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=timeout) as client,
        serve(Probes(readiness, registry), settings.host, settings.port, supervisor=supervisor),
        supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
        supervisor.running("sources", sources.watch()),
    ):

        async def kafka() -> str | None:
            return None if publisher.available() else "Kafka is away; files wait"

        readiness.add("kafka", kafka)
        guarded = GuardedClient(client, settings.max_file_bytes)
        work = OrderWork(
            LeasedOrders(pool, timedelta(seconds=settings.lease_seconds)),
            FileFetcher(guarded, sources, storage.put, scanner, settings.file_seconds),
            AttachmentScanner(storage.get, scanner),
            ScannerState(scanner, metrics),
            storage,
            publisher.publish,
            Limits(seconds, settings.attempts),
            metrics,
            lambda: str(uuid7()),
            lambda: datetime.now(UTC),
        )
        with on_hangup(sources.ask_reload):
            fetching = FileFetching(work, settings.files_at_once, publisher.available)
            async with (
                supervisor.running("leases of files", fetching.keep_leases()),
                supervisor.running("files", fetching.run()),
            ):
                yield


def _open_sources(settings: IngestFilesSettings, metrics: FileMetrics) -> FileSourceTable:
    try:
        return FileSourceTable(settings.sources_file, settings.pull_sources_file, os.environ, metrics)
    except SourcesInvalid as error:
        files = " or ".join(str(path) for path in (settings.sources_file, settings.pull_sources_file) if path)
        raise StartError(f"the sources file {files} is not valid", fix=str(error)) from error


def _scanner(settings: IngestFilesSettings) -> Scanner | None:
    if not settings.scanner:
        return None
    host, _, port = settings.scanner.rpartition(":")
    return Scanner(host, int(port), settings.scan_seconds)
