"""The only place where the parts of crm-api are put together."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from crm_api.application import build_application
from crm_api.authenticate import Authenticator
from crm_api.await_outcomes import OutcomeWaiters
from crm_api.parts import Parts
from crm_api.send_command import CommandDesk
from crm_api.settings import CrmApiSettings
from service_kit.http_server import serve
from service_kit.probes import Probes, Readiness, with_probes
from service_kit.supervisor import Supervisor
from service_kit.tracing import traced
from ticket_store.sessions import open_engine
from ticket_stream.edge_publisher import open_edge_publisher


@asynccontextmanager
async def wiring(settings: CrmApiSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    async with (
        open_engine(
            settings.postgres.get_secret_value(),
            application_name="crm-api",
            max_size=settings.database_connections,
        ) as engine,
        open_edge_publisher(settings.kafka, settings.topic_prefix) as publisher,
    ):
        waiters = OutcomeWaiters(engine)
        desk = CommandDesk(engine, publisher, waiters, lambda: datetime.now(UTC), uuid7)
        parts = Parts(engine, Authenticator(engine, time.monotonic), desk)
        readiness = Readiness()
        readiness.add("postgres", lambda: _answers(engine))
        app = with_probes(traced(build_application(parts)), Probes(readiness, REGISTRY))
        async with (
            supervisor.running("outcome waiters", waiters.run()),
            serve(app, settings.host, settings.port, supervisor=supervisor),
        ):
            yield


async def _answers(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return None
