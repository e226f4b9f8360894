"""A database or a log that went back in time is refused by every service, with the reason and what to do."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from random import Random

import asyncpg
import httpx
import pytest
import pytest_asyncio

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.support.kept_part import wait_until
from tests.support.ledger import Ledger
from tests.support.settling import wait_until_settled
from tests.support.stack import STREAMING, Stack, running_stack
from tests.support.steady_load import Rates, SteadyLoad
from ticket_contracts.topics import TOPICS
from ticket_stream.topic_admin import create_topics

REFUSAL_SECONDS = 60.0  # from the return of the servers; leases and checks take a few
RECOVER = "firebreak recover"
_POSITIONS = "SELECT consumer, topic, partition, next_offset FROM stream_positions ORDER BY id"
_EVENTS = "SELECT count(*) FROM ticket_events"


@pytest_asyncio.fixture(loop_scope="session")
async def stack() -> AsyncIterator[Stack]:
    async with running_stack() as stack:
        yield stack


async def receive_something(stack: Stack, name: str) -> None:
    """A few customers and agents, until everything is acknowledged and done."""
    await SteadyLoad(stack, Ledger(), Random(name), name, Rates(webhooks=20)).run(2)
    await wait_until_settled(stack.database, stack.kafka_address, REFUSAL_SECONDS)


@pytest.mark.parametrize("traffic", [False, True], ids=["idle", "under load"])
async def test_a_restored_database_is_refused(stack: Stack, traffic: bool) -> None:
    data, backup = stack.postgres.home / "data", stack.postgres.home / "backup"
    await receive_something(stack, "before")
    events = await stack.fetch(_EVENTS)
    await stack.parts["postgres"].hold()
    await copy_folder(data, backup)  # of a killed server: it recovers from it as from a crash
    await stack.parts["postgres"].start()
    await receive_something(stack, "after")
    await stack.parts["postgres"].hold()
    await asyncio.to_thread(shutil.rmtree, data)
    backup.rename(data)
    await stack.parts["postgres"].start()
    if traffic:
        await write(stack, "meanwhile")
    await require_refusal(stack, "the database went back in time", events)


async def test_a_wiped_kafka_is_refused(stack: Stack) -> None:
    await receive_something(stack, "before")
    events = await stack.fetch(_EVENTS)
    await stack.parts["kafka"].hold()
    await asyncio.to_thread(shutil.rmtree, stack.layout.kafka_home / "data")
    await stack.parts["kafka"].start()
    await create_topics(stack.kafka_address, "", TOPICS)
    await require_refusal(stack, "the topic was deleted", events)


async def copy_folder(source: Path, target: Path) -> None:
    """Copy with owners and modes, which shutil leaves behind."""
    await asyncio.to_thread(subprocess.run, ["cp", "-a", str(source), str(target)], check=True)


async def require_refusal(stack: Stack, reason: str, events: list[asyncpg.Record]) -> None:
    """Row, probe and log name the reason and the command; nothing is consumed any more, while edges go on."""
    await wait_until(partial(refusal_is_stored, stack, reason), REFUSAL_SECONDS, f"a refusal because {reason}")
    for service in STREAMING:
        await wait_until(partial(probe_says, stack, service, RECOVER), REFUSAL_SECONDS, f"/ready of {service} says so")
        log = await asyncio.to_thread(stack.layout.log_file(service).read_text, encoding="utf-8")
        assert any("StreamRefused" in line and RECOVER in line for line in log.splitlines()), (
            f"{service} does not log it"
        )
    positions = await stack.fetch(_POSITIONS)
    await write(stack, "refused")
    assert await stack.fetch(_POSITIONS) == positions
    assert await stack.fetch(_EVENTS) == events


async def write(stack: Stack, name: str) -> None:
    """Customers write, until everything is acknowledged."""
    load = SteadyLoad(stack, Ledger(), Random(name), name, Rates(webhooks=10, mails=1, commands=0))
    await load.run(2)
    assert not load.failures, load.failures


async def refusal_is_stored(stack: Stack, reason: str) -> bool:
    rows = await stack.fetch("SELECT reason, command FROM stream_refusals WHERE resolved_at IS NULL")
    return any(reason in row["reason"] and row["command"].startswith(RECOVER) for row in rows)


async def probe_says(stack: Stack, service: str, words: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            answer = await client.get(f"http://{LOOPBACK}:{stack.layout.port(service)}/ready")
        except httpx.TransportError:
            return False
    return answer.status_code == 503 and words in answer.text
