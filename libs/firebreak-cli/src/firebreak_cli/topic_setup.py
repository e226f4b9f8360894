"""Making the topics of the table in `ticket_contracts.topics`, and refusing those that are not as it says."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from firebreak_cli.local_stack.errors import LocalStackError
from ticket_contracts.topics import TOPICS, Topic

NO_ERROR = 0
TOPIC_ALREADY_EXISTS = 36  # https://kafka.apache.org/protocol#protocol_error_codes
VISIBLE_TIMEOUT = 10.0  # seconds; a new topic shows after 3–520 ms
ASK_AGAIN = 0.02  # seconds


class TopicError(LocalStackError):
    """A topic cannot be made, or is not as the table says."""


async def create_topics(bootstrap: str, prefix: str, topics: Sequence[Topic] = TOPICS) -> None:
    """Create what is missing, then verify every partition count. Existing topics are never changed."""
    async with _admin(bootstrap) as admin:
        wanted = [
            NewTopic(
                name=prefix + topic.name,
                num_partitions=topic.partitions_local,
                replication_factor=1,
                topic_configs=topic.configuration(),
            )
            for topic in topics
        ]
        response = await admin.create_topics(wanted)
        for name, code, *_ in response.topic_errors:  # errors come as codes, not as exceptions
            if code not in {NO_ERROR, TOPIC_ALREADY_EXISTS}:
                raise TopicError(f"Kafka does not create topic {name}: {for_code(code).__name__}")
        await _verify(admin, {prefix + topic.name: topic.partitions_local for topic in topics})


async def delete_topics(bootstrap: str, prefix: str, topics: Sequence[Topic] = TOPICS) -> None:
    """Delete the table's topics under a prefix, with all they hold."""
    async with _admin(bootstrap) as admin:
        await admin.delete_topics([prefix + topic.name for topic in topics])


async def _verify(admin: AIOKafkaAdminClient, wanted: dict[str, int]) -> None:
    """Compare partition counts; a key must stay in its partition, so a mismatch is never repaired silently."""
    found = await _partition_counts(admin, list(wanted))
    for name, count in wanted.items():
        if found[name] != count:
            raise TopicError(
                f"Topic {name} has {found[name]} partitions, expected {count}. Partition counts never change: use "
                "another Kafka or another FIREBREAK_TOPIC_PREFIX."
            )


async def _partition_counts(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Ask until every topic is visible and every partition has a leader."""
    deadline = time.monotonic() + VISIBLE_TIMEOUT
    while True:
        described = await admin.describe_topics(names)
        if all(
            topic["error_code"] == NO_ERROR and all(part["error_code"] == NO_ERROR for part in topic["partitions"])
            for topic in described
        ):
            return {topic["topic"]: len(topic["partitions"]) for topic in described}
        if time.monotonic() > deadline:
            raise TopicError(f"Topics are not visible {VISIBLE_TIMEOUT:.0f} s after they were created: {names}")
        await asyncio.sleep(ASK_AGAIN)


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()
