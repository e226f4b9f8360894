"""An operator at the command line: sees poison and paused partitions on real servers, and decides about them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest_asyncio

from tests.support.servers import SharedKafka
from tests.support.stream_world import eventually
from ticket_contracts.envelope import Event
from ticket_contracts.topics import ALERTS, MESSAGES
from ticket_stream.edge_publisher import open_edge_publisher
from ticket_stream.failures import PoisonRecord, StreamRefused
from ticket_stream.processing import Batch, Connection, NewEvent
from ticket_stream.settings import StreamSettings
from ticket_stream.stream import open_stream

CONSUMER = "reader"
KEY = "one-conversation"  # of all records: they share a partition
COMMAND_SECONDS = 60  # other work shares the machine; two usual
SECRET = "hunter2-correct-horse"  # invented, to be looked for in what is printed


@dataclass
class Strict:
    """Processes what it can; poison never, a bug only once it is repaired."""

    repaired: bool = False
    done: list[str] = field(default_factory=list)

    async def process(self, batch: Batch, connection: Connection) -> Sequence[NewEvent]:
        for record in batch.records:
            order = json.loads(record.event.data)
            if order.get("fault") == "poison" and record.event.causationid is None:
                raise PoisonRecord("as ordered \x1b[31m[red]")
            if order.get("fault") == "bug" and not self.repaired:
                raise KeyError("a bug")
        ids = [record.event.id for record in batch.records]
        batch.after_commit.append(lambda: self.done.extend(ids))
        return []


@dataclass(frozen=True)
class Desk:
    """The shell of an operator, and the stream that it looks after."""

    kafka: str
    prefix: str
    database: str
    processor: Strict

    async def run(self, *arguments: str) -> tuple[int | None, str]:
        """Run `firebreak dead-letters …`; return its exit code and all that it printed."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("FIREBREAK_")}
        servers = {"KAFKA": self.kafka, "POSTGRES": self.database, "TOPIC_PREFIX": self.prefix}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "firebreak_cli", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=others | {f"FIREBREAK_{name}": value for name, value in servers.items()} | {"COLUMNS": "150"},
        )
        output, _ = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS)
        return process.returncode, output.decode()

    async def dead_letters(self, *arguments: str) -> str:
        """Run one that succeeds; return what it printed."""
        code, output = await self.run("dead-letters", *arguments)
        assert code == 0, output
        return output

    async def listed(self) -> dict[str, Any]:
        whole: dict[str, Any] = json.loads(await self.dead_letters("list", "--json"))
        return whole

    async def wait_for(self, kind: str) -> dict[str, Any]:
        """Return the first entry of `dead_letters` or `paused` once there is one."""
        await eventually(lambda: self._has(kind))
        first: dict[str, Any] = (await self.listed())[kind][0]
        return first

    async def send(self, event_id: str, **order: Any) -> None:
        event = Event(event_id, "/test", "test.v1", datetime.now(UTC), json.dumps(order).encode())
        async with open_edge_publisher(self.kafka, self.prefix) as publisher:
            await publisher.publish(MESSAGES, KEY, event)

    async def processed(self, *ids: str) -> None:
        async def all_done() -> bool:
            return len(self.processor.done) >= len(ids)

        await eventually(all_done)
        assert self.processor.done == list(ids)

    async def _has(self, kind: str) -> bool:
        table = {"dead_letters": "dead_letters", "paused": "stream_pauses", "refusals": "stream_refusals"}[kind]
        connection = await asyncpg.connect(self.database)
        try:
            return bool(await connection.fetchval(f"SELECT count(*) FROM {table}"))
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def desk(kafka: SharedKafka, topics: str, database_url: str) -> AsyncIterator[Desk]:
    """A stream at work on real servers, and an operator who looks after it."""
    processor = Strict()
    async with (
        asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool,
        open_stream(
            StreamSettings(kafka=kafka.bootstrap, topic_prefix=topics),
            processor,
            consumer=CONSUMER,
            reads=[MESSAGES],
            writes=[ALERTS],
            pool=pool,
        ) as stream,
    ):
        running = asyncio.create_task(stream.run())
        yield Desk(kafka.bootstrap, topics, database_url, processor)
        stream.stop()
        with suppress(StreamRefused):  # one test refuses it
            await running


async def test_poison_is_listed_shown_without_secrets_and_replayed_with_the_operators_name(desk: Desk) -> None:
    await desk.send("bad", fault="poison", password=SECRET, text="My dishwasher \x1b[2J leaks")
    await desk.send("good")
    letter = await desk.wait_for("dead_letters")
    await desk.processed("good")

    table = await desk.dead_letters("list")
    assert letter["id"][:8] in table
    assert "PoisonRecord: as ordered" in table

    page = await desk.dead_letters("show", letter["id"][:8])
    assert "test.v1" in page
    assert "dishwasher" not in page
    with_text = await desk.dead_letters("show", letter["id"], "--text")
    assert "dishwasher" in with_text
    for shown in (table, page, with_text, await desk.dead_letters("show", letter["id"], "--text", "--json")):
        assert SECRET not in shown
        assert "\x1b" not in shown

    replayed = json.loads(await desk.dead_letters("replay", letter["id"], "--by", "Wang", "--json"))
    await desk.processed("good", replayed["event_id"])
    assert (await desk.listed())["dead_letters"] == []
    connection = await asyncpg.connect(desk.database)
    try:
        assert await connection.fetchval("SELECT resolved_by FROM dead_letters") == "Wang"
    finally:
        await connection.close()


async def test_a_discarded_dead_letter_leaves_the_list_and_is_not_discarded_twice(desk: Desk) -> None:
    await desk.send("bad", fault="poison")
    letter = await desk.wait_for("dead_letters")
    await desk.dead_letters("discard", letter["id"], "--by", "Wang")
    assert await desk.dead_letters("list") == "No dead letter waits.\n"
    assert "discarded" in await desk.dead_letters("list", "--all")
    code, _ = await desk.run("dead-letters", "discard", letter["id"])
    assert code == 1


async def test_a_paused_partition_names_the_command_that_lets_it_go_on(desk: Desk) -> None:
    await desk.send("broken", fault="bug")
    pause = await desk.wait_for("paused")
    arguments = pause["to_continue"].replace("resume|skip", "resume").split()
    assert arguments[0] == "firebreak"
    assert " ".join(arguments) in await desk.dead_letters("list")

    code, output = await desk.run(*arguments[1:])
    assert code == 1, output
    assert "paused again" in output
    assert "KeyError" in output

    desk.processor.repaired = True
    code, output = await desk.run(*arguments[1:])
    assert code == 0, output
    await desk.processed("broken")
    assert (await desk.listed())["paused"] == []
    code, output = await desk.run(*arguments[1:])
    assert (code, "is not paused" in output) == (1, True)


async def test_a_skip_buries_the_record_at_fault_and_the_next_one_is_processed(desk: Desk) -> None:
    await desk.send("broken", fault="bug")
    await desk.send("good")
    pause = await desk.wait_for("paused")
    await desk.dead_letters("skip", CONSUMER, pause["topic"], str(pause["partition"]), "--by", "Wang")
    await desk.processed("good")
    [letter] = (await desk.listed())["dead_letters"]
    assert letter["record_id"] == "broken"
    assert letter["reason"].startswith("skipped by an operator")


async def test_recover_tells_the_refusal_and_that_it_cannot_help(desk: Desk) -> None:
    connection = await asyncpg.connect(desk.database)
    try:
        await connection.execute(
            "INSERT INTO stream_refusals (consumer, topic, partition, reason, command) "
            "VALUES ($1, $2, 0, 'the database went back in time', 'firebreak recover')",
            CONSUMER,
            MESSAGES.name,
        )
    finally:
        await connection.close()
    code, output = await desk.run("recover")
    assert code == 1
    for words in ("the database went back in time", "cannot recover by itself", "--data-dir"):
        assert words in " ".join(output.split())
    assert "went back in time" in await desk.dead_letters("list")
