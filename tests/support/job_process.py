"""A job that counts, here or in a process of its own to be killed: `python -m tests.support.job_process JSON`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg

from tests.support.stream_world import OUT, World
from ticket_contracts.envelope import Event
from ticket_stream.edge_publisher import open_edge_publisher
from ticket_stream.job_runner import JobRunner
from ticket_stream.leased_jobs import Outgoing, Turn

CONSUMER = "counters"
_LAST = 1_000_000  # more than any test waits for


class Counter:
    """Hands over one number after the other, each as an event of its own id, up to `last`; a wake adds its hint."""

    interval_seconds = 0.05

    def __init__(self, name: str, last: int = _LAST, faults: list[BaseException] | None = None) -> None:
        self.name = name
        self.last = last
        self.faults = faults or []
        self.hints: list[str] = []
        self.turn: Turn | None = None

    async def run(self, turn: Turn) -> None:
        self.turn = turn
        self.hints += turn.take_hints()
        if self.faults:
            raise self.faults.pop()
        number = turn.cursor.get("number", 0)
        if number < self.last:
            turn.behind(self.last - number)
            await turn.hand_over({"number": number + 1}, [Outgoing(OUT, self.name, self._event(number + 1))])

    def _event(self, number: int) -> Event:
        moment = datetime.now(UTC)
        return Event(id=f"{self.name}/{number}", source="/test", type="test.v1", time=moment, data=b"{}")


async def _main(kafka: str, prefix: str, url: str, names: list[str]) -> None:
    pool = await asyncpg.create_pool(url, min_size=1, max_size=4)
    async with open_edge_publisher(kafka, prefix, topics=[OUT]) as publisher:
        await JobRunner(CONSUMER, [Counter(name) for name in names], publisher.publish, pool).run()


@asynccontextmanager
async def job_process(world: World, *names: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one until the end of the block; it is killed then, whatever state it is in."""
    arguments = json.dumps([world.kafka, world.prefix, world.url, names])
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, arguments)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(_main(*json.loads(sys.argv[1])))
