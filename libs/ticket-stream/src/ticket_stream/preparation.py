"""What has to be true before a stream reads its first record: topics as they were, and a row per partition."""

from collections.abc import Sequence

from aiokafka.structs import TopicPartition

from ticket_contracts.topics import Topic
from ticket_stream import positions
from ticket_stream.context import StreamContext
from ticket_stream.failures import StreamRefused
from ticket_stream.log_inspection import LogInspector
from ticket_stream.processing import Connection
from ticket_stream.topic_admin import read_partition_counts


async def prepare(
    context: StreamContext, topics: Sequence[Topic], connection: Connection, inspector: LogInspector
) -> None:
    """Verify partition counts and make the rows of a new consumer at the logs' first offsets.

    :raises StreamRefused: a topic has not the partitions it always had.
    :raises TopicMissing, OSError: not yet; to be called again.
    """
    prefix = context.settings.topic_prefix
    counts = await read_partition_counts(context.settings.kafka, prefix, topics)
    for topic, found in counts.items():
        remembered = await positions.remember_topic(connection, topic, found)
        if remembered != found:
            raise StreamRefused(
                f"topic {prefix}{topic} has {found} partitions, but {remembered} when it was first used: keys have "
                "moved. Use the Kafka and the database that belong together, or another FIREBREAK_TOPIC_PREFIX"
            )
    for name in context.reads:
        missing = await positions.missing_partitions(connection, context.consumer, name, counts[name])
        physical = {number: TopicPartition(prefix + name, number) for number in missing}
        bounds = await inspector.bounds(list(physical.values())) if physical else {}
        starts = {number: bounds[item].start for number, item in physical.items()}
        if starts:
            await positions.create(connection, context.consumer, name, starts)
    context.counts = counts
