"""ticket-stream on real servers: each record has one effect and one event, whatever is lost on the way."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.stream_world import (
    IN,
    OUT,
    Obedient,
    Running,
    World,
    eventually,
    key_for,
    once,
    open_world,
    place_of,
)
from ticket_contracts.topics import Topic
from ticket_stream.failpoints import Failpoint, Failpoints
from ticket_stream.topic_admin import create_topics


@pytest_asyncio.fixture
async def world(kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str) -> AsyncIterator[World]:
    async with open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as opened:
        yield opened


async def test_each_record_has_one_effect_and_one_event_in_order_of_its_key(world: World) -> None:
    ids = [name for number in range(3) for name in await world.send(*[{}] * 50, key=key_for(number))]

    async with world.stream(Obedient("first")):
        await world.has_effects("first", ids)
        await eventually(world.outbox_is_empty)

    published = await world.events(OUT)
    assert sorted(event.id for event in published) == sorted(f"{name}+" for name in ids)
    for number in range(3):
        of_one_origin = [event for event in published if event.source == f"/firebreak/1/first/in.v1/{number}"]
        assert [event.id for event in of_one_origin] == [f"{name}+" for name in ids[50 * number : 50 * number + 50]]
        sequences = [event.sequence for event in of_one_origin if event.sequence is not None]
        assert sequences == sorted(set(sequences))
        assert len(sequences) == 50


async def test_a_stream_goes_on_where_it_stopped(world: World) -> None:
    before = await world.send(*[{}] * 10)
    async with world.stream(Obedient("first")):
        await world.has_effects("first", before)
    after = await world.send(*[{}] * 10)

    async with world.stream(Obedient("first")) as running:
        await world.has_effects("first", before + after)
        assert running.metric("repeats_total") == 0


async def test_a_published_record_that_appears_again_is_dropped(world: World) -> None:
    ids = await world.send(*[{}] * 5)
    async with world.stream(Obedient("first")):
        await eventually(lambda: has_published(world, 5))
    copies = [(b"k", event.data, event.headers()) for event in await world.events(OUT)]
    await world.append(OUT, place_of("k"), [*copies, *copies[2:]])
    last = await world.send({}, topic=OUT)

    async with world.stream(Obedient("second", forwards=False), reads=OUT) as running:
        await eventually(lambda: contains(world, "second", last))
        await world.has_effects("second", [f"{name}+" for name in ids] + last)
        assert running.metric("repeats_total") == 8


@pytest.mark.parametrize(
    "point", [Failpoint.COMMITTED_NOT_ANSWERED, Failpoint.COMMITTED_NOT_PUBLISHED, Failpoint.PUBLISHED_NOT_CLEANED]
)
async def test_a_fault_around_the_commit_loses_and_doubles_nothing(world: World, point: Failpoint) -> None:
    failpoints, reached = once(point, ConnectionResetError("cut"))
    ids = await world.send(*[{}] * 20)

    async with world.stream(Obedient("first"), failpoints=failpoints) as running:
        await eventually(lambda: is_at_least(reached, 2))
        later = await world.send(*[{}] * 5)
        await world.has_effects("first", ids + later)
        await eventually(world.outbox_is_empty)
        assert running.metric("republished_total") > 0

    async with world.stream(Obedient("second", forwards=False), reads=OUT):
        await world.has_effects("second", [f"{name}+" for name in ids + later])
    copies = [event.id for event in await world.events(OUT)]
    assert len(copies) == (25 if point is not Failpoint.PUBLISHED_NOT_CLEANED else 45)


async def test_a_fault_during_the_take_over_is_a_take_over_again(world: World) -> None:
    failpoints, reached = once(Failpoint.TAKING_OVER, ConnectionResetError("cut"))
    ids = await world.send(*[{}] * 5)

    async with world.stream(Obedient("first"), failpoints=failpoints):
        await world.has_effects("first", ids)
        assert len(reached) > 1


async def test_a_raised_revision_fences_what_was_processed_meanwhile(world: World) -> None:
    processor = Obedient("first")
    async with world.stream(processor) as running:
        await running.ready()
        await world.pool.execute("UPDATE stream_positions SET revision = revision + 1")
        ids = await world.send(*[{}] * 10)
        await world.has_effects("first", ids)
        assert running.metric("fenced_total") >= 1
        assert sorted(processor.committed) == sorted(ids)


async def test_a_processor_that_swallows_a_database_error_commits_nothing_unseen(world: World) -> None:
    ids = await world.send({"swallow": True}, {})

    async with world.stream(Obedient("first", forwards=False)):
        await world.has_effects("first", ids)


async def test_a_deadlock_is_tried_again_with_the_whole_batch(world: World) -> None:
    processor = Obedient("first")
    processor.fail_once = [asyncpg.DeadlockDetectedError("deadlock"), TimeoutError("slow"), OSError("away")]
    ids = await world.send(*[{}] * 3)

    async with world.stream(processor) as running:
        await world.has_effects("first", ids)
        assert running.metric("retries_total") == 3
        assert processor.calls[0] == processor.calls[3] == ids


async def test_reading_stops_while_too_much_is_unpublished(world: World) -> None:
    gate = asyncio.Event()

    async def wait_at_the_gate() -> None:
        await gate.wait()

    ids = [name for _ in range(4) for name in await world.send(*[{}] * 50)]

    async with world.stream(
        Obedient("first"),
        failpoints=Failpoints({Failpoint.PUBLISHED_NOT_CLEANED: wait_at_the_gate}),
        batch_size=20,
        max_unpublished=40,
    ) as running:
        await eventually(lambda: is_true(running.metric("back_pressure") == 1))
        assert len(await world.effects("first")) <= 60
        assert len(await world.effects("first")) >= 40
        gate.set()
        await world.has_effects("first", ids)
        await eventually(world.outbox_is_empty)


async def test_the_lag_of_every_partition_is_reported(world: World) -> None:
    ids = await world.send({"bug": True}, {}, {}, key=key_for(1))

    async with world.stream(Obedient("first")) as running:
        await eventually(lambda: is_true(running.metric("lag", topic=IN.name, partition="1") == len(ids)))
        assert running.metric("lag", topic=IN.name, partition="0") == 0


async def test_a_stream_waits_for_topics_that_nobody_has_made_yet(world: World) -> None:
    later = Topic("later.v1", key="anything", purpose="tests", partitions_local=3, partitions_production=3)
    async with world.stream(Obedient("first"), reads=later) as running:
        await eventually(lambda: waits_for(running, "does not exist"))
        await create_topics(world.kafka, world.prefix, [later])
        ids = await world.send({}, topic=later)
        await world.has_effects("first", ids)


async def has_published(world: World, count: int) -> bool:
    return len(await world.events(OUT)) >= count


async def contains(world: World, consumer: str, ids: list[str]) -> bool:
    return set(ids) <= set(await world.effects(consumer))


async def is_at_least(reached: list[int], count: int) -> bool:
    return len(reached) >= count


async def is_true(value: bool) -> bool:
    return value


async def waits_for(running: Running, words: str) -> bool:
    return words in (await running.stream.ready() or "")
