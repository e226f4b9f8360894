"""ticket-stream on real servers: when a side went back in time, everything stops and says why."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from aiokafka.admin import NewPartitions
from msgspec.structs import replace

from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.stream_world import IN, OUT, TOPICS, Obedient, Running, World, eventually, key_for, open_world
from ticket_contracts.envelope import Event
from ticket_stream.edge_publisher import open_edge_publisher
from ticket_stream.failures import StreamRefused
from ticket_stream.topic_admin import create_topics, open_admin

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest_asyncio.fixture
async def world(kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str) -> AsyncIterator[World]:
    async with open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as opened:
        yield opened


async def test_a_wiped_topic_is_refused(world: World) -> None:
    await has_run(world, 10)
    await world.recreate_topic(IN)

    assert "position 10 of in.v1/0 lies outside of the log (0 to 0)" in await refusal_of(world)


async def test_a_wiped_topic_that_has_grown_again_is_refused(world: World) -> None:
    await has_run(world, 10)
    await world.recreate_topic(IN)
    await world.send(*[{}] * 20, key=key_for(0))

    assert "the record at offset 9 of in.v1/0 is not the one that was processed" in await refusal_of(world)


async def test_a_topic_wiped_under_a_running_stream_is_refused(world: World) -> None:
    ids = await world.send(*[{}] * 10, key=key_for(0))
    async with world.stream(Obedient("first")) as running:
        await world.has_effects("first", ids)
        await world.recreate_topic(IN)
        assert "firebreak recover" in await refused(running)


async def test_a_database_restored_from_before_is_refused_because_of_what_it_had_published(world: World) -> None:
    await has_run(world, 1)
    backup = await world.pool.fetch(
        "SELECT id, next_offset, previous_offset, previous_timestamp, previous_crc, revision FROM stream_positions"
    )
    await has_run(world, 10)
    for row in backup:
        await world.pool.execute(
            "UPDATE stream_positions SET next_offset = $2, previous_offset = $3, previous_timestamp = $4, "
            "previous_crc = $5, written_revision = 2 WHERE id = $1",
            *list(row.values())[:5],
        )

    refusal = await refusal_of(world)
    assert "of first for in.v1/0 with revision" in refusal
    assert "the database went back in time" in refusal


async def test_an_empty_database_with_a_log_that_was_written_is_refused(world: World, postgres: SharedPostgres) -> None:
    await has_run(world, 10)
    async with open_world(world.kafka, world.prefix, await postgres.empty_database()) as another:
        assert "the database went back in time, or is another one" in await refusal_of(another)


async def test_a_database_from_before_a_recovery_is_refused(world: World) -> None:
    await world.pool.execute("UPDATE stream_generation SET generation = 2")
    await has_run(world, 10)
    await world.pool.execute("UPDATE stream_generation SET generation = 1")

    assert "holds records of generation 2, but the database is at 1" in await refusal_of(world)


async def test_a_record_from_after_a_recovery_that_the_process_has_not_heard_of_is_no_refusal(world: World) -> None:
    async with world.stream(Obedient("first"), renew_seconds=3600.0, lease_seconds=3600.0) as running:
        await running.ready()
        await world.pool.execute("UPDATE stream_generation SET generation = 2")
        template = Event(id="new", source="/firebreak/2/router/in.v1/0", type="test.v1", time=NOW, data=b"{}")
        event = replace(template, sequence="1")
        await world.append(IN, 0, [(b"k", event.data, event.headers())])
        await world.has_effects("first", ["new"])


async def test_a_new_generation_takes_the_old_records_for_another_origins(world: World) -> None:
    await has_run(world, 10)
    await world.pool.execute("UPDATE stream_generation SET generation = 2")
    await world.pool.execute("UPDATE stream_positions SET revision = 5")  # as a restored one, now recovered

    assert len(await has_run(world, 3)) == 3


async def test_a_record_newer_than_its_origin_is_refused_in_the_batch_that_reads_it(world: World) -> None:
    ids = await world.send(*[{}] * 3)
    async with world.stream(Obedient("first")) as first:
        await world.has_effects("first", ids)
        async with world.stream(Obedient("second", forwards=False), reads=OUT) as second:
            await world.has_effects("second", [f"{name}+" for name in ids])
            newest = (await world.events(OUT))[-1]
            headers = [(name, b"9" * 15 if name == "ce_sequence" else value) for name, value in newest.headers()]
            await world.append(OUT, 0, [(b"k", newest.data, headers)])
            for stopped in (second, first):  # the row stops every service
                assert "with revision" in await refused(stopped)
                assert stopped.metric("refused") == 1


async def test_a_refused_stream_goes_on_once_an_operator_has_resolved_it(world: World) -> None:
    ids = await has_run(world, 2)
    await world.pool.execute(
        "INSERT INTO stream_refusals (consumer, topic, partition, reason, command) VALUES ($1, $2, 0, $3, $4)",
        *("another", IN.name, "a side went back in time", "firebreak recover"),
    )
    ids += await world.send({}, key=key_for(0))
    async with world.stream(Obedient("first")) as running:
        assert "a side went back in time" in await refused(running)
        await world.pool.execute("UPDATE stream_refusals SET resolved_at = clock_timestamp()")
        await world.has_effects("first", ids)
        await running.ready()
        assert running.metric("refused") == 0


async def test_a_database_restored_under_an_idle_stream_is_refused(world: World) -> None:
    """The restored copy has the same sessions cut off, older revisions and positions, and the same lease owners."""
    ids = await world.send(*[{}] * 3, key=key_for(0))
    async with world.stream(Obedient("first")) as running:
        await world.has_effects("first", ids)
        backup = await world.pool.fetch("SELECT * FROM stream_positions ORDER BY id")
        await world.send({}, key=key_for(0))
        await eventually(lambda: has_moved(world, 4))
        await eventually(world.outbox_is_empty)
        async with world.pool.acquire() as connection, connection.transaction():
            await connection.execute("LOCK stream_positions")  # nobody sees half of the restored table
            for row in backup:
                await connection.execute(
                    "UPDATE stream_positions SET next_offset = $2, previous_offset = $3, previous_timestamp = $4, "
                    "previous_crc = $5, revision = $6, written_revision = $7 WHERE id = $1",
                    *(row[name] for name in ("id", "next_offset", "previous_offset", "previous_timestamp")),
                    *(row[name] for name in ("previous_crc", "revision", "written_revision")),
                )
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE 'owner-%' AND datname = current_database()"
            )
        assert "the database went back in time" in await refused(running)


async def has_moved(world: World, offset: int) -> bool:
    return bool(await world.pool.fetchval("SELECT count(*) FROM stream_positions WHERE next_offset = $1", offset))


async def test_a_topic_with_more_partitions_than_before_is_refused(world: World) -> None:
    await has_run(world, 1)
    async with open_admin(world.kafka) as admin:
        await admin.create_partitions({world.prefix + IN.name: NewPartitions(4)})

        async def has_four() -> bool:
            return len((await admin.describe_topics([world.prefix + IN.name]))[0]["partitions"]) == 4

        await eventually(has_four)

    with pytest.raises(StreamRefused, match=r"has 4 partitions, expected 3"):
        await create_topics(world.kafka, world.prefix, TOPICS)
    with pytest.raises(StreamRefused, match=r"has 4 partitions, expected 3"):
        async with open_edge_publisher(world.kafka, world.prefix, topics=[IN]):
            pass
    async with world.stream(Obedient("first")) as running:
        assert "has 4 partitions, expected 3" in await refused(running)


async def test_a_count_that_is_allowed_but_not_the_one_of_before_is_refused(world: World) -> None:
    await has_run(world, 1)
    await world.pool.execute("UPDATE stream_topics SET partitions = 48 WHERE topic = $1", IN.name)

    async with world.stream(Obedient("first")) as running:
        assert "48 when it was first used" in await refused(running)


async def has_run(world: World, count: int) -> list[str]:
    """Let a stream process some records of one partition, and leave."""
    before = await world.effects("first")
    ids = await world.send(*[{}] * count, key=key_for(0))
    async with world.stream(Obedient("first")):
        await world.has_effects("first", before + ids)
        await eventually(world.outbox_is_empty)
    return ids


async def refusal_of(world: World) -> str:
    """Start the stream again and return why it refuses; it must also be in the table."""
    async with world.stream(Obedient("first")) as running:
        reason = await refused(running)
    assert "firebreak recover" in reason
    assert str(await world.pool.fetchval("SELECT reason FROM stream_refusals")) in reason
    return reason


async def refused(running: Running) -> str:
    """Wait for the refusal; the process stays up, not ready, and says why."""
    await eventually(lambda: is_refused(running))
    reason = await running.stream.ready()
    assert reason is not None, "a refused stream is not ready"
    assert not running.task.done(), "a refused stream stays up"
    return reason


async def is_refused(running: Running) -> bool:
    return running.metric("refused") == 1
