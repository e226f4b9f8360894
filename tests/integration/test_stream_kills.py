"""ticket-stream on real servers: processes are killed and frozen at random under load, and the books still balance."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import pytest_asyncio

from tests.support.servers import SharedKafka, SharedPostgres
from tests.support.stream_process import StreamProcess, stream_process
from tests.support.stream_world import OUT, Obedient, World, eventually, key_for, open_world

SEED = 20261123
ROUNDS = 8


@pytest_asyncio.fixture
async def world(kafka: SharedKafka, postgres: SharedPostgres, topic_prefix: str) -> AsyncIterator[World]:
    async with open_world(kafka.bootstrap, topic_prefix, await postgres.empty_database()) as opened:
        yield opened


async def test_processes_killed_and_frozen_under_load_lose_and_double_nothing(world: World) -> None:
    choices = random.Random(SEED)
    sent: list[str] = []
    enough = asyncio.Event()

    async def load() -> None:
        while not enough.is_set():
            sent.extend(await world.send(*[{}] * 40, key=key_for(choices.randrange(3))))

    loading = asyncio.create_task(load())
    frozen: list[StreamProcess] = []
    async with AsyncExitStack() as processes, world.stream(Obedient("second", forwards=False), reads=OUT):
        for turn in range(ROUNDS):
            victim = await processes.enter_async_context(stream_process(world, "first"))
            await victim.says("in transaction")
            target = len(await world.effects("first")) + choices.randrange(400)
            await eventually(partial(has_more_than, world, target))
            while frozen:
                frozen.pop().signal(signal.SIGCONT)
            if turn % 3 == 2:
                frozen.append(victim)
                victim.signal(signal.SIGSTOP)
            else:
                victim.signal(signal.SIGKILL)
        enough.set()
        await loading
        async with world.stream(Obedient("first")):
            await world.has_effects("first", sent, seconds=60)
            await eventually(world.outbox_is_empty)
            await world.has_effects("second", [f"{name}+" for name in sent], seconds=60)


async def has_more_than(world: World, count: int) -> bool:
    return len(await world.effects("first")) > count
