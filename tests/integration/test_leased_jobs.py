"""Leased jobs on real servers: one owner each, and a cursor that never runs ahead of Kafka."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from firebreak_cli.local_stack.ports import LOOPBACK, free_ports
from tests.support.commit_cutter import open_commit_cutter, through
from tests.support.job_process import CONSUMER, Counter, job_process
from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.stream_world import OUT, World, eventually, open_world
from ticket_contracts.envelope import Event
from ticket_contracts.topics import Topic
from ticket_stream.edge_publisher import EdgePublisher, open_edge_publisher
from ticket_stream.job_rows import lease, wake_job
from ticket_stream.job_runner import JobRunner

STEADY_RENEWALS = 15
SECONDS = 30.0  # to come about on a busy machine; one is usual


@pytest_asyncio.fixture(scope="module")
async def world(kafka: SharedKafka, postgres: SharedPostgres) -> AsyncIterator[World]:
    async with open_world(kafka.bootstrap, "test-leased-jobs.", await postgres.empty_database()) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def publisher(world: World) -> AsyncIterator[EdgePublisher]:
    async with open_edge_publisher(world.kafka, world.prefix, topics=[OUT]) as opened:
        yield opened


@pytest_asyncio.fixture(autouse=True)
async def no_rows_of_other_tests(world: World) -> None:
    await world.pool.execute("DELETE FROM stream_jobs; DELETE FROM stream_members")


@asynccontextmanager
async def running(
    world: World, publisher: EdgePublisher, *jobs: Counter, registry: CollectorRegistry | None = None
) -> AsyncIterator[JobRunner]:
    runner = JobRunner(CONSUMER, jobs, publisher.publish, world.pool, registry, first_pause_seconds=0.05)
    async with kept(runner):
        yield runner


@asynccontextmanager
async def kept(runner: JobRunner) -> AsyncIterator[None]:
    """Keep a runner going; it leaves in order."""
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        runner.stop()
        await task


async def cursor_of(world: World, name: str) -> int:
    row = await world.pool.fetchval("SELECT cursor FROM stream_jobs WHERE name = $1", name)
    return int(json.loads(row)["number"]) if row else 0


async def numbers_of(world: World, name: str) -> list[int]:
    """What Kafka has of a job, in order."""
    return [int(event.id.rpartition("/")[2]) for event in await world.events(OUT) if event.id.startswith(f"{name}/")]


async def test_processes_share_the_jobs_and_a_leaver_gives_its_own_back_with_their_cursors(
    world: World, publisher: EdgePublisher
) -> None:
    names = ["share-a", "share-b", "share-c"]
    async with running(world, publisher, *map(Counter, names)) as first:
        await eventually(lambda: owns(first, 3))
        async with running(world, publisher, *map(Counter, names)) as second:
            await eventually(lambda: owns(second, 1))
            await eventually(lambda: owns(first, 2))
            assert not first.owned & second.owned
            [moved] = second.owned
            await eventually(lambda: reached(world, moved, 20))
        await eventually(lambda: owns(first, 3))
    found = await numbers_of(world, moved)
    assert sorted(set(found)) == list(range(1, max(found) + 1))


@pytest.mark.parametrize(
    ("first", "second"),
    [("yz", "xyz"), ("y", "xz"), ("xyz", "yz"), ("xyz", "x"), ("vwxyz", "xy"), ("wxyz", "wxz")],
    ids=lambda names: names,
)
async def test_while_processes_know_different_jobs_each_job_has_an_owner_and_keeps_it(
    world: World, first: str, second: str
) -> None:
    step = 0.05  # seconds between two renewals, at six a lease; more where the disk is too slow for that
    known = {"first": list(first), "second": list(second)}
    wanted = sorted({*first, *second})

    async def renewed() -> dict[str, set[str]]:
        nonlocal step
        span, began = timedelta(seconds=6 * step), time.monotonic()
        async with world.pool.acquire() as connection:
            owned = {owner: await lease(connection, CONSUMER, owner, span, names) for owner, names in known.items()}
        step = max(step, time.monotonic() - began)
        await asyncio.sleep(step)
        return owned

    async with asyncio.timeout(SECONDS):
        unchanged, before = 0, dict[str, set[str]]()
        while unchanged < STEADY_RENEWALS:
            owned = await renewed()
            settled = owned == before and sorted(name for names in owned.values() for name in names) == wanted
            unchanged, before = unchanged + 1 if settled else 0, owned


async def test_a_killed_owners_job_goes_on_elsewhere_where_its_cursor_stood(
    world: World, publisher: EdgePublisher
) -> None:
    async with job_process(world, "killed") as victim:
        await eventually(lambda: reached(world, "killed", 5))
        async with running(world, publisher, Counter("killed")) as taker:
            victim.kill()
            await victim.wait()
            stood = await cursor_of(world, "killed")
            await eventually(lambda: owns(taker, 1))
            await eventually(lambda: reached(world, "killed", stood + 5))
    found = await numbers_of(world, "killed")
    assert sorted(set(found)) == list(range(1, max(found) + 1))
    assert len(found) <= len(set(found)) + 1  # the page that was under way, and no other, may stand twice


async def test_a_job_that_another_process_took_cannot_move_the_cursor(world: World, publisher: EdgePublisher) -> None:
    registry = CollectorRegistry()
    async with running(world, publisher, Counter("fenced"), registry=registry):
        await eventually(lambda: reached(world, "fenced", 3))
        await world.pool.execute(
            """UPDATE stream_jobs SET owner = 'somebody', revision = revision + 1, cursor = '{"number": 100}',
               lease_until = clock_timestamp() + interval '3 s' WHERE name = 'fenced'"""
        )
        lost = {"consumer": CONSUMER, "name": "fenced"}
        await eventually(lambda: shows(registry, "firebreak_job_lost_total", lost))
        assert await cursor_of(world, "fenced") == 100
        await eventually(lambda: reached(world, "fenced", 101))  # taken again when the other's lease has expired


async def test_a_job_that_raises_is_shown_and_tried_again_and_stops_no_other(
    world: World, publisher: EdgePublisher
) -> None:
    registry = CollectorRegistry()
    faulty = Counter("faulty", last=3, faults=[ValueError("unreadable"), OSError("unreachable")])
    labels = {"consumer": CONSUMER, "name": "faulty"}
    async with running(world, publisher, faulty, Counter("healthy", last=3), registry=registry):
        await eventually(lambda: reached(world, "healthy", 3))
        await eventually(lambda: reached(world, "faulty", 3))
        for error in ("ValueError", "OSError"):
            assert registry.get_sample_value("firebreak_job_failures_total", {**labels, "error": error}) == 1
        assert registry.get_sample_value("firebreak_job_messages_total", labels) == 3
        assert registry.get_sample_value("firebreak_job_lag", labels) == 1
    assert registry.get_sample_value("firebreak_job_lag", labels) is None  # given up: somebody else reports it


async def test_a_job_whose_task_was_ended_by_a_stray_cancellation_is_begun_anew(
    world: World, publisher: EdgePublisher
) -> None:
    async with running(world, publisher, Counter("stray", last=1, faults=[asyncio.CancelledError()])):
        await eventually(lambda: reached(world, "stray", 1))


async def test_the_last_error_stands_beside_the_cursor_until_the_job_works_again(
    world: World, publisher: EdgePublisher
) -> None:
    job = Counter("noted", last=1, faults=[ValueError("page 7 is torn")] * 200)
    async with running(world, publisher, job):
        await eventually(lambda: last_error(world, "noted"))
        assert await last_error(world, "noted") == "ValueError: page 7 is torn"
        job.faults.clear()
        await eventually(lambda: reached(world, "noted", 1))
        await eventually(lambda: has_no_error(world, "noted"))


async def test_jobs_are_added_removed_and_changed_while_the_others_go_on_undisturbed(
    world: World, publisher: EdgePublisher
) -> None:
    registry = CollectorRegistry()
    same, old, gone = Counter("kept"), Counter("changed", last=3), Counter("removed", last=3)
    async with running(world, publisher, same, old, gone, registry=registry) as runner:
        await eventually(lambda: reached(world, "kept", 3))
        await eventually(lambda: reached(world, "changed", 3))
        await eventually(lambda: reached(world, "removed", 3))
        turn = same.turn
        stood = await cursor_of(world, "kept")
        runner.change([same, Counter("changed", last=6), Counter("added", last=2)])
        await eventually(lambda: reached(world, "added", 2))
        await eventually(lambda: reached(world, "changed", 6))
        await eventually(lambda: reached(world, "kept", stood + 3))
        assert same.turn is turn
        assert runner.owned == {"kept", "changed", "added"}
        assert await owner_of(world, "removed") is None  # given up at once, not when its lease expires
        assert await cursor_of(world, "removed") == 3
        assert registry.get_sample_value("firebreak_job_lag", {"consumer": CONSUMER, "name": "removed"}) is None

        runner.change([same, Counter("removed", last=5)])
        await eventually(lambda: reached(world, "removed", 5))
    assert await numbers_of(world, "changed") == [1, 2, 3, 4, 5, 6]
    assert await numbers_of(world, "removed") == [1, 2, 3, 4, 5]


async def test_a_change_while_postgres_is_away_holds_when_it_is_back(world: World, publisher: EdgePublisher) -> None:
    async with (
        open_commit_cutter(urlsplit(world.url).port or 0) as relay,
        asyncpg.create_pool(through(relay.port, world.url), min_size=0, max_size=4) as pool,
    ):
        runner = JobRunner(CONSUMER, [Counter("dropped", last=1)], publisher.publish, pool)
        async with kept(runner):
            await eventually(lambda: reached(world, "dropped", 1))
            await relay.take_away()
            await eventually(lambda: is_unready(runner))
            runner.change([Counter("joined", last=1)])
            await eventually(lambda: owns(runner, 0))
            relay.bring_back()
            await eventually(lambda: reached(world, "joined", 1))
            assert await owner_of(world, "dropped") is None


async def test_any_process_wakes_a_job_and_says_why(world: World, publisher: EdgePublisher) -> None:
    job = Counter("woken", last=1)
    job.interval_seconds = 3600
    async with running(world, publisher, job):
        await eventually(lambda: reached(world, "woken", 1))
        job.last = 2
        async with world.pool.acquire() as connection:
            await wake_job(connection, CONSUMER, "woken", "token-1")
        await eventually(lambda: reached(world, "woken", 2))
    assert job.hints == ["token-1"]


async def test_two_jobs_of_one_name_are_refused(world: World, publisher: EdgePublisher) -> None:
    with pytest.raises(ValueError, match="same name"):
        JobRunner(CONSUMER, [Counter("twice"), Counter("twice")], publisher.publish, world.pool)


async def test_no_cursor_moves_while_kafka_is_away(world: World, publisher: EdgePublisher) -> None:
    registry = CollectorRegistry()
    nobody = f"{LOOPBACK}:{free_ports(1)[0]}"
    waits = {"consumer": CONSUMER, "name": "patient", "firebreak_job_state": "waiting"}
    async with open_edge_publisher(nobody, world.prefix, publish_seconds=0.1) as away:
        way = away

        async def publish(topic: Topic, key: str, event: Event) -> None:
            await way.publish(topic, key, event)

        runner = JobRunner(CONSUMER, [Counter("patient")], publish, world.pool, registry)
        async with kept(runner):
            await eventually(lambda: shows(registry, "firebreak_job_state", waits))
            assert await cursor_of(world, "patient") == 0
            assert await runner.ready() is None
            way = publisher
            await eventually(lambda: reached(world, "patient", 3))


async def test_jobs_go_on_from_their_cursors_when_postgres_is_back(world: World, publisher: EdgePublisher) -> None:
    async with (
        open_commit_cutter(urlsplit(world.url).port or 0) as relay,
        asyncpg.create_pool(through(relay.port, world.url), min_size=0, max_size=4) as pool,
    ):
        runner = JobRunner(CONSUMER, [Counter("stoic")], publisher.publish, pool)
        async with kept(runner):
            await eventually(lambda: reached(world, "stoic", 3))
            await relay.take_away()
            await eventually(lambda: is_unready(runner))
            stood = await cursor_of(world, "stoic")
            relay.bring_back()
            await eventually(lambda: reached(world, "stoic", stood + 3))
            await eventually(lambda: is_ready(runner))
        found = await numbers_of(world, "stoic")
    assert sorted(set(found)) == list(range(1, max(found) + 1))


async def owns(runner: JobRunner, count: int) -> bool:
    return len(runner.owned) == count


async def reached(world: World, name: str, number: int) -> bool:
    return await cursor_of(world, name) >= number


async def owner_of(world: World, name: str) -> str | None:
    owner: str | None = await world.pool.fetchval("SELECT owner FROM stream_jobs WHERE name = $1", name)
    return owner


async def shows(registry: CollectorRegistry, name: str, labels: dict[str, str]) -> bool:
    return bool(registry.get_sample_value(name, labels))


async def last_error(world: World, name: str) -> str | None:
    error: str | None = await world.pool.fetchval("SELECT last_error FROM stream_jobs WHERE name = $1", name)
    return error


async def has_no_error(world: World, name: str) -> bool:
    return await last_error(world, name) is None


async def is_ready(runner: JobRunner) -> bool:
    return await runner.ready() is None


async def is_unready(runner: JobRunner) -> bool:
    return not await is_ready(runner)
