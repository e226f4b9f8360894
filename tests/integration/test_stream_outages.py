"""ticket-stream with servers of its own that are killed: it waits, says so, and goes on."""

import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from firebreak_cli.local_stack.kafka_server import KafkaServer
from firebreak_cli.local_stack.postgres_server import PostgresServer
from tests.support.commit_cutter import Cut, open_commit_cutter, through
from tests.support.servers import SharedKafka, SharedPostgres, kafka_server, postgres_server
from tests.support.stream_world import IN, OUT, Obedient, Running, World, eventually, key_for, open_world
from ticket_contracts.envelope import Event
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_stream.edge_publisher import EdgePublisher, EventTooLarge, KafkaAway, open_edge_publisher
from ticket_stream.processing import Batch, Connection, NewEvent


@pytest_asyncio.fixture
async def own_kafka() -> AsyncIterator[KafkaServer]:
    async with kafka_server() as server:
        yield server


@pytest_asyncio.fixture
async def own_postgres() -> AsyncIterator[PostgresServer]:
    async with postgres_server() as server:
        yield server


def event(data: bytes = b"{}") -> Event:
    return Event(id=str(uuid4()), source="/test", type="test.v1", time=datetime.now(UTC), data=data)


async def test_a_stream_and_an_edge_live_through_a_killed_kafka(
    own_kafka: KafkaServer, postgres: SharedPostgres, topic_prefix: str
) -> None:
    async with (
        open_world(own_kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world,
        open_edge_publisher(own_kafka.bootstrap, topic_prefix, publish_seconds=2) as publisher,
    ):
        ids = await world.send(*[{}] * 20)
        async with world.stream(Obedient("first")) as running:
            await world.has_effects("first", ids)
            await own_kafka.kill()
            with pytest.raises(KafkaAway):
                await publisher.publish(IN, "k", event())
            assert not publisher.available()
            await own_kafka.restart()
            await eventually(lambda: is_available(publisher))
            await running.ready()
            last = event()
            await publisher.publish(IN, "k", last)
            await eventually(lambda: has_effect(world, last.id))
            await eventually(world.outbox_is_empty)
        effects = await world.effects("first")
        assert len(effects) == len(set(effects))


async def test_a_stream_that_starts_before_kafka_waits_for_it(
    own_kafka: KafkaServer, postgres: SharedPostgres, topic_prefix: str
) -> None:
    async with open_world(own_kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world:
        ids = await world.send(*[{}] * 3)
        await own_kafka.kill()
        async with world.stream(Obedient("first")) as running:
            await eventually(lambda: waits_for(running, "Kafka"))
            await own_kafka.restart()
            await world.has_effects("first", ids)
            await running.ready()


async def test_a_stream_stops_in_a_bounded_time_while_kafka_is_away(
    own_kafka: KafkaServer, postgres: SharedPostgres, topic_prefix: str
) -> None:
    async with open_world(own_kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world:
        ids = await world.send(*[{}] * 3)
        async with world.stream(Obedient("first"), stop_seconds=2.0) as running:
            await world.has_effects("first", ids)
            await own_kafka.kill()
            asked_at = time.monotonic()
            await running.end()
            assert running.task.done()
            assert time.monotonic() - asked_at < 3
        assert not await world.pool.fetchval("SELECT count(*) FROM stream_positions WHERE owner IS NOT NULL")
        await own_kafka.restart()


async def test_a_stream_lives_through_a_killed_postgres(
    kafka: SharedKafka, own_postgres: PostgresServer, topic_prefix: str
) -> None:
    async with open_world(kafka.bootstrap, topic_prefix, own_postgres.url) as world:
        ids = await world.send(*[{}] * 20)
        async with world.stream(Obedient("first")) as running:
            await world.has_effects("first", ids)
            await own_postgres.kill()
            ids += await world.send(*[{}] * 20)
            await eventually(lambda: is_unready(running))
            await own_postgres.restart()
            await running.ready()
            await world.has_effects("first", ids)
            await eventually(world.outbox_is_empty)


async def test_a_stream_stops_in_a_bounded_time_while_its_session_is_frozen(
    kafka: SharedKafka, own_postgres: PostgresServer, topic_prefix: str
) -> None:
    class Freezing(Obedient):
        backend = 0

        async def process(self, batch: Batch, connection: Connection) -> Sequence[NewEvent]:
            self.backend = await connection.fetchval("SELECT pg_backend_pid()")
            os.kill(self.backend, signal.SIGSTOP)
            return await super().process(batch, connection)

    async with open_world(kafka.bootstrap, topic_prefix, own_postgres.url) as world:
        processor = Freezing("first")
        await world.send({})
        async with world.stream(processor, stop_seconds=2.0) as running:
            await eventually(lambda: has_frozen(processor))
            try:
                asked_at = time.monotonic()
                await running.end()
                running.task.result()
                assert time.monotonic() - asked_at < 5
            finally:
                os.kill(processor.backend, signal.SIGCONT)


async def has_frozen(processor: Obedient) -> bool:
    return bool(processor.calls)


async def test_a_stream_whose_session_is_ended_at_its_stop_gives_its_partitions_back(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    async with open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world:
        ids = await world.send(*[{}] * 3)
        async with world.stream(Obedient("first")) as running:
            await world.has_effects("first", ids)
            running.stream.stop()
            await world.pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE 'owner-%' AND datname = current_database()"
            )
            await running.end()
            running.task.result()
        assert not await world.pool.fetchval("SELECT count(*) FROM stream_positions WHERE owner IS NOT NULL")


async def test_a_stream_that_starts_before_postgres_waits_for_it(
    kafka: SharedKafka, own_postgres: PostgresServer, topic_prefix: str
) -> None:
    async with open_world(kafka.bootstrap, topic_prefix, own_postgres.url) as world:
        ids = await world.send(*[{}] * 3)
        await own_postgres.kill()
        async with world.stream(Obedient("first")) as running:
            await eventually(lambda: is_unready(running))
            await own_postgres.restart()
            await world.has_effects("first", ids)


@pytest.mark.parametrize("cut", list(Cut))
async def test_a_connection_cut_after_commit_was_sent_loses_and_doubles_nothing(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str, cut: Cut
) -> None:
    url = await postgres.empty_database()
    async with (
        open_world(kafka.bootstrap, topic_prefix, url) as world,
        open_commit_cutter(urlsplit(url).port or 5432) as cutter,
        asyncpg.create_pool(through(cutter.port, url), min_size=1, max_size=4) as pool,
        world.stream(Obedient("first"), pool=pool) as running,
    ):
        ids = await world.send(*[{}] * 5)
        await world.has_effects("first", ids)
        for _ in range(3):
            cutter.cut_next(cut)
            ids += await world.send(*[{}] * 5)
            await world.has_effects("first", ids)
            await running.ready()
        await eventually(world.outbox_is_empty)
        assert cutter.done[cut] == 3
        assert running.metric("commits_unanswered_total") >= 1
        async with world.stream(Obedient("second", forwards=False), reads=OUT):
            await world.has_effects("second", [f"{name}+" for name in ids])


async def test_an_edge_publishes_to_the_partition_of_the_key(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    async with (
        open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world,
        open_edge_publisher(kafka.bootstrap, topic_prefix, topics=[IN, OUT]) as publisher,
    ):
        assert publisher.available()
        sent = event(b'{"text": "\xe4\xbd\xa0"}')
        await publisher.publish(IN, key_for(2), sent)
        assert await world.events(IN) == [sent]
        assert await world.end(IN, 2) == 1
        with pytest.raises(EventTooLarge):
            await publisher.publish(IN, "k", event(b"x" * (MAX_EVENT_BYTES + 1)))
        await publisher.publish(IN, "k", event(b"x" * MAX_EVENT_BYTES))


async def test_an_edge_without_kafka_says_so_at_once() -> None:
    async with open_edge_publisher("127.0.0.1:1", "", publish_seconds=0.5) as publisher:
        assert not publisher.available()
        with pytest.raises(KafkaAway):
            await publisher.publish(IN, "k", event())


async def is_available(publisher: EdgePublisher) -> bool:
    return publisher.available()


async def has_effect(world: World, event_id: str) -> bool:
    return event_id in await world.effects("first")


async def waits_for(running: Running, words: str) -> bool:
    return words in (await running.stream.ready() or "")


async def is_unready(running: Running) -> bool:
    return await running.stream.ready() is not None
