"""The only place where the parts of the router are put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service_kit.http_server import serve
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Probes, Readiness
from service_kit.supervisor import Supervisor
from ticket_contracts.topics import COMMANDS, MESSAGES
from ticket_router.metrics import RouterMetrics
from ticket_router.route_messages import MessageRouter
from ticket_router.routing_configuration import ConfigurationMissing, RoutingConfiguration
from ticket_router.settings import RouterSettings
from ticket_store.sessions import Pool, open_pool
from ticket_stream.failpoints import NO_FAILPOINTS, Failpoints
from ticket_stream.settings import StreamSettings
from ticket_stream.stream import open_stream

CONSUMER = "router"
"""Names positions, leases and outbox rows in Postgres; another name would read all messages again."""


@asynccontextmanager
async def wiring(
    settings: RouterSettings, supervisor: Supervisor, failpoints: Failpoints = NO_FAILPOINTS
) -> AsyncIterator[None]:
    """Enter the parts in start-up order."""
    registry = new_registry("router")
    readiness = Readiness(supervisor.started)
    configuration = RoutingConfiguration()
    router = MessageRouter(configuration, RouterMetrics(registry), settings.floods, scans=bool(settings.scanner))
    url = settings.postgres.get_secret_value()
    async with open_pool(
        url, application_name="router", max_size=settings.database_connections, index_plans=True, wait=False
    ) as pool:
        readiness.add("configuration", lambda: _configured(configuration, pool))
        async with (
            serve(Probes(readiness, registry), settings.host, settings.port, supervisor=supervisor),
            supervisor.running("event loop lag", EventLoopLag(registry).sample_forever()),
            open_stream(
                _stream_settings(settings),
                router,
                consumer=CONSUMER,
                reads=[MESSAGES],
                writes=[COMMANDS],
                pool=pool,
                failpoints=failpoints,
                registry=registry,
            ) as stream,
        ):
            readiness.add("stream", stream.ready)
            async with supervisor.running("stream", stream.run(), stop=stream.stop):
                yield


def _stream_settings(settings: RouterSettings) -> StreamSettings:
    return StreamSettings(kafka=settings.kafka, topic_prefix=settings.topic_prefix, batch_size=settings.batch_size)


async def _configured(configuration: RoutingConfiguration, pool: Pool) -> str | None:
    async with pool.acquire() as connection:
        try:
            await configuration.rule_book(connection)
        except ConfigurationMissing as missing:
            return str(missing)
    return None
