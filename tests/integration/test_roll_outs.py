"""Roll-outs over open tickets on real servers: each ticket is told, whatever dies meanwhile (rules 32 and 34)."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import TopicPartition

from crm_api.roll_out import RollOuts
from tests.integration.crm_api_around import add_key, caller, running_api
from tests.integration.test_configuration_history import ADD_CLOCK, LONGER, add_ticket
from tests.integration.test_store_configuration import ALL, ANNA, FAST, TRIAGE
from tests.support.kept_part import wait_until
from tests.support.servers import SharedKafka, kafka_server
from ticket_contracts.envelope import Event, read_event
from ticket_contracts.topics import COMMANDS, TOPICS
from ticket_contracts.upkeep import Recalculate, Reevaluate
from ticket_store import configuration
from ticket_store.roll_outs import TicketScope, read_roll_out, request_reevaluation
from ticket_store.sessions import Pool, open_pool
from ticket_stream.edge_publisher import KafkaAway, open_edge_publisher
from ticket_stream.log_inspection import LogInspector
from ticket_stream.topic_admin import create_topics

PATIENCE = 60.0  # seconds; a roll-out of a few tickets takes one
PAGE = 3
TICKETS = 8  # two full pages and a rest


async def commands(kafka: str, prefix: str) -> list[Event]:
    """Every command in the topic."""
    inspector = LogInspector(kafka, 5.0)
    try:
        partitions = [TopicPartition(prefix + COMMANDS.name, number) for number in range(COMMANDS.partitions_local)]
        spans = {item: (found.start, found.end) for item, found in (await inspector.bounds(partitions)).items()}
        return [read_event(raw.headers, raw.value) async for raw in inspector.read(spans)]
    finally:
        await inspector.close()


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    async with open_pool(database_url, application_name="test") as pool:
        yield pool


@pytest_asyncio.fixture
async def tickets(pool: Pool) -> set[UUID]:
    """Open tickets on the calendar `hours`, and others that are none of a calendar's business."""
    async with pool.acquire() as connection:
        await configuration.apply(connection, ALL, "anna")
        await add_ticket(connection, "met")
        return {await add_ticket(connection, ("running", "paused", "breached")[n % 3]) for n in range(TICKETS)}


async def edit_calendar(pool: Pool) -> UUID:
    """Return the roll-out of the edit."""
    async with pool.acquire() as connection:
        applied = await configuration.apply(connection, (ANNA, TRIAGE, LONGER, FAST), "ben")
    assert applied.roll_out is not None
    return applied.roll_out


@asynccontextmanager
async def rolling_out(pool: Pool, kafka: str, prefix: str) -> AsyncIterator[None]:
    """Run the task of crm-api, small pages for a small number of tickets."""
    async with open_edge_publisher(kafka, prefix) as publisher:
        task = asyncio.create_task(RollOuts(pool, publisher.publish, lambda: datetime.now(UTC), PAGE).run())
        try:
            yield
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.wait({task})


async def done(pool: Pool, rollout_id: UUID) -> None:
    async def is_done() -> bool:
        return bool(await pool.fetchval("SELECT done_at FROM configuration_rollouts WHERE rollout_id = $1", rollout_id))

    await wait_until(is_done, PATIENCE, "the roll-out to be done")


async def test_an_edited_calendar_reaches_every_open_ticket_once_and_no_finished_one(
    pool: Pool, kafka: SharedKafka, topics: str, tickets: set[UUID]
) -> None:
    rollout_id = await edit_calendar(pool)
    async with rolling_out(pool, kafka.bootstrap, topics):
        await done(pool, rollout_id)

    told = await commands(kafka.bootstrap, topics)
    asked = [Recalculate.model_validate_json(event.data) for event in told]
    assert {event.type for event in told} == {Recalculate.event_type}
    assert sorted(each.ticket_id for each in asked) == sorted(tickets)
    assert {(each.run_id, each.calendars, each.actor.id) for each in asked} == {
        (str(rollout_id), ("hours",), "configuration")
    }
    async with pool.acquire() as connection:
        roll_out = await read_roll_out(connection, rollout_id)
    assert roll_out is not None
    assert roll_out.counted == TICKETS


async def test_killed_between_publishing_and_the_cursor_it_repeats_the_page_with_the_same_ids(
    pool: Pool, database_url: str, kafka: SharedKafka, topics: str, tickets: set[UUID]
) -> None:
    rollout_id = await edit_calendar(pool)
    module = ("-m", "tests.support.roll_out_process", database_url, kafka.bootstrap, topics, str(PAGE))
    process = await asyncio.create_subprocess_exec(sys.executable, *module)
    assert await asyncio.wait_for(process.wait(), PATIENCE) == -signal.SIGKILL
    assert await pool.fetchval("SELECT counted FROM configuration_rollouts") == PAGE
    assert len(await commands(kafka.bootstrap, topics)) == 2 * PAGE

    async with rolling_out(pool, kafka.bootstrap, topics):
        await done(pool, rollout_id)

    told = await commands(kafka.bootstrap, topics)
    assert len(told) == TICKETS + PAGE
    assert {Recalculate.model_validate_json(event.data).ticket_id for event in told} == tickets
    assert len({event.id for event in told}) == TICKETS


async def test_while_kafka_is_away_the_cursor_stands_and_afterwards_every_ticket_is_told(
    pool: Pool, topic_prefix: str, tickets: set[UUID]
) -> None:
    async with kafka_server() as server:
        await create_topics(server.bootstrap, topic_prefix, TOPICS)
        async with rolling_out(pool, server.bootstrap, topic_prefix):
            await server.kill()
            rollout_id = await edit_calendar(pool)
            async with open_edge_publisher(server.bootstrap, topic_prefix, publish_seconds=1.0) as publisher:
                one_look = RollOuts(pool, publisher.publish, lambda: datetime.now(UTC), PAGE)
                with pytest.raises(KafkaAway):
                    await keep_looking(one_look)
            assert await pool.fetchval("SELECT counted FROM configuration_rollouts") == 0
            await server.start()
            await done(pool, rollout_id)
        told = await commands(server.bootstrap, topic_prefix)
    assert {Recalculate.model_validate_json(event.data).ticket_id for event in told} == tickets
    assert len({event.id for event in told}) == TICKETS


async def keep_looking(roll_outs: RollOuts) -> None:
    """Try until it is this one that holds the row: the other process meets the same Kafka."""
    while True:
        await roll_outs.work_once({})


async def test_it_waits_for_batches_that_may_still_write_by_the_old_calendar(
    pool: Pool, database_url: str, kafka: SharedKafka, topics: str, tickets: set[UUID]
) -> None:
    """Such a batch began before the change was visible; its clock is not there yet, and must be told all the same."""
    batch = await asyncpg.connect(database_url)
    transaction = batch.transaction()
    await transaction.start()
    late = await add_ticket(batch, "met")
    await batch.execute(ADD_CLOCK.replace("'resolution'", "'update'"), late, "running")
    rollout_id = await edit_calendar(pool)
    async with rolling_out(pool, kafka.bootstrap, topics):
        looks = RollOuts(pool, must_not_publish, lambda: datetime.now(UTC), PAGE)
        memory: dict[UUID, int] = {}
        assert [await looks.work_once(memory) for _ in range(3)] == [False] * 3
        await transaction.commit()
        await batch.close()
        await done(pool, rollout_id)

    told = await commands(kafka.bootstrap, topics)
    assert {Recalculate.model_validate_json(event.data).ticket_id for event in told} == {*tickets, late}


async def must_not_publish(*_: object) -> None:
    raise AssertionError("a batch by the old calendar is under way")


async def test_two_processes_share_the_work_and_tell_each_ticket_once(
    pool: Pool, kafka: SharedKafka, topics: str, tickets: set[UUID]
) -> None:
    rollout_id = await edit_calendar(pool)
    async with pool.acquire() as connection:
        second = await request_reevaluation(connection, TicketScope(team="triage"), "ben")
    async with rolling_out(pool, kafka.bootstrap, topics), rolling_out(pool, kafka.bootstrap, topics):
        await done(pool, rollout_id)
        await done(pool, second)

    told = await commands(kafka.bootstrap, topics)
    assert sum(event.type == Recalculate.event_type for event in told) == TICKETS
    assert sum(event.type == Reevaluate.event_type for event in told) == TICKETS + 1
    assert len({event.id for event in told}) == 2 * TICKETS + 1


async def test_a_reevaluation_asked_for_by_http_shows_its_progress(
    pool: Pool, database_url: str, kafka: SharedKafka, topics: str, tickets: set[UUID]
) -> None:
    key = await add_key(database_url, ("read", "admin"))
    async with running_api(database_url, kafka.bootstrap, topics) as address, caller(address, key) as client:
        asked = await client.post("/reevaluations", json={"policy": "fast"})
        assert asked.status_code == 202
        url = asked.headers["location"].removeprefix("/v1")

        async def is_done() -> bool:
            return (await client.get(url)).json()["done_at"] is not None

        await wait_until(is_done, PATIENCE, "the re-evaluation")
        found = (await client.get(url)).json()
        assert (found["kind"], found["tickets_told"], found["scope"]) == ("reevaluate", TICKETS + 1, {"policy": "fast"})
        assert (await client.get("/roll-outs")).json()["items"] == [found]
        for wrong in ({}, {"team": "a\x00b"}, {"opened_after": "9999-12-31T23:59:59-08:00"}):
            assert (await client.post("/reevaluations", json=wrong)).status_code == 422
    told = [Reevaluate.model_validate_json(event.data) for event in await commands(kafka.bootstrap, topics)]
    assert {each.ticket_id for each in told} > tickets
    assert {each.run_id for each in told} == {found["id"]}
