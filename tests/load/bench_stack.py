"""The stack that is measured: the one of the journeys, but services speak to PostgreSQL without a proxy between."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import NewTopic

from firebreak_cli.service_process import PACKAGES
from tests.support.kept_part import KeptPart
from tests.support.stack import Stack, running_stack
from ticket_contracts.topics import TOPICS
from ticket_stream.topic_admin import create_topics, open_admin

PARTITIONS = 6  # as our own topics have locally
DOOR_PREFIX = "bench-door."
# A few thousand customers open more conversations here in a minute than anybody does in a year.
QUIET = {"FIREBREAK_LOG_LEVEL": "warning", "FIREBREAK_FLOOD_CONVERSATIONS": "0"}


def mail_ports(smtp: int, lmtp: int = 0) -> dict[str, str]:
    """Settings of a second process of ingest-email: it listens elsewhere; port 0 is any that is free."""
    return {"FIREBREAK_SMTP_PORT": str(smtp), "FIREBREAK_LMTP_PORT": str(lmtp)}


@dataclass(frozen=True, slots=True)
class BenchStack:
    """A running stack. `start_seconds`: servers, migrations, example configuration and services, all ready."""

    stack: Stack
    start_seconds: float

    def pids(self) -> dict[str, int]:
        """Every process of it by name."""
        return {label: part.part.pid for label, part in self.stack.parts.items() if part.part.pid is not None}

    async def create_topics(self, names: Sequence[str]) -> None:
        """Make topics for what is measured beside ours; as many partitions as ours have, records up to 512 KiB."""
        async with open_admin(self.stack.kafka_address) as admin:
            await admin.create_topics(
                [
                    NewTopic(
                        name=name,
                        num_partitions=PARTITIONS,
                        replication_factor=1,
                        topic_configs={"max.message.bytes": str(512 * 1024)},
                    )
                    for name in names
                ]
            )

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """Stop a service meanwhile: two processes of one would share its jobs, though only one knows them."""
        part = self.stack.parts[name]
        await part.stop()
        try:
            yield
        finally:
            await part.start()

    @asynccontextmanager
    async def lone_door(self, name: str, environment: Mapping[str, str]) -> AsyncIterator[KeptPart]:
        """Another process of an ingestor, whose topics nobody reads: what it takes costs nothing behind it."""
        await create_topics(self.stack.kafka_address, DOOR_PREFIX, TOPICS)
        whole = {"FIREBREAK_TOPIC_PREFIX": DOOR_PREFIX, "FIREBREAK_LOG_LEVEL": "warning", **environment}
        door = self.stack.add(name, label=f"{name} (door)", environment=whole)
        await door.start()
        try:
            yield door
        finally:
            await door.stop()
            del self.stack.parts[door.label]


@asynccontextmanager
async def bench_stack(configure: Callable[[Stack], None] | None = None) -> AsyncIterator[BenchStack]:
    """Start everything; `configure` may write other files of sources and mailboxes before the services read them."""
    began = time.monotonic()
    async with running_stack(services=()) as stack:
        if configure is not None:
            configure(stack)
        for name in PACKAGES:
            stack.add(name, environment={"FIREBREAK_POSTGRES": stack.database, **QUIET})
        for name in PACKAGES:
            await stack.parts[name].start()
        yield BenchStack(stack, time.monotonic() - began)
