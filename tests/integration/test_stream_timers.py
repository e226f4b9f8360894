"""ticket-stream on real servers: a timer fires once, and never before what was said in time has been read."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.stream_world import IN, Obedient, World, eventually, key_for, open_world, place_of
from ticket_stream import pauses
from ticket_stream.processing import Partition


@pytest_asyncio.fixture
async def world(kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str) -> AsyncIterator[World]:
    async with open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as opened:
        yield opened


async def test_a_timer_fires_once_soon_after_it_is_due(world: World) -> None:
    await world.send({"timer": 0.5}, key="soon")
    await world.send({"timer": 3600}, key="much later")
    await world.send({"timer": 0.2}, {"timer": 0.4}, key="moved")

    async with world.stream(Obedient("first")) as running:
        await eventually(lambda: has_fired(world, ["moved", "soon"]))
        assert running.metric("timers_fired_total") == 2
    rows = await world.pool.fetch("SELECT key FROM stream_timers")
    assert [row["key"] for row in rows] == ["much later"]


async def test_a_timer_that_came_due_while_nobody_ran_fires_at_the_next_start(world: World) -> None:
    ids = await world.send({"timer": 0.3}, key="k")
    async with world.stream(Obedient("first")):
        await world.has_effects("first", ids)
    await eventually(lambda: is_due(world))

    async with world.stream(Obedient("first")):
        await eventually(lambda: has_fired(world, ["k"]))
    async with world.stream(Obedient("first")) as running:
        await running.ready()
        assert running.metric("timers_fired_total") == 0


async def test_a_record_that_waits_in_the_log_wins_over_the_timer_it_cancels(world: World) -> None:
    ids = await world.send({"timer": 0.3}, key="k")
    async with world.stream(Obedient("first")):
        await world.has_effects("first", ids)
    await eventually(lambda: is_due(world))
    filler = await world.send(*[{}] * 200, {"timer": None, "timer_key": "k"}, key="other", partition=place_of("k"))

    async with world.stream(Obedient("first"), batch_size=10) as running:
        await world.has_effects("first", ids + filler)
        assert running.metric("timers_fired_total") == 0
    assert await world.effects("first", "timer") == []


async def test_a_timer_does_not_share_a_batch_with_a_record_of_its_key(world: World) -> None:
    processor = Obedient("first")
    ids = await world.send({"timer": -5}, key="k")
    async with world.stream(processor):
        await world.has_effects("first", ids)
        ids += await world.send({"timer": None}, key="k")
        await world.has_effects("first", ids)
        assert await world.effects("first", "timer") in ([], ["k"])


async def test_markers_at_the_end_of_the_log_hold_no_timer_and_look_like_no_stuck_consumer(world: World) -> None:
    await world.send({"timer": 0.2}, key="k")
    await world.append_in_transaction(IN, place_of("k"), {})

    async with world.stream(Obedient("first"), watchdog_seconds=2.0) as running:
        await eventually(lambda: has_fired(world, ["k"]))
        await world.send({"timer": 5.0, "timer_key": "later"}, key=key_for((place_of("k") + 1) % 3))
        await eventually(lambda: has_fired(world, ["k", "later"]))
        assert running.metric("consumers_renewed_total") == 0


async def test_many_timers_at_once_all_fire_once(world: World) -> None:
    orders = [{"timer": 0.5, "timer_key": f"timer {number}"} for number in range(3000)]
    await world.send(*orders, key=key_for(1))

    async with world.stream(Obedient("first")):
        expected = [f"timer {number}" for number in range(3000)]
        await eventually(lambda: has_fired(world, expected))


async def test_a_timer_that_cannot_fire_pauses_its_partition_and_a_skip_drops_it(world: World) -> None:
    await world.send({"timer": -1, "timer_key": "poison timer"}, {"timer": 0.5, "timer_key": "good"}, key=key_for(0))

    async with world.stream(Obedient("first")):
        await eventually(lambda: is_paused(world))
        (pause,) = await pauses.list_pauses(world.pool)
        assert pause.timer_key == "poison timer"
        await pauses.skip(world.pool, "first", Partition(IN.name, 0), "an operator")
        await eventually(lambda: has_fired(world, ["good"]))


async def has_fired(world: World, keys: list[str]) -> bool:
    fired = await world.effects("first", "timer")
    assert len(fired) == len(set(fired)), "a timer fired twice"
    return sorted(fired) == sorted(keys)


async def is_due(world: World) -> bool:
    return bool(await world.pool.fetchval("SELECT count(*) FROM stream_timers WHERE due_at < clock_timestamp()"))


async def is_paused(world: World) -> bool:
    return bool(await world.pool.fetchval("SELECT count(*) FROM stream_pauses"))
