"""Streams on real servers: small topics, a processor that does what each record says, and what became of it all."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.structs import TopicPartition
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import create_async_engine

from ticket_contracts.envelope import Event, read_event
from ticket_contracts.topics import DEAD_LETTERS, Topic, partition_of
from ticket_stream.failpoints import NO_FAILPOINTS, Failpoint, Failpoints
from ticket_stream.failures import PoisonRecord, UnknownType
from ticket_stream.log_inspection import LogInspector
from ticket_stream.processing import Batch, Connection, NewEvent, Partition, Record
from ticket_stream.schema import METADATA
from ticket_stream.settings import StreamSettings
from ticket_stream.stream import Stream, open_stream
from ticket_stream.topic_admin import create_topics, open_admin

PARTITIONS = 3
IN = Topic("in.v1", key="anything", purpose="tests", partitions_local=PARTITIONS, partitions_production=PARTITIONS)
OUT = Topic("out.v1", key="anything", purpose="tests", partitions_local=PARTITIONS, partitions_production=PARTITIONS)
TOPICS = (IN, OUT, DEAD_LETTERS)

PATIENCE_SECONDS = 30  # other work shares the machine
_ASK_AGAIN_SECONDS = 0.02

_TABLES = """
CREATE TABLE effects (consumer text, partition int, key text, id text, kind text, at timestamptz);
CREATE TABLE unique_things (id text PRIMARY KEY);
CREATE TABLE guarded (id text PRIMARY KEY);
"""


def key_for(partition: int) -> str:
    """Return a key that goes to this partition."""
    return next(key for key in map(str, range(1000)) if place_of(key) == partition)


def place_of(key: str) -> int:
    """Return the partition of a key in the topics of these tests."""
    return partition_of(key.encode(), PARTITIONS)


async def eventually(condition: Callable[[], Awaitable[object]], seconds: float = PATIENCE_SECONDS) -> None:
    """Ask until the condition holds, or fail naming it."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {condition}")
        await asyncio.sleep(_ASK_AGAIN_SECONDS)


class Obedient:
    """A processor that does what the record's data says, stores one effect per record and passes it on to OUT."""

    def __init__(self, consumer: str, *, forwards: bool = True) -> None:
        self.consumer = consumer
        self.forwards = forwards
        self.calls: list[list[str]] = []
        self.fail_once: list[Exception] = []
        self.repaired = False
        self.committed: list[str] = []

    async def process(self, batch: Batch, connection: Connection) -> Sequence[NewEvent]:
        self.calls.append([record.event.id for record in batch.records])
        if self.fail_once:
            raise self.fail_once.pop()
        events = []
        rows = []
        for record in batch.records:
            order = json.loads(record.event.data)
            await self._obey(order, record, batch, connection)
            rows.append((record.origin.number, record.key, record.event.id, "record"))
            if self.forwards:
                events.append(self.forward(record.origin, record.key, record.event.id, record.event.data, batch.now))
        for timer in batch.timers:
            rows.append((timer.origin.number, timer.key, timer.key, "timer"))
            if timer.key == "poison timer" and not self.repaired:
                raise RuntimeError("a timer that cannot fire")
        await connection.executemany(
            "INSERT INTO effects VALUES ($1, $2, $3, $4, $5, clock_timestamp())",
            [(self.consumer, *row) for row in rows],
        )
        batch.after_commit.append(lambda: self.committed.extend(record.event.id for record in batch.records))
        return events

    def forward(self, origin: Partition, key: str, event_id: str, data: bytes, now: datetime) -> NewEvent:
        return NewEvent(origin=origin, topic=OUT.name, key=key, id=f"{event_id}+", type="test.v1", time=now, data=data)

    async def _obey(self, order: Mapping[str, Any], record: Record, batch: Batch, connection: Connection) -> None:
        if order.get("poison"):
            raise PoisonRecord("as ordered")
        if order.get("unknown") and not self.repaired:
            name = order["unknown"]
            raise UnknownType(name if isinstance(name, str) else "firebreak.test.from-the-future.v9")
        if order.get("bug") and not self.repaired:
            raise KeyError("a bug")
        if order.get("nul"):
            await connection.execute("INSERT INTO unique_things VALUES ($1)", "a\0b")
        if "unique" in order:
            await connection.execute("INSERT INTO unique_things VALUES ($1)", order["unique"])
        if "guarded" in order:
            await connection.execute("INSERT INTO guarded VALUES ($1)", order["guarded"])
        if order.get("swallow") and not self.repaired:
            try:
                await connection.execute("SELECT 1 / 0")
            except asyncpg.DivisionByZeroError:
                self.repaired = True  # a processor must not do this; the runtime has to survive it
        if "timer" in order:
            due = None if order["timer"] is None else batch.now + timedelta(seconds=order["timer"])
            batch.schedule(record.origin, order.get("timer_key", record.key), due)


class World:
    """One prefix on Kafka and one database."""

    def __init__(self, kafka: str, prefix: str, url: str, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.kafka = kafka
        self.prefix = prefix
        self.url = url
        self.pool = pool

    def settings(self, **changes: Any) -> StreamSettings:
        known: dict[str, Any] = {"kafka": self.kafka, "topic_prefix": self.prefix, "catch_up_seconds": 1.0}
        return StreamSettings(**(known | changes))

    @asynccontextmanager
    async def stream(
        self,
        processor: Obedient,
        *,
        reads: Topic = IN,
        failpoints: Failpoints = NO_FAILPOINTS,
        on_dead_letter: Any = None,
        pool: "asyncpg.Pool[asyncpg.Record] | None" = None,
        **changes: Any,
    ) -> AsyncIterator["Running"]:
        """Run a stream while the block lasts; it then leaves in order, unless it has ended before."""
        registry = CollectorRegistry()
        async with open_stream(
            self.settings(**changes),
            processor,
            consumer=processor.consumer,
            reads=[reads],
            writes=[OUT],
            pool=pool or self.pool,
            failpoints=failpoints,
            on_dead_letter=on_dead_letter,
            registry=registry,
        ) as stream:
            running = Running(stream, asyncio.create_task(stream.run()), registry, processor.consumer)
            try:
                yield running
            finally:
                await running.end()

    async def send(
        self, *orders: Mapping[str, Any], key: str = "k", topic: Topic = IN, partition: int | None = None
    ) -> list[str]:
        """Append one event per order, in one batch; return their ids."""
        ids = [str(order.get("id", uuid4())) for order in orders]
        now = datetime.now(UTC)
        events = [
            Event(id=event_id, source="/test", type="test.v1", time=now, data=json.dumps(order).encode())
            for event_id, order in zip(ids, orders, strict=True)
        ]
        place = place_of(key) if partition is None else partition
        await self.append(topic, place, [(key.encode(), event.data, event.headers()) for event in events])
        return ids

    async def append(
        self, topic: Topic, partition: int, records: Sequence[tuple[bytes | None, bytes | None, Any]]
    ) -> None:
        """Append records as they are."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all", max_batch_size=1024 * 1024)
        try:
            await producer.start()
            for start in range(0, len(records), 1000):
                batch = producer.create_batch()
                for key, value, headers in records[start : start + 1000]:
                    assert batch.append(timestamp=None, key=key, value=value, headers=headers) is not None
                await (await producer.send_batch(batch, self.prefix + topic.name, partition=partition))
        finally:
            await producer.stop()

    async def append_in_transaction(self, topic: Topic, partition: int, order: Mapping[str, Any]) -> None:
        """Append one event in a Kafka transaction, as a stranger may: its marker takes an offset of its own."""
        event = Event(id=str(uuid4()), source="/x", type="test.v1", time=datetime.now(UTC), data=b"{}")
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, transactional_id=f"{self.prefix}strange")
        try:
            await producer.start()
            async with producer.transaction():
                await producer.send_and_wait(
                    self.prefix + topic.name,
                    json.dumps(order).encode(),
                    key=b"k",
                    partition=partition,
                    headers=event.headers(),
                )
        finally:
            await producer.stop()

    async def events(self, topic: Topic) -> list[Event]:
        """Everything in the topic, in order per partition."""
        inspector = LogInspector(self.kafka, 5.0)
        try:
            partitions = [TopicPartition(self.prefix + topic.name, n) for n in range(topic.partitions_local)]
            spans = {item: (found.start, found.end) for item, found in (await inspector.bounds(partitions)).items()}
            return [read_event(raw.headers, raw.value) async for raw in inspector.read(spans)]
        finally:
            await inspector.close()

    async def end(self, topic: Topic, partition: int) -> int:
        """The number of records ever appended to a partition."""
        inspector = LogInspector(self.kafka, 5.0)
        try:
            physical = TopicPartition(self.prefix + topic.name, partition)
            return (await inspector.watermarks([physical]))[physical]
        finally:
            await inspector.close()

    async def effects(self, consumer: str, kind: str = "record") -> list[str]:
        rows = await self.pool.fetch(
            "SELECT id FROM effects WHERE consumer = $1 AND kind = $2 ORDER BY at", consumer, kind
        )
        return [row["id"] for row in rows]

    async def has_effects(self, consumer: str, ids: Sequence[str], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until exactly these records have an effect, each one once."""

        async def all_there() -> bool:
            return len(await self.effects(consumer)) >= len(ids)

        await eventually(all_there, seconds)
        assert sorted(await self.effects(consumer)) == sorted(ids)

    async def outbox_is_empty(self) -> bool:
        return not await self.pool.fetchval("SELECT count(*) FROM outbox")

    async def recreate_topic(self, topic: Topic) -> None:
        """Delete a topic and make it again, as a wiped Kafka would have it."""
        name = self.prefix + topic.name
        async with open_admin(self.kafka) as admin:
            await admin.delete_topics([name])

            async def is_gone() -> bool:
                return name not in await admin.list_topics()

            await eventually(is_gone)
        await create_topics(self.kafka, self.prefix, [topic])


class Running:
    """A stream at work."""

    def __init__(self, stream: Stream, task: "asyncio.Task[None]", registry: CollectorRegistry, consumer: str) -> None:
        self.stream = stream
        self.task = task
        self._registry = registry
        self._consumer = consumer

    def metric(self, name: str, **labels: str) -> float:
        found = self._registry.get_sample_value(f"firebreak_stream_{name}", {"consumer": self._consumer, **labels})
        return found or 0.0

    async def is_ready(self) -> bool:
        if self.task.done():
            self.task.result()
        return await self.stream.ready() is None

    async def ready(self) -> None:
        await eventually(self.is_ready)

    async def end(self) -> None:
        self.stream.stop()
        await asyncio.wait({self.task}, timeout=PATIENCE_SECONDS)
        if not self.task.done():
            self.task.cancel()
            await asyncio.wait({self.task})


@asynccontextmanager
async def open_world(kafka: str, prefix: str, url: str) -> AsyncIterator[World]:
    """Make topics and tables, and delete the topics at the end."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()
    await create_topics(kafka, prefix, TOPICS)
    pool = await asyncpg.create_pool(url, min_size=1, max_size=10, timeout=5)
    try:
        await pool.execute(_TABLES)
        yield World(kafka, prefix, url, pool)
    finally:
        await pool.close()
        async with open_admin(kafka) as admin:
            made = [name for name in await admin.list_topics() if name.startswith(prefix)]
            await admin.delete_topics(made)


def once(point: Failpoint, error: Exception) -> tuple[Failpoints, list[int]]:
    """A failpoint that raises the first time it is reached, and the list that grows with each time."""
    reached: list[int] = []

    async def raise_once() -> None:
        reached.append(1)
        if len(reached) == 1:
            raise error

    return Failpoints({point: raise_once}), reached
