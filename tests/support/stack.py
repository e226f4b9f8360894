"""A whole Firebreak of a test's own: real Kafka, real PostgreSQL, all services as processes, all killable.

It stands on the parts of `firebreak up`; what differs is who restarts a dead process (`KeptPart`, on the test's
command) and that several processes of one service can run, by another entry if need be.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from shutil import rmtree
from uuid import uuid4

import asyncpg

from firebreak_cli.local_stack.child_process import Command, log_tail
from firebreak_cli.local_stack.kafka_jars import kafka_jars
from firebreak_cli.local_stack.kafka_server import KafkaServer
from firebreak_cli.local_stack.ports import LOOPBACK, is_free
from firebreak_cli.local_stack.postgres_server import PostgresServer
from firebreak_cli.service_process import PACKAGES, ServiceProcess, Surroundings, make_services
from firebreak_cli.stack_layout import PORT_ORDER, StackLayout
from tests.support.commit_cutter import CommitCutter, open_commit_cutter, through
from tests.support.deployment_files import configure, make_api_key, write_mailboxes, write_pull_sources, write_sources
from tests.support.kept_part import KeptPart
from tests.support.servers import server_folder
from ticket_contracts.topics import TOPICS
from ticket_store.documents import Document
from ticket_store.migrations import upgrade_async
from ticket_stream.topic_admin import create_topics

# Below what Linux gives to outgoing connections (32768 and up): while a server is down, a client that tries to reach it
# must not be given the server's own port.
LOWEST_PORT, HIGHEST_PORT = 12_000, 30_000
SPARE_PORTS = 16  # for second processes of a service

STREAMING = ("router", "sla-engine")
# No customer of a test's stack sends files by chat; a process more is seconds more for each stack.
USUAL = tuple(name for name in PACKAGES if name != "ingest-files")


class Instance(ServiceProcess):
    """One process of a service; there may be several."""

    def __init__(self, name: str, port: int, command: Command, module: Sequence[str] | None) -> None:
        super().__init__(name, port, command.log_file, command.environment)
        self._module = module

    def command(self) -> Command:
        usual = super().command()
        return usual if self._module is None else replace(usual, arguments=[sys.executable, "-m", *self._module])


@dataclass
class Stack:
    """Handles on everything that runs. `cutter` stands between streaming services and PostgreSQL."""

    layout: StackLayout
    kafka: KafkaServer
    postgres: PostgresServer
    cutter: CommitCutter
    parts: dict[str, KeptPart] = field(default_factory=dict)
    api_key: str = ""
    _next_port: int = 0

    @property
    def kafka_address(self) -> str:
        return self.kafka.bootstrap

    @property
    def database(self) -> str:
        """The URL past the cutter, for the test's own questions."""
        return self.postgres.url

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask the database one question."""
        connection = await asyncpg.connect(self.database)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    @property
    def webhooks(self) -> str:
        return self.layout.url("ingest-webhook") + "/webhooks"

    @property
    def api(self) -> str:
        return self.layout.url("crm-api") + "/v1"

    @property
    def smtp(self) -> tuple[str, int]:
        return LOOPBACK, self.layout.port("smtp")

    def add(
        self,
        name: str,
        label: str | None = None,
        environment: Mapping[str, str] | None = None,
        module: Sequence[str] | None = None,
    ) -> KeptPart:
        """Build a process of a service; it is not started. `module` replaces the service's own `python -m` entry."""
        label = label or name
        port = self.layout.port(name) if label == name else self._spare_port()
        usual = next(service for service in make_services(self.layout, self._around(name)) if service.name == name)
        command = usual.command()
        whole = {**command.environment, "FIREBREAK_PORT": str(port), **(environment or {})}
        part = Instance(name, port, replace(command, environment=whole, log_file=self.layout.log_file(label)), module)
        self.parts[label] = KeptPart(label, part)
        return self.parts[label]

    def of(self, name: str) -> list[KeptPart]:
        """All processes of a service, however labelled."""
        return [part for part in self.parts.values() if part.part.name == name]

    def logs(self, lines: int = 15) -> str:
        """The end of every log."""
        return "\n".join(f"── {file.name}\n{log_tail(file, lines)}" for file in sorted(self.layout.log_dir.iterdir()))

    def _around(self, name: str) -> Surroundings:
        database = through(self.cutter.port, self.postgres.url) if name in STREAMING else self.postgres.url
        return Surroundings(self.kafka.bootstrap, database, "")

    def _spare_port(self) -> int:
        self._next_port += 1
        return self.layout.port_base + len(PORT_ORDER) + self._next_port


@asynccontextmanager
async def running_stack(
    documents: Sequence[Document] = (),
    services: Sequence[str] = USUAL,
    environment: Mapping[str, Mapping[str, str]] | None = None,
) -> AsyncIterator[Stack]:
    """Run a stack with the example configuration and `documents`; `environment` adds variables by service.

    Everything answers inside the block; nothing is left after it but, when the block failed, the ends of the logs in
    the exception's notes.
    """
    async with AsyncExitStack() as context:
        stack = await _open_servers(context)
        try:
            await _prepare(stack, documents)
            started = [stack.add(name, environment=_variables(name, environment or {})) for name in services]
            await asyncio.gather(*(part.start() for part in started))
            yield stack
        except Exception as error:
            error.add_note(stack.logs())
            raise
        finally:
            own = [part for part in stack.parts.values() if isinstance(part.part, Instance)]
            await asyncio.gather(*(part.stop() for part in own))


def _variables(service: str, given: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The router's flood guard is off unless asked for: a few senders write what hundreds of customers would."""
    usual = {"FIREBREAK_FLOOD_CONVERSATIONS": "0"} if service == "router" else {}
    return usual | dict(given.get(service, {}))


async def _open_servers(context: AsyncExitStack) -> Stack:
    folder = context.enter_context(server_folder())
    layout = StackLayout(folder, free_port_base(len(PORT_ORDER) + SPARE_PORTS))
    layout.log_dir.mkdir()
    jars = await asyncio.to_thread(kafka_jars)
    kafka = KafkaServer(layout.kafka_home, layout.log_file("kafka"), layout.kafka_ports, jars)
    postgres = PostgresServer(layout.postgres_home, layout.log_file("postgres"), layout.port("postgres"))
    context.callback(rmtree, postgres.home, ignore_errors=True)  # may lie outside our folder
    cutter = await context.enter_async_context(open_commit_cutter(layout.port("postgres")))
    stack = Stack(layout, kafka, postgres, cutter)
    for server in (kafka, postgres):
        stack.parts[server.name] = KeptPart(server.name, server)
        context.push_async_callback(_end, stack.parts[server.name])
    await asyncio.gather(*(part.start() for part in stack.parts.values()))
    return stack


async def _end(part: KeptPart) -> None:
    """Nobody reads what Kafka would take seconds to write; of PostgreSQL an orderly end leaves no shared memory."""
    if part.label == "kafka":
        await part.hold()
    await part.stop()


async def _prepare(stack: Stack, documents: Sequence[Document]) -> None:
    await create_topics(stack.kafka.bootstrap, "", TOPICS)
    await upgrade_async(stack.database)
    await configure(stack.database, documents)
    stack.api_key = await make_api_key(stack.database, uuid4(), datetime.now(UTC))
    write_sources(stack.layout.sources_file)
    stack.layout.call_logs.mkdir()
    write_pull_sources(stack.layout.pull_sources_file, stack.layout.call_logs)
    write_mailboxes(stack.layout.mailboxes_file)
    stack.layout.objects.mkdir()


def free_port_base(count: int) -> int:
    """Return the first of `count` ports in a row that are free now."""
    chosen = random.SystemRandom()  # two runs on one machine start at the same second
    while True:
        base = chosen.randrange(LOWEST_PORT, HIGHEST_PORT - count)
        if all(is_free(port) for port in range(base, base + count)):
            return base
