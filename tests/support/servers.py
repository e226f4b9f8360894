"""The real servers that tests share. Kill tests start their own (`kafka_server`, `postgres_server` below)."""

import asyncio
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from firebreak_cli.local_stack.kafka_configuration import KafkaPorts
from firebreak_cli.local_stack.kafka_jars import kafka_jars
from firebreak_cli.local_stack.kafka_server import KafkaServer
from firebreak_cli.local_stack.ports import free_ports
from firebreak_cli.local_stack.postgres_server import PostgresServer
from ticket_contracts.topics import TOPICS
from ticket_stream.topic_admin import create_topics, open_admin


class SharedKafka:
    """A running Kafka. Tests keep apart by topic prefix."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    async def create_topics(self, prefix: str) -> None:
        """Make the table's topics under the prefix."""
        await create_topics(self.bootstrap, prefix, TOPICS)

    async def delete_topics(self, prefix: str) -> None:
        async with open_admin(self.bootstrap) as admin:
            await admin.delete_topics([prefix + topic.name for topic in TOPICS])


class SharedPostgres:
    """A running PostgreSQL. Tests keep apart by database; all they made are dropped at the end of the run."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._made: list[str] = []
        self._template: str | None = None
        self._template_lock = asyncio.Lock()

    async def empty_database(self) -> str:
        """Return the URL of a new database without any table."""
        return self._url_of(await self._create("template1"))

    async def fresh_database(self) -> str:
        """Return the URL of a new database with every migration applied, copied from one migrated per run."""
        async with self._template_lock:
            if self._template is None:
                self._template = await self._migrated_template()
        return self._url_of(await self._create(self._template))

    async def drop_all(self) -> None:
        """Drop what this run created, ending sessions that are still open."""
        connection = await asyncpg.connect(self.url)
        try:
            for name in self._made:
                await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    async def _migrated_template(self) -> str:
        from ticket_store import migrations  # imported late: tests of the bare servers do not need it

        name = await self._create("template1")
        await migrations.upgrade_async(self._url_of(name))
        return name

    async def _create(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(self.url)
        try:
            # A copy of files would force two checkpoints; WAL is quicker for small databases and disturbs nobody.
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY wal_log')
        finally:
            await connection.close()
        self._made.append(name)
        return name

    def _url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))


@contextmanager
def server_folder() -> Iterator[Path]:
    """A temporary folder that PostgreSQL's account can pass through: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="firebreak-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@asynccontextmanager
async def kafka_server() -> AsyncIterator[KafkaServer]:
    """A Kafka of the caller's own, to be killed and restarted at will; gone at the end, with its data."""
    jars = await asyncio.to_thread(kafka_jars)
    clients, controller = free_ports(2)
    with server_folder() as folder:
        server = KafkaServer(folder / "kafka", folder / "kafka.log", KafkaPorts(clients, controller), jars)
        await server.start()
        try:
            yield server
        finally:
            await server.kill()  # in order it would take seconds to write what goes in the next moment


@asynccontextmanager
async def postgres_server() -> AsyncIterator[PostgresServer]:
    """A PostgreSQL of the caller's own, to be killed and restarted at will; gone at the end, with its data."""
    with server_folder() as folder:
        server = PostgresServer(folder / "postgres", folder / "postgres.log", free_ports(1)[0])
        await server.start()
        try:
            yield server
        finally:
            if server.running and server.pid is not None:
                os.kill(server.pid, signal.SIGQUIT)  # at once and without a checkpoint; no child outlives it
            await server.stop()
            shutil.rmtree(server.home)
