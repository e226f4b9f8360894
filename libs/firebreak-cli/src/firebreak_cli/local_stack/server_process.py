"""What every supervised program has in common: it is started, answers, is stopped or killed, and starts again."""

import signal
from abc import ABC, abstractmethod
from pathlib import Path

from firebreak_cli.local_stack.child_process import ChildProcess, Command, start_child
from firebreak_cli.local_stack.readiness import wait_until_ready

START_TIMEOUT = 60.0  # seconds; 1–4 usual, more after a crash or on a machine under load


class ServerProcess(ABC):
    """One program that this process owns. A part that was stopped or killed can be started again, on the same data."""

    def __init__(self, name: str, port: int, log_file: Path, stop_signal: signal.Signals, stop_timeout: float) -> None:
        self.name = name
        self.port = port
        self.log_file = log_file
        self._stop_signal = stop_signal
        self._stop_timeout = stop_timeout
        self._process: ChildProcess | None = None

    @abstractmethod
    async def prepare(self) -> None:
        """Do what must be done before the program starts, every time."""

    @abstractmethod
    def command(self) -> Command:
        """Return how the program is started."""

    @abstractmethod
    async def answers(self) -> bool:
        """Say, by a round trip in the program's own protocol, whether it works."""

    @property
    def pid(self) -> int | None:
        """None unless it was started and not stopped by us; a crashed program keeps its pid until it starts again."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.exit_code is None

    async def start(self) -> None:
        """Start, and return once it answers."""
        await self.spawn()
        await self.become_ready()

    async def spawn(self) -> None:
        """Start, and return at once with a pid."""
        await self.prepare()
        self._process = await start_child(self.command())

    async def become_ready(self) -> None:
        """Return once it answers; a program that does not is killed and `ServerFailedError` raised."""
        assert self._process is not None, f"{self.name} was not started"
        try:
            await wait_until_ready(self.name, self._process, self.answers, START_TIMEOUT)
        except BaseException:
            await self.kill()
            raise

    async def wait(self) -> int | None:
        """Return the exit code when the program ends; at once, with None, when it does not run."""
        return await self._process.wait() if self._process else None

    async def stop(self) -> None:
        """Stop orderly; after a bounded wait, kill."""
        if self._process is not None:
            await self._process.stop(self._stop_signal, self._stop_timeout)
            self._process = None

    async def kill(self) -> None:
        """SIGKILL for the program and all it started, as a crash would."""
        if self._process is not None:
            await self._process.kill()
            self._process = None

    async def restart(self) -> None:
        await self.stop()
        await self.start()
