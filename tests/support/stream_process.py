"""A stream in a process of its own, to be killed and frozen: `python -m tests.support.stream_process JSON`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from tests.support.stream_world import IN, OUT, Obedient, World, eventually
from ticket_stream.processing import Batch, Connection, NewEvent
from ticket_stream.settings import StreamSettings
from ticket_stream.stream import open_stream


class Announcing(Obedient):
    """Says when it is in the middle of a transaction that holds its position rows, and waits there on request."""

    def __init__(self, consumer: str, stalls: bool) -> None:
        super().__init__(consumer)
        self._stalls = stalls

    async def process(self, batch: Batch, connection: Connection) -> Sequence[NewEvent]:
        events = await super().process(batch, connection)
        print("in transaction", flush=True)
        if self._stalls:
            await asyncio.Event().wait()
        return events


async def _main(kafka: str, prefix: str, url: str, consumer: str, stalls: bool) -> None:
    pool = await asyncpg.create_pool(url, min_size=1, max_size=4)
    async with open_stream(
        StreamSettings(kafka=kafka, topic_prefix=prefix),
        Announcing(consumer, stalls),
        consumer=consumer,
        reads=[IN],
        writes=[OUT],
        pool=pool,
    ) as stream:
        running = asyncio.create_task(stream.run())

        async def is_ready() -> bool:
            return running.done() or await stream.ready() is None

        await eventually(is_ready)
        print("ready", flush=True)
        await running


class StreamProcess:
    """The other side: starts it, reads what it says, sends it signals."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, words: str) -> None:
        assert self.process.stdout is not None, "it is a pipe"
        async with asyncio.timeout(30):
            while line := await self.process.stdout.readline():
                if line.decode().strip() == words:
                    return
        raise AssertionError(f"the process ended without saying {words!r}")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


@asynccontextmanager
async def stream_process(world: World, consumer: str, *, stalls: bool = False) -> AsyncIterator[StreamProcess]:
    """Run one until the end of the block; it is killed then, whatever state it is in."""
    arguments = json.dumps([world.kafka, world.prefix, world.url, consumer, stalls])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield StreamProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


if __name__ == "__main__":
    asyncio.run(_main(*json.loads(sys.argv[1])))
