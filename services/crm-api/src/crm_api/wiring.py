"""The only place where the parts of crm-api are put together."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from crm_api.application import build_application, limited
from crm_api.authenticate import Authenticator
from crm_api.await_outcomes import OutcomeWaiters
from crm_api.calendar_book import CalendarBook
from crm_api.metrics import Metrics
from crm_api.parts import Parts
from crm_api.request_limits import RequestLimits
from crm_api.roll_out import RollOuts
from crm_api.send_command import CommandDesk
from crm_api.settings import CrmApiSettings
from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Probes, Readiness, with_probes
from service_kit.supervisor import Supervisor
from service_kit.tracing import traced
from ticket_store.sessions import open_engine, open_pool
from ticket_stream.edge_publisher import open_edge_publisher

CONFIGURATION_CONNECTIONS = 4
"""One for roll-outs, the others for people who read or edit the configuration: a few at once at most."""


@asynccontextmanager
async def wiring(settings: CrmApiSettings, supervisor: Supervisor) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    registry = new_registry("crm-api")
    metrics = Metrics(registry)
    async with (
        open_engine(
            settings.postgres.get_secret_value(),
            application_name="crm-api",
            max_size=settings.database_connections,
        ) as engine,
        open_pool(
            settings.postgres.get_secret_value(),
            application_name="crm-api-configuration",
            max_size=CONFIGURATION_CONNECTIONS,
            index_plans=True,  # a roll-out goes along the key of all tickets, page by page
            wait=False,
        ) as configuration,
        open_edge_publisher(settings.kafka, settings.topic_prefix) as publisher,
        supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
    ):
        waiters = OutcomeWaiters(engine)
        metrics.waiting.set_function(lambda: waiters.waiting)
        desk = CommandDesk(engine, publisher, waiters, lambda: datetime.now(UTC), uuid7)
        parts = Parts(engine, Authenticator(engine, time.monotonic), desk, CalendarBook(), configuration)
        roll_outs = RollOuts(configuration, publisher.publish, lambda: datetime.now(UTC))
        readiness = Readiness(supervisor.started)
        readiness.add("postgres", lambda: _answers(engine))
        limits = RequestLimits(settings.max_in_flight, settings.body_seconds, settings.answer_seconds)
        app = limited(build_application(parts), limits, metrics, time.monotonic)
        async with (
            supervisor.running("outcome waiters", waiters.run()),
            supervisor.running("roll-outs", roll_outs.run()),
            serve(
                with_probes(traced(app), Probes(readiness, registry)),
                settings.host,
                settings.port,
                supervisor=supervisor,
            ),
        ):
            try:
                yield
            finally:
                waiters.release()  # before the server stops: it gives running requests no more time than they may wait


async def _answers(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return None
