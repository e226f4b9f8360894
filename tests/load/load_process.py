"""Steering a load generator process from outside."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.load.steered_load import Lap


class RefusedLoad(Exception):
    """A server said no to some of a load that it has to take: the figures would mean nothing."""


class LoadProcess:
    """One generator, connected and waiting. Made by `load_process`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self) -> None:
        """Return once it is connected."""
        await self._hear()

    async def go(self) -> None:
        """As fast as the other side answers."""
        await self._say("go")

    async def rate(self, per_second: float) -> None:
        """So many a second, whatever the answers take."""
        await self._say(f"rate {per_second}")

    async def allow(self, more: int) -> None:
        """So many more, as fast as the other side answers."""
        await self._say(f"allow {more}")

    async def choose(self, name: str) -> None:
        """Let the next lap send other items; returns once some of them are made."""
        await self._say(f"choose {name}")
        await self._hear()

    async def pause(self, *, refusals_allowed: float = 0.0) -> Lap:
        """Stop, wait for the answers under way, and return what happened since the start.

        :raises RefusedLoad: more than this share was refused.
        """
        await self._say("pause")
        lap = Lap(**json.loads(await self._hear()))
        if lap.refused > refusals_allowed * (lap.accepted + lap.refused):
            raise RefusedLoad(f"{lap.refused} refused, {lap.accepted} accepted; the first refusal: {lap.first_refusal}")
        return lap

    async def _say(self, line: str) -> None:
        assert self._process.stdin is not None, "made with pipes"
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def _hear(self) -> bytes:
        assert self._process.stdout is not None, "made with pipes"
        line = await self._process.stdout.readline()
        if not line:
            raise RefusedLoad(f"the load generator ended with {await self._process.wait()}")
        return line


@asynccontextmanager
async def load_process(module: str, **options: object) -> AsyncIterator[LoadProcess]:
    """Run `python -m module` with these options until the block ends."""
    words = json.dumps({name: str(value) for name, value in options.items()})
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, words, stdin=PIPE, stdout=PIPE)
    load = LoadProcess(process)
    try:
        await load.ready()
        yield load
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
