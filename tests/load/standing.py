"""How far the streams of a stack have come: read from their positions in PostgreSQL, which cost next to nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.support.kept_part import NotInTime
from ticket_contracts.topics import COMMANDS, MESSAGES, Topic

_POSITION = "SELECT coalesce(sum(next_offset), 0)::bigint FROM stream_positions WHERE consumer = $1 AND topic = $2"
_UNPUBLISHED = "SELECT EXISTS (SELECT FROM outbox WHERE destination_topic = $1)"
_CONSUMERS = {MESSAGES.name: "router", COMMANDS.name: "sla-engine"}
LOOK_SECONDS = 0.02
SETTLE_SECONDS = 60.0


class Standing:
    """Made by `open_standing`."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", consumer: AIOKafkaConsumer) -> None:
        self._connection = connection
        self._consumer = consumer

    async def position(self, topic: Topic) -> int:
        """How many records of the topic its service has committed."""
        return int(await self._connection.fetchval(_POSITION, _CONSUMERS[topic.name], topic.name))

    async def stored(self) -> int:
        """How many messages have become part of a ticket: each is one command."""
        return await self.position(COMMANDS)

    async def behind(self, topic: Topic) -> int:
        """How many records of the topic wait for its service."""
        partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions_local)]
        ends = await self._consumer.end_offsets(partitions)
        return int(sum(ends.values())) - await self.position(topic)

    async def wait_until_stored(self, messages: int) -> float:
        """Wait until the router has committed so many messages and all that came of them is stored.

        Returns the `perf_counter` of the last progress: that all is done shows only later, when the outbox is empty.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        stored, progress = -1, time.perf_counter()
        while True:
            now_stored = await self.stored()
            if now_stored != stored:
                stored, progress = now_stored, time.perf_counter()
            elif await self._is_done(messages):
                return progress
            if time.monotonic() > deadline:
                raise NotInTime(f"not all of {messages} messages are stored after {SETTLE_SECONDS:.0f} s")
            await asyncio.sleep(LOOK_SECONDS)

    async def settle(self) -> None:
        """Return once nothing is under way."""
        await self.wait_until_stored(await self.position(MESSAGES) + await self.behind(MESSAGES))

    async def _is_done(self, messages: int) -> bool:
        return (
            await self.position(MESSAGES) >= messages
            and not await self._connection.fetchval(_UNPUBLISHED, COMMANDS.name)
            and not await self.behind(COMMANDS)
        )


@asynccontextmanager
async def open_standing(database: str, kafka: str) -> AsyncIterator[Standing]:
    """Connect to both servers."""
    connection = await asyncpg.connect(database)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    try:
        await consumer.start()
        yield Standing(connection, consumer)
    finally:
        await consumer.stop()
        await connection.close()
