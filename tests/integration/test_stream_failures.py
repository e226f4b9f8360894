"""ticket-stream on real servers: poison is set aside, a bug stops one partition, and an operator has the last word."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from msgspec import structs

from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.stream_world import IN, OUT, TOPICS, Obedient, World, eventually, key_for, open_world
from ticket_contracts.dead_letters import DeadLetterRecorded
from ticket_contracts.envelope import Event
from ticket_contracts.topics import DEAD_LETTERS, MAX_EVENT_BYTES
from ticket_stream import dead_letter_desk, pauses
from ticket_stream.edge_publisher import open_edge_publisher
from ticket_stream.processing import Connection, NewEvent, Partition, Record


@pytest_asyncio.fixture
async def world(kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str) -> AsyncIterator[World]:
    async with open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as opened:
        yield opened


async def test_a_poison_record_becomes_a_dead_letter_and_its_partition_goes_on(world: World) -> None:
    witnessed: list[tuple[str, str]] = []

    async def witness(connection: Connection, record: Record, reason: str) -> None:
        await connection.execute("INSERT INTO unique_things VALUES ($1)", record.event.id)
        witnessed.append((record.event.id, reason))

    ids = await world.send(*[{}] * 7, {"poison": True, "id": "bad"}, *[{}] * 6)
    good = [name for name in ids if name != "bad"]

    async with world.stream(Obedient("first"), on_dead_letter=witness) as running:
        await world.has_effects("first", good)
        await eventually(world.outbox_is_empty)
        assert running.metric("dead_letters_total") == 1

    letters = await dead_letter_desk.list_dead_letters(world.pool)
    assert [(letter.offset, letter.record_id, letter.reason) for letter in letters] == [
        (7, "bad", "PoisonRecord: as ordered")
    ]
    assert witnessed == [("bad", "PoisonRecord: as ordered")]
    assert await world.pool.fetchval("SELECT count(*) FROM unique_things") == 1
    copies = [DeadLetterRecorded.model_validate_json(event.data) for event in await world.events(DEAD_LETTERS)]
    assert [(copy.dead_letter_id, copy.offset) for copy in copies] == [(letters[0].id, 7)]


async def test_what_is_no_event_at_all_becomes_a_dead_letter_with_its_bytes(world: World) -> None:
    before = await world.send({}, key=key_for(0))
    await world.append(IN, 0, [(b"\xff", b"\0not json", [("strange", None)]), (None, None, [])])
    after = await world.send({}, key=key_for(0))

    async with world.stream(Obedient("first")):
        await world.has_effects("first", before + after)

    letters = await dead_letter_desk.list_dead_letters(world.pool)
    whole = await dead_letter_desk.show(world.pool, next(letter.id for letter in letters if letter.offset == 1))
    assert (whole.key, whole.value, whole.headers) == (b"\xff", b"\0not json", [("strange", None)])
    assert {letter.offset for letter in letters} == {1, 2}


@pytest.mark.parametrize("fault", [{"nul": True}, {"unique": "taken"}])
async def test_a_record_that_the_database_rejects_is_found_by_taking_the_batch_apart(
    world: World, fault: dict[str, object]
) -> None:
    await world.pool.execute("INSERT INTO unique_things VALUES ('taken')")
    ids = await world.send(*[{}] * 20, {**fault, "id": "bad"}, *[{}] * 11)

    async with world.stream(Obedient("first")) as running:
        await world.has_effects("first", [name for name in ids if name != "bad"])
        assert running.metric("bisections_total") > 0
        assert await world.pool.fetchval("SELECT record_id FROM dead_letters") == "bad"


@pytest.mark.parametrize("fault", [{"unknown": True}, {"bug": True}, {"guarded": "taken"}])
async def test_a_fault_of_the_code_pauses_one_partition_until_an_operator_resumes_it(
    world: World, fault: dict[str, object]
) -> None:
    await world.pool.execute("INSERT INTO guarded VALUES ('taken')")
    processor = Obedient("first")
    broken = await world.send({}, fault, {}, key=key_for(0))
    sound = await world.send(*[{}] * 5, key=key_for(1))

    async with world.stream(processor, guarded_tables=frozenset({"guarded"})) as running:
        await eventually(lambda: is_paused(world))
        sound += await world.send(*[{}] * 5, key=key_for(1))
        await world.has_effects("first", [broken[0], *sound])
        (pause,) = await pauses.list_pauses(world.pool)
        assert (pause.topic, pause.partition, pause.next_offset) == (IN.name, 0, 1)
        assert running.metric("paused", topic=IN.name, partition="0") == 1
        assert not await world.pool.fetchval("SELECT count(*) FROM dead_letters")

        processor.repaired = True
        await world.pool.execute("DELETE FROM guarded")
        await pauses.resume(world.pool, "first", Partition(IN.name, 0), "an operator")
        await world.has_effects("first", broken + sound)
        assert not await pauses.list_pauses(world.pool)


async def test_a_pause_outlives_the_process_and_a_skip_buries_the_record(world: World) -> None:
    ids = await world.send({}, {"bug": True, "id": "bad"}, {}, key=key_for(0))
    async with world.stream(Obedient("first")):
        await eventually(lambda: is_paused(world))

    async with world.stream(Obedient("first")) as running:
        await running.ready()
        assert await world.effects("first") == ids[:1]
        await pauses.skip(world.pool, "first", Partition(IN.name, 0), "an operator")
        await world.has_effects("first", [ids[0], ids[2]])
    row = await world.pool.fetchrow("SELECT record_id, reason FROM dead_letters")
    assert row["record_id"] == "bad"
    assert row["reason"].startswith("skipped by an operator: record at offset 1: KeyError")


async def test_more_dead_letters_than_the_limit_pause_even_after_a_restart(world: World) -> None:
    await world.send(*[{"poison": True}] * 5, key=key_for(0))

    for _ in range(2):
        async with world.stream(Obedient("first"), dead_letters_per_hour=3):
            await eventually(lambda: is_paused(world))
            assert await world.pool.fetchval("SELECT count(*) FROM dead_letters") == 3
    (pause,) = await pauses.list_pauses(world.pool)
    assert "3 dead letters within an hour" in pause.reason


async def test_a_replay_is_a_new_event_that_names_the_old_one(world: World) -> None:
    ids = await world.send({"unique": "taken", "id": "bad"}, key=key_for(2))
    await world.pool.execute("INSERT INTO unique_things VALUES ('taken')")

    async with world.stream(Obedient("first")), open_edge_publisher(world.kafka, world.prefix) as publisher:
        await eventually(lambda: has_letters(world, 1))
        await world.pool.execute("DELETE FROM unique_things")
        (letter,) = await dead_letter_desk.list_dead_letters(world.pool)
        new_id = await dead_letter_desk.replay(
            world.pool, publisher, TOPICS, letter.id, new_id=str(uuid4()), by="an operator"
        )
        await world.has_effects("first", [new_id])
        with pytest.raises(dead_letter_desk.NoSuchDeadLetter):
            await dead_letter_desk.replay(world.pool, publisher, TOPICS, letter.id, new_id="another", by="x")

    replayed = next(event for event in await world.events(IN) if event.id == new_id)
    assert replayed.causationid == ids[0]
    assert [event.id for event in await world.events(OUT)] == [f"{new_id}+"]


async def test_what_a_stranger_writes_into_attributes_stops_nobody(world: World) -> None:
    """Neither the partition that holds the record, nor a process that looks at the newest records when it starts."""
    template = Event(id="x", source="/x", type="test.v1", time=datetime.now(UTC), data=b"{}")
    strange: list[dict[str, Any]] = [
        {"source": f"/firebreak/{'1' * 5_000}/router/in.v1/0", "sequence": "1"},
        {"source": "/firebreak/1/router/in.v1/999999999", "sequence": "1"},
        {"source": "/firebreak/1/rou\0ter/in.v1/0", "sequence": "70000"},
        {"source": "/firebreak/1/router/in.v1/0", "sequence": "9" * 5_000},
        {"id": "a\0b", "sequence": "\N{ARABIC-INDIC DIGIT ONE}"},
    ]
    for attributes in strange:
        event = structs.replace(template, **attributes)
        await world.append(IN, 0, [(b"k", event.data, event.headers())])
    ids = await world.send({}, key=key_for(0))
    for _ in range(2):
        async with world.stream(Obedient("first")) as running:
            await eventually(lambda: has_effect(world, ids[0]))
            await running.ready()
            assert not running.task.done()
    assert not await pauses.list_pauses(world.pool)


async def test_an_unknown_type_pauses_even_when_its_name_fits_no_table(world: World) -> None:
    await world.send({"unknown": "firebreak.\0.v9"}, key=key_for(0))

    async with world.stream(Obedient("first")) as running:
        await eventually(lambda: is_paused(world))
        await running.ready()


async def test_a_skip_finds_the_record_behind_the_markers_of_a_transaction(world: World) -> None:
    await world.append_in_transaction(IN, 0, {})
    (bad,) = await world.send({"bug": True, "id": "bad"}, key=key_for(0))

    async with world.stream(Obedient("first")) as running:
        await eventually(lambda: is_paused(world))
        await pauses.skip(world.pool, "first", Partition(IN.name, 0), "an operator")
        await eventually(lambda: has_letters(world, 1))
        ids = await world.send({}, key=key_for(0))
        await eventually(lambda: has_effect(world, ids[0]))
        assert bad not in await world.effects("first")
        assert running.metric("offset_gaps_total") >= 1


async def test_a_discarded_dead_letter_waits_for_nobody(world: World) -> None:
    await world.send({"poison": True})
    async with world.stream(Obedient("first")):
        await eventually(lambda: has_letters(world, 1))

    (letter,) = await dead_letter_desk.list_dead_letters(world.pool)
    await dead_letter_desk.discard(world.pool, letter.id, by="an operator")

    assert await dead_letter_desk.list_dead_letters(world.pool) == []
    assert (await dead_letter_desk.show(world.pool, letter.id)).summary.state == "discarded"
    with pytest.raises(dead_letter_desk.NoSuchDeadLetter):
        await dead_letter_desk.discard(world.pool, UUID(int=0), by="an operator")


async def test_an_event_too_large_to_publish_sets_its_record_aside(world: World) -> None:
    class Inflating(Obedient):
        def forward(self, origin: Partition, key: str, event_id: str, data: bytes, now: datetime) -> NewEvent:
            event = super().forward(origin, key, event_id, data, now)
            return replace(event, data=b"x" * (MAX_EVENT_BYTES + 1)) if event_id == "big" else event

    ids = await world.send({}, {"id": "big"}, {})
    async with world.stream(Inflating("first")):
        await world.has_effects("first", [ids[0], ids[2]])
    assert await world.pool.fetchval("SELECT record_id FROM dead_letters") == "big"


async def has_effect(world: World, event_id: str) -> bool:
    return event_id in await world.effects("first")


async def is_paused(world: World) -> bool:
    return bool(await world.pool.fetchval("SELECT count(*) FROM stream_pauses"))


async def has_letters(world: World, count: int) -> bool:
    return int(await world.pool.fetchval("SELECT count(*) FROM dead_letters")) >= count
