"""The only place where the parts of the sla-engine are put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Probes, Readiness
from service_kit.supervisor import Supervisor
from sla_engine.compile_policies import PolicyBook
from sla_engine.decide_commands import DecideCommands
from sla_engine.forget_outcomes import forget_forever
from sla_engine.metrics import EngineMetrics
from sla_engine.report_dead_letter import report_dead_letter
from sla_engine.settings import SlaEngineSettings
from ticket_contracts.topics import ALERTS, COMMANDS, TICKETS
from ticket_store.sessions import open_pool
from ticket_stream.failpoints import NO_FAILPOINTS, Failpoints
from ticket_stream.settings import StreamSettings
from ticket_stream.stream import open_stream

CONSUMER = "sla-engine"
"""Names positions, timers and outbox rows in Postgres; another name would decide all commands again."""

GUARDED_TABLES = frozenset({"ticket_events", "tickets"})
"""A violated key here proves a second writer; it must stop the partition, not cost a customer's message."""


@asynccontextmanager
async def wiring(
    settings: SlaEngineSettings, supervisor: Supervisor, failpoints: Failpoints = NO_FAILPOINTS
) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    registry = new_registry("sla-engine")
    readiness = Readiness(supervisor.started)
    engine = DecideCommands(PolicyBook(), EngineMetrics(registry))
    url = settings.postgres.get_secret_value()
    async with (
        open_pool(
            url, application_name=CONSUMER, max_size=settings.database_connections, index_plans=True, wait=False
        ) as pool,
        serve(Probes(readiness, registry), settings.host, settings.port, supervisor=supervisor),
        supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
        supervisor.running("forget outcomes", forget_forever(pool)),
        open_stream(
            _stream_settings(settings),
            engine,
            consumer=CONSUMER,
            reads=[COMMANDS],
            writes=[TICKETS, ALERTS, COMMANDS],
            pool=pool,
            on_dead_letter=report_dead_letter,
            failpoints=failpoints,
            registry=registry,
        ) as stream,
    ):
        readiness.add("stream", stream.ready)
        async with supervisor.running("stream", stream.run(), stop=stream.stop):
            yield


def _stream_settings(settings: SlaEngineSettings) -> StreamSettings:
    return StreamSettings(
        kafka=settings.kafka,
        topic_prefix=settings.topic_prefix,
        batch_size=settings.batch_size,
        guarded_tables=GUARDED_TABLES,
    )
