"""The only place where the parts of ingest-pull are put together."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from prometheus_client import CollectorRegistry
from uuid_utils import uuid7

from ingest_pull.compose_outgoing import Composer
from ingest_pull.kinds.parts import Shared
from ingest_pull.pull_metrics import PullMetrics
from ingest_pull.pull_source_table import PullSourceTable
from ingest_pull.receive_callback import CallbackApp
from ingest_pull.settings import IngestPullSettings
from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Probes, Readiness, with_probes
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor
from ticket_contracts.topics import MESSAGES
from ticket_intake.reloaded_file import on_hangup
from ticket_intake.source_file import SourcesInvalid
from ticket_store.object_storage import ObjectStorage
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import open_edge_publisher
from ticket_stream.job_runner import JobRunner

CONSUMER = "ingest-pull"
"""Names the jobs' rows in Postgres; another name would read every source again from its beginning."""


@asynccontextmanager
async def wiring(settings: IngestPullSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    registry = new_registry("ingest-pull")
    url = settings.postgres.get_secret_value()
    readiness = Readiness(supervisor.started)
    async with (
        httpx.AsyncClient() as client,
        open_pool(url, application_name="ingest-pull", max_size=settings.database_connections, wait=False) as pool,
        open_edge_publisher(
            settings.kafka, settings.topic_prefix, publish_seconds=settings.publish_seconds, topics=(MESSAGES,)
        ) as publisher,
        supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
    ):
        sources = _open_sources(settings, registry, client)

        async def kafka() -> str | None:
            return None if publisher.available() else "Kafka is away; jobs wait"

        runner = JobRunner(CONSUMER, sources.jobs, publisher.publish, pool, registry)
        readiness.add("kafka", kafka)
        readiness.add("jobs", runner.ready)
        app = with_probes(CallbackApp(sources.called, runner.wake), Probes(readiness, registry))
        with on_hangup(sources.ask_reload):
            async with (
                serve(app, settings.host, settings.port, supervisor=supervisor),
                supervisor.running("jobs", runner.run(), stop=runner.stop),
                supervisor.running("sources", sources.watch(runner.change)),
            ):
                yield


def _open_sources(
    settings: IngestPullSettings, registry: CollectorRegistry, client: httpx.AsyncClient
) -> PullSourceTable:
    storage = ObjectStorage.open(settings.object_store)
    composer = Composer(storage.put, lambda: str(uuid7()), lambda: datetime.now(UTC))
    shared = Shared(composer, PullMetrics(registry), client)
    try:
        return PullSourceTable(settings.pull_sources_file, os.environ, shared)
    except SourcesInvalid as error:
        fix = str(error)
        raise StartError(f"the pull sources file {settings.pull_sources_file} is not valid", fix=fix) from error
