"""Many publish at an edge at once: batches keep order, callers apart and the promised time."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.support.servers import SharedKafka, SharedPostgres, kafka_server
from tests.support.stream_world import IN, OUT, eventually, open_world
from ticket_contracts.envelope import Event
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_stream.edge_publisher import EventTooLarge, KafkaAway, open_edge_publisher
from ticket_stream.topic_admin import create_topics, open_admin

PUBLISH_SECONDS = 1.5
SLACK_SECONDS = 1.0  # for a machine under load


def event(data: bytes = b"{}") -> Event:
    return Event(id=str(uuid4()), source="/test", type="test.v1", time=datetime.now(UTC), data=data)


def made(each: Event) -> tuple[str, Event]:
    return "one key", each


async def test_events_of_one_key_keep_their_order_and_none_is_lost(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    sent = [event() for _ in range(500)]
    async with (
        open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world,
        open_edge_publisher(kafka.bootstrap, topic_prefix, topics=[IN, OUT]) as publisher,
    ):
        await asyncio.gather(*(publisher.publish(IN, "one key", each) for each in sent))
        assert await world.events(IN) == sent


async def test_more_than_one_batch_holds_goes_with_the_next(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    sent = [event(b"x" * (MAX_EVENT_BYTES // 2)) for _ in range(6)]
    async with (
        open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world,
        open_edge_publisher(kafka.bootstrap, topic_prefix, topics=[IN, OUT]) as publisher,
    ):
        await asyncio.gather(*(publisher.publish(IN, "one key", each) for each in sent))
        assert await world.events(IN) == sent


async def test_a_topic_that_refuses_a_batch_harms_nobody_in_the_same_flight(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    async with (
        open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world,
        open_admin(kafka.bootstrap) as admin,
        open_edge_publisher(kafka.bootstrap, topic_prefix, topics=[IN, OUT]) as publisher,
    ):
        small = {"max.message.bytes": "1000"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic_prefix + OUT.name, small)])

        async def is_small() -> bool:
            # In another partition: Kafka takes nothing behind a refused batch where it has taken something before.
            try:
                await publisher.publish(OUT, "another key", event(os.urandom(2000)))
            except EventTooLarge:
                return True
            return False

        await eventually(is_small)  # the broker hears of it after the controller has answered
        sent = [event() for _ in range(20)]
        taken = [publisher.publish(IN, f"key {number}", each) for number, each in enumerate(sent)]
        refused = publisher.publish(OUT, "one key", event(os.urandom(2000)))
        answers = await asyncio.gather(*taken, refused, return_exceptions=True)
        assert [type(answer) for answer in answers] == [type(None)] * 20 + [EventTooLarge]
        assert {each.id for each in await world.events(IN)} == {each.id for each in sent}
        await publisher.publish(OUT, "one key", event())


async def test_a_caller_who_leaves_takes_nobody_along(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    async with (
        open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()),
        open_edge_publisher(kafka.bootstrap, topic_prefix, topics=[IN, OUT]) as publisher,
    ):
        calls = [asyncio.create_task(publisher.publish(IN, "one key", event())) for _ in range(20)]
        await asyncio.sleep(0)  # all have asked
        calls[0].cancel()
        calls[7].cancel()
        await asyncio.wait(calls)
        assert [call.cancelled() for call in calls] == [number in (0, 7) for number in range(20)]
        assert publisher.available()


async def test_an_event_that_cannot_be_made_harms_nobody_in_the_same_flight(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    def broken() -> tuple[str, Event]:
        raise LookupError("of this one")

    sent = [event() for _ in range(20)]
    async with (
        open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world,
        open_edge_publisher(kafka.bootstrap, topic_prefix, topics=[IN, OUT]) as publisher,
    ):
        calls = [publisher.publish_made(IN, partial(made, each)) for each in sent]
        calls.insert(10, publisher.publish_made(IN, broken))
        calls.append(publisher.publish_made(IN, partial(made, event(b"x" * (MAX_EVENT_BYTES + 1)))))
        answers = await asyncio.gather(*calls, return_exceptions=True)
        acknowledged = [type(None)] * 10
        assert [type(answer) for answer in answers] == [*acknowledged, LookupError, *acknowledged, EventTooLarge]
        assert await world.events(IN) == sent
        assert publisher.available()


async def test_an_event_is_made_when_its_flight_goes_and_not_for_who_has_left(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    told: list[str] = []
    takes_off = asyncio.Event()

    def say(name: str) -> tuple[str, Event]:
        told.append(f"{name} is made")
        takes_off.set()
        return made(event())

    async with (
        open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world,
        open_edge_publisher(kafka.bootstrap, topic_prefix, topics=[IN, OUT]) as publisher,
    ):
        first = publisher.publish_made(IN, partial(say, "the first"))
        first.add_done_callback(lambda _: told.append("the first is acknowledged"))
        await takes_off.wait()
        second, left = (publisher.publish_made(IN, partial(say, name)) for name in ("the second", "who left"))
        left.cancel()
        await asyncio.gather(first, second)
        assert told == ["the first is made", "the first is acknowledged", "the second is made"]
        assert len(await world.events(IN)) == 2


async def test_a_topic_that_nobody_was_told_of_is_published_to_as_well(
    kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str
) -> None:
    sent = event()
    async with (
        open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as world,
        open_edge_publisher(kafka.bootstrap, topic_prefix) as publisher,
    ):
        await publisher.publish_made(IN, partial(made, sent))
        assert await world.events(IN) == [sent]


async def test_while_kafka_is_frozen_everybody_hears_so_in_time(topic_prefix: str) -> None:
    async with kafka_server() as server:
        await create_topics(server.bootstrap, topic_prefix, [IN])
        async with open_edge_publisher(
            server.bootstrap, topic_prefix, publish_seconds=PUBLISH_SECONDS, topics=[IN]
        ) as publisher:
            await publisher.publish(IN, "one key", event())
            assert server.pid is not None
            os.kill(server.pid, signal.SIGSTOP)
            try:
                began = time.monotonic()
                first = asyncio.create_task(publisher.publish(IN, "one key", event()))
                await asyncio.sleep(0)  # the first is on its way alone; the others wait behind it
                others = [publisher.publish(IN, f"key {number}", event()) for number in range(30)]
                answers = await asyncio.gather(first, *others, return_exceptions=True)
                assert time.monotonic() - began < PUBLISH_SECONDS + SLACK_SECONDS
            finally:
                os.kill(server.pid, signal.SIGCONT)
    assert {type(answer) for answer in answers} == {KafkaAway}
    assert len({id(answer) for answer in answers}) == len(answers)  # everyone's traceback is their own
