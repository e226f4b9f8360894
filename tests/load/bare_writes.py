"""The limit of `message_to_ticket`: the same rows and records per message in batches of 500, with no logic at all.

    python -m tests.load.bare_writes SOURCE_DATABASE DATABASE KAFKA TOPIC SECONDS

Rows and records are those that the stack itself wrote for its newest tickets, under new ids, made before the clock
starts. One transaction of COPYs per batch, the records published while the next batch is written: the best that this
machine's Kafka and PostgreSQL give to one Python process. Rows that do not stay (outbox, positions) are left out.
"""

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID, uuid4

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.load.bare_event import bare_producer
from ticket_contracts.topics import COMMANDS, MESSAGES, TICKETS, partition_of

BATCH = 500
SAMPLE = 1_000  # tickets whose rows are copied
PREPARED_BATCHES = 80  # made before the clock starts; when they are used up the lap is over
RECORDS_PER_MESSAGE = (MESSAGES, COMMANDS, TICKETS)

# By ticket; what stands for a ticket id, contact id, number or hash is made new.
_TABLES = {
    "threads": "SELECT * FROM threads WHERE ticket_id = ANY($1)",
    "contacts": "SELECT * FROM contacts WHERE contact_id IN (SELECT contact_id FROM tickets WHERE ticket_id = ANY($1))",
    "inbound_messages": "SELECT * FROM inbound_messages WHERE ticket_id = ANY($1)",
    "ticket_events": "SELECT * FROM ticket_events WHERE ticket_id = ANY($1)",
    "tickets": "SELECT * FROM tickets WHERE ticket_id = ANY($1)",
    "clocks": "SELECT * FROM clocks WHERE ticket_id = ANY($1)",
    "messages": "SELECT * FROM messages WHERE ticket_id = ANY($1)",
    "stream_timers": "SELECT * FROM stream_timers WHERE key = ANY($1::text[])",
}
_NEWEST = "SELECT ticket_id FROM tickets WHERE channel = 'web' ORDER BY number DESC LIMIT $1"
_FREE_NUMBER = "SELECT coalesce(max(number), 0) + 1 FROM tickets"

Row = tuple[object, ...]
Message = tuple[bytes, bytes, list[tuple[str, bytes]]]  # key, value, headers


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """Rows by table, and the records of each destination partition."""

    rows: dict[str, list[Row]]
    records: dict[int, list[Message]]


async def read_rows(database: str) -> tuple[dict[str, list[asyncpg.Record]], dict[str, tuple[str, ...]]]:
    """Return the newest tickets' rows and the columns of each table."""
    connection = await asyncpg.connect(database)
    try:
        tickets = [row[0] for row in await connection.fetch(_NEWEST, SAMPLE)]
        found = {}
        for table, query in _TABLES.items():
            ids = [str(ticket) for ticket in tickets] if table == "stream_timers" else tickets
            found[table] = await connection.fetch(query, ids)
    finally:
        await connection.close()
    return found, {table: tuple(rows[0].keys()) for table, rows in found.items()}


async def read_records(kafka: str) -> list[list[Message]]:
    """Return, for each topic that a message passes, some of its newest records."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        return [await newest_records(consumer, topic.name) for topic in RECORDS_PER_MESSAGE]
    finally:
        await consumer.stop()


async def newest_records(consumer: AIOKafkaConsumer, topic: str) -> list[Message]:
    """Return up to BATCH of the newest records of the first partition."""
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    end = (await consumer.end_offsets([partition]))[partition]
    consumer.seek(partition, max(0, end - BATCH))
    found: list[Message] = []
    while len(found) < min(BATCH, end):
        records = (await consumer.getmany(partition, timeout_ms=1000)).get(partition, [])
        found.extend((record.key, record.value, list(record.headers)) for record in records)
    return found


class Copies:
    """Makes rows like those of the sample, for tickets that did not exist."""

    def __init__(self, rows: dict[str, list[asyncpg.Record]], columns: dict[str, tuple[str, ...]], number: int) -> None:
        self._columns = columns
        self._numbers = itertools.count(number)
        self._by_ticket: dict[UUID, dict[str, list[asyncpg.Record]]] = {}
        for table, several in rows.items():
            for row in several:
                owner = UUID(row["key"]) if table == "stream_timers" else row.get("ticket_id")
                if owner is not None:
                    self._by_ticket.setdefault(owner, {}).setdefault(table, []).append(row)
        self._contacts = rows["contacts"]
        # Not every message makes a contact known: keep the share that the stack had.
        self._contacts_per_ticket = len(self._contacts) / max(1, len(self._by_ticket))

    def batch(self, records: Sequence[Sequence[Message]], partitions: int) -> PreparedBatch:
        rows: dict[str, list[Row]] = {table: [] for table in self._columns}
        placed: dict[int, list[Message]] = {number: [] for number in range(partitions)}
        chosen = list(itertools.islice(itertools.cycle(self._by_ticket.values()), BATCH))
        for number, sample in enumerate(chosen):
            ticket, unique = uuid4(), os.urandom(16)
            for table, several in sample.items():
                rows[table] += [self._renew(table, row, ticket, unique) for row in several]
            if number < BATCH * self._contacts_per_ticket:
                contact = self._contacts[number % len(self._contacts)]
                rows["contacts"].append(self._renew("contacts", contact, ticket, unique))
            for several_records in records:
                _, value, headers = several_records[number % len(several_records)]
                key = str(ticket).encode()
                placed[partition_of(key, partitions)].append((key, value, headers))
        return PreparedBatch(rows, placed)

    def _renew(self, table: str, row: asyncpg.Record, ticket: UUID, unique: bytes) -> Row:
        fresh: dict[str, object] = {"ticket_id": ticket, "thread_hash": unique, "key": str(ticket)}
        if table == "contacts":
            fresh = {"contact_id": ticket}
        elif table == "inbound_messages":
            fresh["identity"] = sha256(unique).digest()
        elif table == "tickets":
            fresh["number"] = next(self._numbers)
        return tuple(fresh.get(name, value) for name, value in row.items())


async def write(
    connection: "asyncpg.Connection[asyncpg.Record]", batch: PreparedBatch, columns: dict[str, tuple[str, ...]]
) -> None:
    """One transaction."""
    async with connection.transaction():
        for table, rows in batch.rows.items():
            await connection.copy_records_to_table(table, records=rows, columns=columns[table])
        identities = [("aurora", "email", str(row[0]), row[0]) for row in batch.rows["contacts"]]
        await connection.copy_records_to_table("contact_identities", records=identities)


async def publish(producer: AIOKafkaProducer, topic: str, batch: PreparedBatch) -> None:
    """Every partition's records, and wait for their acknowledgement."""
    await asyncio.gather(*(_publish_one(producer, topic, place, rows) for place, rows in batch.records.items()))


async def _publish_one(producer: AIOKafkaProducer, topic: str, place: int, records: Sequence[Message]) -> None:
    remaining = iter(records)
    waiting = next(remaining, None)
    while waiting is not None:
        batch = producer.create_batch()
        while waiting is not None:
            key, value, headers = waiting
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                break
            waiting = next(remaining, None)
        await (await producer.send_batch(batch, topic, partition=place))


async def measure(database: str, kafka: str, topic: str, seconds: float, source: str) -> float:
    """Return messages a second."""
    rows, columns = await read_rows(source)
    connection = await asyncpg.connect(database)
    copies = Copies(rows, columns, int(await connection.fetchval(_FREE_NUMBER)))
    producer = bare_producer(kafka)
    await producer.start()
    try:
        partitions = len(await producer.partitions_for(topic))
        records = await read_records(kafka)
        prepared: Iterator[PreparedBatch] = iter([copies.batch(records, partitions) for _ in range(PREPARED_BATCHES)])
        began, done = time.perf_counter(), 0
        publishing: asyncio.Task[None] | None = None
        for batch in prepared:
            await write(connection, batch, columns)
            if publishing is not None:
                await publishing
            publishing = asyncio.create_task(publish(producer, topic, batch))
            done += BATCH
            if time.perf_counter() - began > seconds:
                break
        if publishing is not None:
            await publishing
        return done / (time.perf_counter() - began)
    finally:
        await producer.stop()
        await connection.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rate = runner.run(measure(sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5]), sys.argv[1]))
    print(json.dumps({"rate": rate}))
