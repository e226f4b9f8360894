"""Keeps a stack's processes: records them, starts again those that die, and stops all in reverse order."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from firebreak_cli.local_stack.child_process import LOG_FOLLOWS
from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.local_stack.server_process import ServerProcess
from firebreak_cli.stack_state import Phase, ProcessRecord, StackState, write_state

FIRST_PAUSE = 0.5  # seconds before a process that died is started again
LONGEST_PAUSE = 15.0  # seconds; each death in a row doubles the pause
SOUND_AFTER = 30.0  # seconds of running after which a death is the first again


class Supervisor:
    """Owner of all processes of one stack."""

    def __init__(self, state: StackState, state_file: Path, report: Callable[[str], None]) -> None:
        self._state = state
        self._state_file = state_file
        self._report = report
        self._stages: list[Sequence[ServerProcess]] = []
        self._watchers: list[asyncio.Task[None]] = []

    def note_step(self, title: str) -> None:
        """Write down what is being done."""
        self.note(step=title)

    def note(self, **changes: object) -> None:
        """Write a change of the stack's state down."""
        self._state = self._state.model_copy(update=changes)
        write_state(self._state_file, self._state)

    async def start(self, parts: Sequence[ServerProcess]) -> None:
        """Start parts side by side; all answer when this returns, else the first that failed is raised."""
        self._stages.append(parts)
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(self._start_one(part))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        self._watchers += [asyncio.create_task(self._keep_running(part), name=part.name) for part in parts]

    async def stop(self) -> None:
        """Stop in reverse order of start; what was started side by side stops side by side."""
        self.note(phase=Phase.STOPPING)
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for stage in reversed(self._stages):
            await asyncio.gather(*(part.stop() for part in stage))
        self._record_processes()

    async def kill(self) -> None:
        """End everything now."""
        await asyncio.gather(*(part.kill() for stage in self._stages for part in stage))

    async def _keep_running(self, part: ServerProcess) -> None:
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            exit_code = await part.wait()
            if time.monotonic() - started > SOUND_AFTER:
                pause = FIRST_PAUSE
            self._report(f"{part.name} ended (code {exit_code}); starting it again in {pause:g} s")
            pause = await self._bring_back(part, pause)
            self._report(f"{part.name} is back")

    async def _bring_back(self, part: ServerProcess, pause: float) -> float:
        """Start until it answers; return the pause to make when it dies again soon."""
        while True:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                await self._start_one(part)
            except LocalStackError as error:
                reason = str(error).splitlines()[0].removesuffix(LOG_FOLLOWS)  # the person knows where to look
                self._report(f"{reason}; trying again in {pause:g} s")
            else:
                return pause

    async def _start_one(self, part: ServerProcess) -> None:
        await part.spawn()
        self._record_processes()
        await part.become_ready()

    def _record_processes(self) -> None:
        records = []
        for part in (part for stage in self._stages for part in stage):
            with suppress(psutil.NoSuchProcess):  # it ended this moment; who waits for it will say so
                if part.running and part.pid is not None:
                    records.append(ProcessRecord.of(part.name, part.pid, part.port))
        self.note(processes=tuple(records))
