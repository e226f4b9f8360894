"""One program of a test's stack and whoever starts it again when it dies, as Kubernetes or `firebreak up` would."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.local_stack.server_process import ServerProcess

RESTART_PAUSE = 0.3  # seconds between a death and the next start; a supervisor's first pause
UP_SECONDS = 150.0  # generous: both servers may die again and again meanwhile
ASK_EVERY = 0.05  # seconds between two looks at a condition that has no event of its own


class NotInTime(AssertionError):
    """Something that had to come true did not within its generous deadline."""


async def wait_until(holds: Callable[[], Awaitable[bool]], within: float, what: str, every: float = ASK_EVERY) -> None:
    """Return once `holds` does.

    :raises NotInTime: naming `what`, after `within` seconds.
    """
    deadline = time.monotonic() + within
    while not await holds():
        if time.monotonic() > deadline:
            raise NotInTime(f"not within {within:.0f} s: {what}")
        await asyncio.sleep(every)


class KeptPart:
    """A part that is started again whenever it ends, for as long as it is wanted.

    `label` tells two processes of the same service apart. `ends` are the exit codes of ends nobody here asked for.
    """

    def __init__(self, label: str, part: ServerProcess) -> None:
        self.label = label
        self.part = part
        self.ends: list[int | None] = []
        self._wanted = asyncio.Event()
        self._buried = asyncio.Event()  # cleared while a kill is under way: all of a process is gone before the next
        self._buried.set()
        self._up = asyncio.Event()
        self._killed_by_us = False
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, within: float = UP_SECONDS) -> None:
        """Start and return once it answers."""
        self._wanted.set()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.label}")
        await self.wait_until_up(within)

    async def wait_until_up(self, within: float = UP_SECONDS) -> None:
        """Return once it answers (again).

        :raises NotInTime: with the exit codes seen so far.
        """
        try:
            async with asyncio.timeout(within):
                await self._up.wait()
        except TimeoutError:
            raise NotInTime(f"{self.label} is not up within {within:.0f} s; it ended with {self.ends}") from None

    @property
    def is_up(self) -> bool:
        return self._up.is_set()

    async def kill(self) -> None:
        """SIGKILL; it is started again unless `hold` was called."""
        self._killed_by_us = True
        self._up.clear()
        self._buried.clear()
        try:
            await self.part.kill()
        finally:
            self._buried.set()

    async def hold(self) -> None:
        """Kill, and keep it down until `start`."""
        self._wanted.clear()
        await self.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, e.g. SIGSTOP to freeze it."""
        assert self.part.pid is not None, f"{self.label} does not run"
        os.kill(self.part.pid, number)

    async def stop(self) -> None:
        """Stop orderly, for good."""
        self._wanted.clear()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
            self._keeper = None
        self._up.clear()
        await self.part.stop()

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            await self._buried.wait()
            self._killed_by_us = False
            await self._run_once()
            await asyncio.sleep(RESTART_PAUSE)

    async def _run_once(self) -> None:
        try:
            await self.part.start()
        except (LocalStackError, AssertionError):  # it ended while it started; `kill` may have been the reason
            self._note_end(None)
            return
        self._up.set()
        exit_code = await self.part.wait()
        self._up.clear()
        self._note_end(exit_code)

    def _note_end(self, exit_code: int | None) -> None:
        if not self._killed_by_us:
            self.ends.append(exit_code)
