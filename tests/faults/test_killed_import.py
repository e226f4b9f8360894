"""`firebreak import` is killed half-way and started again: every line is one ticket, as if it had never been killed."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from sla_engine.commands.import_lines import read_tickets, readable_twice
from sla_engine.commands.send_imports import ImportRun
from tests.support.fold_exactness import find_fold_flaws
from tests.support.kept_part import wait_until
from tests.support.stack import Stack, running_stack
from tests.unit.sla_engine.case import CUSTOMER_ID, moment
from ticket_contracts.topics import COMMANDS
from ticket_contracts.upkeep import imported_ticket_id
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import open_edge_publisher

SEED = 20261127
AT_ONCE, UNDER_WAY = 10, 40
LINES = UNDER_WAY + 20  # while nobody decides, the last of them are not sent: whenever it is killed, it is half-way
IMPORT = (
    "from firebreak_cli.__main__ import main; from sla_engine.commands import send_imports; "
    f"send_imports.AT_ONCE, send_imports.UNDER_WAY = {AT_ONCE}, {UNDER_WAY}; main()"
)
"""The command as it is, but for its measures: with its own the file would have thousands of lines."""
WITHIN_SECONDS = 60.0
SAID = re.compile(rf"✔ {LINES} tickets: (\d+) imported, (\d+) there already, 0 refused\.")
OF_ITS_OWN = frozenset({"ticket_id", "number", "message_id", "seen_at", "cause", "causes", "origin"})
"""What two imports of the same ticket under two names do not share: ids that follow from the name, and when it was."""


@pytest_asyncio.fixture(loop_scope="session")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack(services=()) as stack:
        yield stack


async def test_an_import_that_was_killed_half_way_and_started_again_makes_every_line_one_ticket(
    stack: Stack, tmp_path: Path
) -> None:
    kill_after = Random(SEED).randrange(1, UNDER_WAY)
    half, whole = (a_file(tmp_path, origin) for origin in ("killed", "whole"))
    async with importing(stack, half) as process, commands_sent(stack) as count:
        await wait_until(partial(reaches, count, kill_after), WITHIN_SECONDS, f"{kill_after} lines are sent")
        process.kill()
        await process.wait()
        sent = await count()
    await stack.add("sla-engine").start()
    await wait_until(partial(reaches, partial(count_tickets, stack), sent), WITHIN_SECONDS, f"{sent} tickets are there")
    (imported, there), _ = await asyncio.gather(finish(stack, half), import_undisturbed(stack, whole))

    assert imported + there == LINES
    assert kill_after <= sent <= there <= UNDER_WAY
    tickets = await histories(stack)
    assert len(tickets) == 2 * LINES
    for number in range(LINES):
        one, other = (tickets[imported_ticket_id(origin, str(number))] for origin in ("killed", "whole"))
        assert one == other
    assert await find_fold_flaws(stack.database) == []


def a_file(folder: Path, origin: str) -> Path:
    file = folder / f"{origin}.jsonl"
    file.write_text("".join(f"{json.dumps(a_line(origin, number))}\n" for number in range(LINES)), encoding="utf-8")
    return file


def a_line(origin: str, number: int) -> dict[str, Any]:
    """A ticket that was answered, on time or late, and solved."""
    opened_at = moment("mon 10:00") + timedelta(minutes=number)
    return {
        "origin": origin,
        "external_id": str(number),
        "brand": "aurora",
        "channel": "email",
        "contact_id": str(CUSTOMER_ID),
        "contact": {"kind": "email", "value": f"c{number}@customer.example"},
        "subject": f"漏水 {number}",
        "text": "The pump leaks",
        "team": "after-sales",
        "priority": "normal",
        "opened_at": opened_at.isoformat(),
        "steps": [*steps(opened_at, number)],
    }


def steps(opened_at: datetime, number: int) -> Iterator[dict[str, Any]]:
    answered_at = opened_at + timedelta(minutes=10 * number)
    yield {"at": answered_at.isoformat(), "actor": "anna", "message": {"agent": "anna", "text": f"好 {number}"}}
    yield {"at": (answered_at + timedelta(hours=1)).isoformat(), "actor": "anna", "status": "solved"}


@asynccontextmanager
async def importing(stack: Stack, file: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `firebreak import` until it ends or the block does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", IMPORT, "import", str(file)),
        env={**os.environ, "FIREBREAK_POSTGRES": stack.database, "FIREBREAK_KAFKA": stack.kafka_address},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def finish(stack: Stack, file: Path) -> tuple[int, int]:
    """Import the file and return how many tickets it made, and how many were there."""
    async with importing(stack, file) as process:
        output, _ = await process.communicate()
    said = SAID.fullmatch(output.decode().strip())
    assert process.returncode == 0, output.decode()
    assert said is not None, output.decode()
    return int(said[1]), int(said[2])


async def import_undisturbed(stack: Stack, file: Path) -> None:
    """Import the file by the same code in this process: another start costs seconds."""
    with readable_twice(file) as source:
        async with (
            open_pool(stack.database, application_name="test import", max_size=1) as pool,
            open_edge_publisher(stack.kafka_address, "") as publisher,
        ):
            run = ImportRun(pool, publisher, read_tickets(source))
            await run.run(WITHIN_SECONDS, lambda _: None)
    assert (run.tally.imported, run.tally.known) == (LINES, LINES)


@asynccontextmanager
async def commands_sent(stack: Stack) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Count the commands that are in the log."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka_address)
    partitions = [TopicPartition(COMMANDS.name, number) for number in range(COMMANDS.partitions_local)]

    async def count() -> int:
        return sum((await consumer.end_offsets(partitions)).values())

    await consumer.start()
    try:
        yield count
    finally:
        await consumer.stop()


async def reaches(count: Callable[[], Awaitable[int]], number: int) -> bool:
    return await count() >= number


async def count_tickets(stack: Stack) -> int:
    [row] = await stack.fetch("SELECT count(*) FROM tickets")
    return int(row["count"])


async def histories(stack: Stack) -> dict[UUID, list[tuple[str, Any]]]:
    """Return the facts of every ticket, without what is each import's own."""
    found: dict[UUID, list[tuple[str, Any]]] = {}
    query = "SELECT ticket_id, type, data FROM ticket_events ORDER BY ticket_id, version"
    for row in await stack.fetch(query):
        data = json.loads(row["data"].replace("killed", "whole"))  # a reason names the file's system
        found.setdefault(row["ticket_id"], []).append((row["type"], shared(data)))
    return found


def shared(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: shared(value) for name, value in content.items() if name not in OF_ITS_OWN}
    return [shared(each) for each in content] if isinstance(content, list) else content
