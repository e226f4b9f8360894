"""The limit of `timers_fired`: the same rows and records per timer, in the engine's batches, with no logic at all.

The rows are those that the engine has just written, one version on, made before the clock starts. One transaction a
batch, its records published while the next is written: so much this machine's Kafka and PostgreSQL give to one Python
process. Rows that do not stay (outbox, positions) are left out.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer

from tests.load.bare_event import bare_producer
from tests.load.bare_writes import BATCH, Message, PreparedBatch, newest_records, publish
from ticket_contracts.topics import ALERTS, TICKETS, partition_of
from ticket_store.tables import clocks, ticket_events, tickets

_EVENTS = "SELECT * FROM ticket_events WHERE ticket_id = ANY($1) AND version = 2"
_TICKETS = """
SELECT ticket_id, version AS loaded_version, version + 1 AS version, status, priority, team, assignee,
       first_response_due_at, next_due_at, successor_id, state
FROM tickets WHERE ticket_id = ANY($1)
"""
_CLOCKS = f"SELECT {', '.join(clocks.CLOCK_COLUMNS)} FROM clocks WHERE ticket_id = ANY($1)"
_TIMERS = "INSERT INTO stream_timers (position_id, key, due_at) SELECT 1, unnest($1::text[]), now()"
_FIRED = "DELETE FROM stream_timers WHERE position_id = 1 AND key = ANY($1::text[])"


async def measure_bare_timers(database: str, kafka: str, topic: str, ids: Sequence[UUID]) -> float:
    """Return timers a second."""
    connection = await asyncpg.connect(database)
    producer = bare_producer(kafka)
    await producer.start()
    try:
        records = await _records(kafka)
        partitions = len(await producer.partitions_for(topic))
        prepared = [
            (
                await _prepare(connection, ids[place : place + BATCH]),
                _placed(records, ids[place : place + BATCH], partitions),
            )
            for place in range(0, len(ids), BATCH)
        ]
        began = time.perf_counter()
        publishing: asyncio.Task[None] | None = None
        for rows, placed in prepared:
            await _write(connection, rows)
            if publishing is not None:
                await publishing
            publishing = asyncio.create_task(publish(producer, topic, placed))
        if publishing is not None:
            await publishing
        return len(ids) / (time.perf_counter() - began)
    finally:
        await producer.stop()
        await connection.close()


class _Rows:
    """What one batch writes."""

    def __init__(self, ids: Sequence[UUID], found: Sequence[Sequence[asyncpg.Record]]) -> None:
        events, self.tickets, self.clocks = found
        self.ids = list(ids)
        self.events = [tuple({**row, "version": 3}[name] for name in ticket_events.NEW_EVENT_COLUMNS) for row in events]


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]", ids: Sequence[UUID]) -> _Rows:
    await connection.execute(_TIMERS, [str(each) for each in ids])
    return _Rows(ids, [await connection.fetch(query, list(ids)) for query in (_EVENTS, _TICKETS, _CLOCKS)])


async def _write(connection: "asyncpg.Connection[asyncpg.Record]", rows: _Rows) -> None:
    async with connection.transaction():
        await connection.fetch(tickets.LOAD_STATES, rows.ids)
        await connection.copy_records_to_table(
            "ticket_events", records=rows.events, columns=ticket_events.NEW_EVENT_COLUMNS
        )
        await connection.execute(tickets.UPDATE_TICKETS, datetime.now(UTC), *map(list, zip(*rows.tickets, strict=True)))
        await connection.execute(clocks.UPDATE_CLOCKS, *map(list, zip(*rows.clocks, strict=True)))
        await connection.execute(_FIRED, [str(each) for each in rows.ids])


async def _records(kafka: str) -> list[list[Message]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        return [await newest_records(consumer, topic.name) for topic in (TICKETS, ALERTS)]
    finally:
        await consumer.stop()


def _placed(records: Sequence[Sequence[Message]], ids: Sequence[UUID], partitions: int) -> PreparedBatch:
    placed: dict[int, list[Message]] = {number: [] for number in range(partitions)}
    for number, ticket_id in enumerate(ids):
        key = str(ticket_id).encode()
        for several in records:
            _, value, headers = several[number % len(several)]
            placed[partition_of(key, partitions)].append((key, value, headers))
    return PreparedBatch({}, placed)
