"""The only place where the parts of ingest-files are put together."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from uuid_utils import uuid7

from ingest_files.fetch_file import FileFetcher
from ingest_files.fetch_files import FileFetching, Limits
from ingest_files.file_sources import FileSource, read_all_sources
from ingest_files.guarded_http import GuardedClient
from ingest_files.metrics import FileMetrics
from ingest_files.scan_file import Scanner
from ingest_files.settings import IngestFilesSettings
from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Probes, Readiness
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor
from ticket_contracts.topics import MESSAGES
from ticket_intake.source_file import SourcesInvalid
from ticket_store.object_storage import ObjectStorage
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import open_edge_publisher


@asynccontextmanager
async def wiring(settings: IngestFilesSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    registry = new_registry("ingest-files")
    readiness = Readiness()
    sources = _read_sources(settings)
    storage = ObjectStorage.open(settings.object_store)
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
    ):

        async def kafka() -> str | None:
            return None if publisher.available() else "Kafka is away; files wait"

        readiness.add("kafka", kafka)
        guarded = GuardedClient(client, settings.max_file_bytes)
        fetching = FileFetching(
            pool,
            FileFetcher(guarded, sources, storage.put, _scanner(settings)),
            publisher.publish,
            Limits(settings.file_seconds, settings.files_at_once, settings.attempts),
            FileMetrics(registry),
            lambda: str(uuid7()),
            lambda: datetime.now(UTC),
        )
        async with supervisor.running("files", fetching.run()):
            yield


def _read_sources(settings: IngestFilesSettings) -> dict[str, FileSource]:
    try:
        return read_all_sources(settings.sources_file, settings.pull_sources_file, os.environ)
    except SourcesInvalid as error:
        files = " or ".join(str(path) for path in (settings.sources_file, settings.pull_sources_file) if path)
        raise StartError(f"the sources file {files} is not valid", fix=str(error)) from error


def _scanner(settings: IngestFilesSettings) -> Scanner | None:
    if not settings.scanner:
        return None
    host, _, port = settings.scanner.rpartition(":")
    return Scanner(host, int(port), settings.scan_seconds)
