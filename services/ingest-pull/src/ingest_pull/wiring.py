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
from ingest_pull.kinds.wecom_service import WecomService
from ingest_pull.pull_metrics import PullMetrics
from ingest_pull.pull_sources import build_jobs
from ingest_pull.receive_callback import CallbackApp
from ingest_pull.settings import IngestPullSettings
from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Probes, Readiness, with_probes
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor
from ticket_contracts.topics import MESSAGES
from ticket_intake.source_file import SourcesInvalid
from ticket_store.object_storage import ObjectStorage
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import open_edge_publisher
from ticket_stream.job_runner import JobRunner
from ticket_stream.leased_jobs import Job

CONSUMER = "ingest-pull"
"""Names the jobs' rows in Postgres; another name would read every source again from its beginning."""


@asynccontextmanager
async def wiring(settings: IngestPullSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    registry = new_registry("ingest-pull")
    url = settings.postgres.get_secret_value()
    readiness = Readiness()
    async with (
        httpx.AsyncClient() as client,
        open_pool(url, application_name="ingest-pull", max_size=settings.database_connections, wait=False) as pool,
        open_edge_publisher(
            settings.kafka, settings.topic_prefix, publish_seconds=settings.publish_seconds, topics=(MESSAGES,)
        ) as publisher,
        supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
    ):
        jobs = _build_jobs(settings, registry, client)

        async def kafka() -> str | None:
            return None if publisher.available() else "Kafka is away; jobs wait"

        runner = JobRunner(CONSUMER, jobs, publisher.publish, pool, registry)
        readiness.add("kafka", kafka)
        readiness.add("jobs", runner.ready)
        called = {job.source_name: job for job in jobs if isinstance(job, WecomService)}
        app = with_probes(CallbackApp(called, runner.wake), Probes(readiness, registry))
        async with (
            serve(app, settings.host, settings.port, supervisor=supervisor),
            supervisor.running("jobs", runner.run(), stop=runner.stop),
        ):
            yield


def _build_jobs(settings: IngestPullSettings, registry: CollectorRegistry, client: httpx.AsyncClient) -> list[Job]:
    storage = ObjectStorage.open(settings.object_store)
    composer = Composer(storage.put, lambda: str(uuid7()), lambda: datetime.now(UTC))
    try:
        return build_jobs(settings.pull_sources_file, os.environ, Shared(composer, PullMetrics(registry), client))
    except SourcesInvalid as error:
        fix = str(error)
        raise StartError(f"the pull sources file {settings.pull_sources_file} is not valid", fix=fix) from error
