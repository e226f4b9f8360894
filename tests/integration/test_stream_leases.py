"""ticket-stream on real servers: partitions move between processes, and only one of them ever writes."""

import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest_asyncio

from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.stream_process import stream_process
from tests.support.stream_world import OUT, Obedient, World, eventually, key_for, open_world


@pytest_asyncio.fixture
async def world(kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str) -> AsyncIterator[World]:
    async with open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as opened:
        yield opened


async def test_processes_share_the_partitions_evenly_and_a_leaver_gives_its_own_back(world: World) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(world.stream(Obedient("first")))
        await eventually(lambda: owns(world, [3]))
        async with world.stream(Obedient("first")):
            await eventually(lambda: owns(world, [1, 2]))
            async with world.stream(Obedient("first")):
                await eventually(lambda: owns(world, [1, 1, 1]))
                async with world.stream(Obedient("first")) as idle:
                    await eventually(idle.is_ready)
                    assert await owns(world, [1, 1, 1])
        left_at = time.monotonic()
        await eventually(lambda: owns(world, [3]))
        assert time.monotonic() - left_at < 1.5  # and not the 3 s that a lease takes to expire
        await first.ready()


async def test_nothing_is_lost_or_doubled_while_partitions_move(world: World) -> None:
    sent: list[str] = []
    async with world.stream(Obedient("first")):
        for _ in range(4):
            for number in range(3):
                sent += await world.send(*[{}] * 30, key=key_for(number))
            async with world.stream(Obedient("first")):
                await eventually(lambda: owns(world, [1, 2]))
                for number in range(3):
                    sent += await world.send(*[{}] * 30, key=key_for(number))
        await world.has_effects("first", sent)
        await eventually(world.outbox_is_empty)
    async with world.stream(Obedient("second", forwards=False), reads=OUT):
        await world.has_effects("second", [f"{name}+" for name in sent])


async def test_a_killed_process_is_replaced_when_its_leases_expire(world: World) -> None:
    ids = await world.send(*[{}] * 10)
    async with stream_process(world, "first", stalls=True) as victim:
        await victim.says("in transaction")
        victim.signal(signal.SIGKILL)
        killed_at = time.monotonic()
        async with world.stream(Obedient("first")):
            await world.has_effects("first", ids)
            assert time.monotonic() - killed_at < 10  # 2.1 s on an idle machine


async def test_a_frozen_process_loses_its_sessions_and_changes_nothing_when_it_wakes(world: World) -> None:
    ids = await world.send(*[{}] * 10)
    async with stream_process(world, "first", stalls=True) as victim:
        await victim.says("in transaction")
        victim.signal(signal.SIGSTOP)
        async with world.stream(Obedient("first")) as taker:
            await world.has_effects("first", ids)  # though the frozen one held the row's lock
            victim.signal(signal.SIGCONT)
            later = await world.send(*[{}] * 10)
            await eventually(lambda: owns(world, [1, 2]))  # it has noticed, and is a member again
            await eventually(world.outbox_is_empty)
            assert taker.metric("takeovers_total") >= 3
        effects = Counter(await world.effects("first"))
        assert all(effects[name] == 1 for name in ids)
        assert all(effects[name] <= 1 for name in later)


async def test_a_process_frozen_between_batches_is_fenced_when_it_wakes(world: World) -> None:
    async with stream_process(world, "first") as victim:
        await victim.says("ready")
        victim.signal(signal.SIGSTOP)
        async with world.stream(Obedient("first")):
            ids = await world.send(*[{}] * 10)
            await world.has_effects("first", ids)
            victim.signal(signal.SIGCONT)
            ids += await world.send(*[{}] * 10)
            await world.has_effects("first", ids)
    async with world.stream(Obedient("first")):
        await eventually(world.outbox_is_empty)
    async with world.stream(Obedient("second", forwards=False), reads=OUT):
        await world.has_effects("second", [f"{name}+" for name in ids])


async def test_a_session_bears_its_owners_name_and_plans_by_key(world: World) -> None:
    async with world.stream(Obedient("first")) as running:
        await running.ready()
        names = await world.pool.fetch("SELECT DISTINCT owner FROM stream_positions")
        sessions = await world.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", names[0]["owner"]
        )
        assert sessions == 2


async def test_a_lost_database_session_is_replaced(world: World) -> None:
    async with world.stream(Obedient("first")) as running:
        await running.ready()
        owner = await world.pool.fetchval("SELECT owner FROM stream_positions LIMIT 1")
        await terminate(world.pool, owner)
        ids = await world.send(*[{}] * 10)
        await world.has_effects("first", ids)
        await running.ready()


async def terminate(pool: "asyncpg.Pool[asyncpg.Record]", owner: str) -> None:
    await pool.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", owner)


async def owns(world: World, counts: list[int]) -> bool:
    rows = await world.pool.fetch(
        "SELECT count(*) FROM stream_positions WHERE consumer = 'first' AND owner IS NOT NULL GROUP BY owner"
    )
    return sorted(row["count"] for row in rows) == counts
