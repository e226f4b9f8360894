"""Has a stack done all its work? Everything read, everything published, no timer waiting that is due."""

from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from tests.support.kept_part import wait_until
from ticket_contracts.topics import COMMANDS, MESSAGES

_POSITIONS = "SELECT topic, partition, next_offset FROM stream_positions"
_REST = """
SELECT
    (SELECT count(*) FROM outbox) AS unpublished,
    (SELECT count(*) FROM stream_timers WHERE due_at < clock_timestamp() + make_interval(secs => $1)) AS timers
"""
LOOK_EVERY = 0.3  # seconds; a look opens connections, and the services need the processor more


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is left to do."""

    unread: int
    unpublished: int
    timers: int

    @property
    def is_empty(self) -> bool:
        return not (self.unread or self.unpublished or self.timers)


async def backlog(database: str, kafka: str, timers_within: float = 0.0) -> Backlog:
    """Look at a stack. `timers_within` counts timers too that come due within so many seconds."""
    connection = await asyncpg.connect(database)
    try:
        positions = {TopicPartition(row[0], row[1]): row[2] for row in await connection.fetch(_POSITIONS)}
        rest = await connection.fetchrow(_REST, timers_within)
    finally:
        await connection.close()
    ends = await _ends(kafka)
    unread = sum(end - positions.get(partition, 0) for partition, end in ends.items())
    assert rest is not None, "counts always come back"
    return Backlog(unread, rest["unpublished"], rest["timers"])


async def wait_until_settled(database: str, kafka: str, within: float, timers_within: float = 0.0) -> None:
    """Return when nothing is left to do; the servers may be coming back meanwhile.

    :raises tests.support.kept_part.NotInTime:
    """
    last: Backlog | None = None

    async def settled() -> bool:
        nonlocal last
        try:
            last = await backlog(database, kafka, timers_within)
        except (OSError, asyncpg.PostgresError, KafkaError):
            return False
        return last.is_empty

    try:
        await wait_until(settled, within, "everything read, published and fired", LOOK_EVERY)
    except AssertionError as error:
        error.add_note(f"left at the last look: {last}")
        raise


async def _ends(kafka: str) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        topics = (MESSAGES, COMMANDS)
        partitions = [
            TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions_local)
        ]
        return dict(await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()
