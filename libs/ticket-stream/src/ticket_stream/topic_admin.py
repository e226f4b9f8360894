"""Making topics with exact partition counts, and refusing those that have another.

A topic with a wrong count is the quietest way to lose order: keys would move to other partitions than the positions,
timers and outbox rows that belong to them. Kafka's auto-creation makes such topics, so nothing here relies on it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, for_code

from ticket_contracts.topics import Topic
from ticket_stream.failures import StreamRefused

_NO_ERROR = 0  # https://kafka.apache.org/protocol#protocol_error_codes
_UNKNOWN_TOPIC = 3
_LEADER_NOT_AVAILABLE = 5
_TOPIC_EXISTS = 36
_VISIBLE_SECONDS = 10.0  # a new topic shows after 3–520 ms on an idle node
_ASK_AGAIN_SECONDS = 0.02
_REQUEST_MS = 10_000  # an administrator's request; the broker writes metadata before it answers

Size = Literal["local", "production"]


class TopicMissing(Exception):
    """A topic does not exist yet; `firebreak up` or an operator makes it."""


@asynccontextmanager
async def open_admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """:raises OSError: Kafka is away."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka, request_timeout_ms=_REQUEST_MS)
    try:
        await client.start()
    except KafkaConnectionError as error:
        await client.close()
        raise ConnectionError(f"Kafka at {kafka} is away: {error}") from error
    try:
        yield client
    finally:
        await client.close()


async def create_topics(
    kafka: str, prefix: str, topics: Sequence[Topic], *, size: Size = "local", replication: int = 1
) -> None:
    """Create what is missing and verify the counts of all; an existing topic is never changed.

    :raises StreamRefused: a topic has another number of partitions.
    """
    counts = {
        prefix + topic.name: topic.partitions_local if size == "local" else topic.partitions_production
        for topic in topics
    }
    async with open_admin(kafka) as admin:
        response = await admin.create_topics(
            [
                NewTopic(
                    name=prefix + topic.name,
                    num_partitions=counts[prefix + topic.name],
                    replication_factor=replication,
                    topic_configs=topic.configuration(),
                )
                for topic in topics
            ]
        )
        for name, code, *_ in response.topic_errors:  # errors come as codes, not as exceptions (facts §4.3b)
            if code not in {_NO_ERROR, _TOPIC_EXISTS}:
                raise StreamRefused(f"Kafka does not create topic {name}: {for_code(code).__name__}")
        found = await _wait_until_visible(admin, list(counts))
    for name, count in counts.items():
        if found[name] != count:
            raise StreamRefused(_mismatch(name, found[name], [count]))


async def read_partition_counts(kafka: str, prefix: str, topics: Sequence[Topic]) -> dict[str, int]:
    """Return the partition count of each topic by its name without the prefix.

    :raises TopicMissing: one does not exist, or is being made.
    :raises StreamRefused: one has a number of partitions that the table of topics does not know.
    :raises OSError: Kafka is away.
    """
    names = {prefix + topic.name: topic for topic in topics}
    async with open_admin(kafka) as admin:
        described = await admin.describe_topics(list(names))
    counts: dict[str, int] = {}
    for entry in described:
        topic = names[entry["topic"]]
        if entry["error_code"] in {_UNKNOWN_TOPIC, _LEADER_NOT_AVAILABLE}:
            raise TopicMissing(f"topic {entry['topic']} does not exist")
        if entry["error_code"] != _NO_ERROR:
            raise StreamRefused(f"topic {entry['topic']}: {for_code(entry['error_code']).__name__}")
        counts[topic.name] = check_partition_count(prefix, topic, len(entry["partitions"]))
    return counts


def check_partition_count(prefix: str, topic: Topic, found: int) -> int:
    """:raises StreamRefused: the count is neither of the two that the table of topics names."""
    allowed = sorted({topic.partitions_local, topic.partitions_production})
    if found not in allowed:
        raise StreamRefused(_mismatch(prefix + topic.name, found, allowed))
    return found


async def _wait_until_visible(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while True:
        described = await admin.describe_topics(names)
        waiting = [
            entry["topic"]
            for entry in described
            if entry["error_code"] != _NO_ERROR or any(part["error_code"] != _NO_ERROR for part in entry["partitions"])
        ]
        if not waiting:
            return {entry["topic"]: len(entry["partitions"]) for entry in described}
        if time.monotonic() > deadline:
            raise TopicMissing(f"not visible {_VISIBLE_SECONDS:.0f} s after they were made: {', '.join(waiting)}")
        await asyncio.sleep(_ASK_AGAIN_SECONDS)


def _mismatch(name: str, found: int, allowed: Sequence[int]) -> str:
    expected = " or ".join(map(str, allowed))
    return (
        f"topic {name} has {found} partitions, expected {expected}. Counts never change, because keys would move: "
        "use another Kafka or another FIREBREAK_TOPIC_PREFIX, or delete the topic if nothing was ever sent to it"
    )
