"""One child process: started into a log file, ended within a bounded time, gone with its own children."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LOG_FOLLOWS = ", which ends with:"  # ends the first line of a message; the end of the log follows
KILL_WAIT = 10.0  # seconds; a killed process that is still there after this hangs in the kernel


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a program. `uid` and `gid` are another account to run under, when started by root."""

    arguments: Sequence[str]
    log_file: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""
    working_directory: Path | None = None
    uid: int | None = None
    gid: int | None = None
    death_signal: signal.Signals = signal.SIGTERM
    """Sent by the kernel when the thread that started the child dies, so that a killed parent leaves no orphan."""


class ChildProcess:
    """A started command. It has a session of its own: Ctrl-C in the terminal reaches the parent alone."""

    def __init__(self, process: asyncio.subprocess.Process, log_file: Path, log_start: int) -> None:
        self._process = process
        self._log_file = log_file
        self._log_start = log_start

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while the process runs."""
        return self._process.returncode

    def log_end(self, lines: int = 15) -> str:
        """Return the last lines that this process wrote, for a message about its failure."""
        return f"Its log is {self._log_file}{LOG_FOLLOWS}\n{log_tail(self._log_file, lines, self._log_start)}"

    async def wait(self) -> int:
        """Wait until the process has ended and return its exit code."""
        return await self._process.wait()

    async def stop(self, stop_signal: signal.Signals, timeout: float) -> bool:
        """Ask to end and wait; after `timeout` seconds kill. Return whether it ended by itself."""
        if self.exit_code is not None:
            return True
        self._process.send_signal(stop_signal)
        try:
            await asyncio.wait_for(self.wait(), timeout)
        except TimeoutError:
            await self.kill()
            return False
        return True

    async def kill(self) -> None:
        """Kill the process and everything it started, without a chance to clean up."""
        family = _family(self.pid)
        if self.exit_code is None:
            self._process.kill()
        await asyncio.wait_for(self.wait(), KILL_WAIT)
        for member in family:
            if member.is_running():
                member.kill()
        await asyncio.to_thread(psutil.wait_procs, family, KILL_WAIT)


async def start_child(command: Command) -> ChildProcess:
    """Start the command with its output appended to its log file."""
    command.log_file.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(command.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    log_start = os.fstat(log).st_size
    try:
        process = await asyncio.create_subprocess_exec(
            *command.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **command.environment},
            cwd=command.working_directory,
            start_new_session=True,
            user=command.uid,
            group=command.gid,
            extra_groups=[] if command.uid is not None else None,
            preexec_fn=_die_with_parent(command.death_signal),
        )
    finally:
        os.close(log)
    return ChildProcess(process, command.log_file, log_start)


def log_tail(log_file: Path, lines: int, start: int = 0) -> str:
    """Return the last lines of a log, none from before the byte `start`."""
    with log_file.open("rb") as log:
        log.seek(start)
        return "\n".join(log.read().decode("utf-8", errors="replace").splitlines()[-lines:])


def _family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what the child runs before its program, or None where the system has no such service (macOS).

    Runs after the change of account, which would clear the setting. The library is loaded here, before the fork.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def set_death_signal() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the line above
            os._exit(1)

    return set_death_signal
