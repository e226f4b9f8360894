"""Where a streaming service begins: `open_stream` puts the parts of a stream together."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from prometheus_client import CollectorRegistry

from ticket_contracts.topics import DEAD_LETTERS, Topic
from ticket_stream.context import StreamContext
from ticket_stream.database_clock import DatabaseClock
from ticket_stream.failpoints import NO_FAILPOINTS, Failpoints
from ticket_stream.lease import new_owner
from ticket_stream.metrics import StreamMetrics
from ticket_stream.processing import DeadLetterWitness, Processor
from ticket_stream.settings import StreamSettings
from ticket_stream.stream_loop import Stream

__all__ = ["Stream", "open_stream"]


@asynccontextmanager
async def open_stream(
    settings: StreamSettings,
    processor: Processor,
    *,
    consumer: str,
    reads: Sequence[Topic],
    writes: Sequence[Topic],
    pool: "asyncpg.Pool[asyncpg.Record]",
    on_dead_letter: DeadLetterWitness | None = None,
    failpoints: Failpoints = NO_FAILPOINTS,
    registry: CollectorRegistry | None = None,
) -> AsyncIterator[Stream]:
    """Put a stream together; `Stream.run` does the work, and leaves in order when it ends.

    The pool lends two connections for as long as `run` lasts. Kafka and Postgres may be away.
    """
    written = tuple({topic.name: topic for topic in (*writes, DEAD_LETTERS)})
    topics = list({topic.name: topic for topic in (*reads, *writes, DEAD_LETTERS)}.values())
    context = StreamContext(
        settings=settings,
        consumer=consumer,
        owner=new_owner(),
        processor=processor,
        on_dead_letter=on_dead_letter,
        failpoints=failpoints,
        metrics=StreamMetrics(consumer, registry),
        clock=DatabaseClock(time.monotonic),
        reads=tuple(topic.name for topic in reads),
        writes=written,
    )
    yield Stream(context, topics, pool)
