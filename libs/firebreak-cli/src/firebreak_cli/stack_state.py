"""What a stack writes down about itself, for `status`, `down` and the start after a crash."""

import os
from enum import StrEnum
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

SAME_START = 1.0  # seconds; start times of one process read twice differ by less than a clock tick


class ProcessRecord(BaseModel):
    """Enough to recognise a process again: a pid alone may long be somebody else's."""

    model_config = ConfigDict(frozen=True)

    name: str
    pid: int
    port: int
    created: float
    program: str  # the file it runs; its command line is empty while Linux still loads that file

    @classmethod
    def of(cls, name: str, pid: int, port: int) -> "ProcessRecord":
        """Record a process of ours.

        :raises psutil.NoSuchProcess: it has ended meanwhile.
        """
        process = psutil.Process(pid)
        return cls(name=name, pid=pid, port=port, created=process.create_time(), program=process.exe())

    def find(self) -> psutil.Process | None:
        """Return the process if it still is the recorded one: same pid, same start, same program."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) > SAME_START or process.status() == psutil.STATUS_ZOMBIE:
                return None
            return process if process.exe() == self.program else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # gone, or another user's by now
            return None


class Phase(StrEnum):
    """How far a start has come."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


class StackState(BaseModel):
    """One stack as its supervisor last saw it."""

    model_config = ConfigDict(frozen=True)

    supervisor: ProcessRecord
    port_base: int
    phase: Phase = Phase.STARTING
    step: str = ""
    kafka: str | None = None
    postgres: str | None = None
    topic_prefix: str = ""
    processes: tuple[ProcessRecord, ...] = ()


def write_state(path: Path, state: StackState) -> None:
    """Replace the file at once. It holds the database's password: only its owner may read it."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(state.model_dump_json(indent=2))
    new.replace(path)


def read_state(path: Path) -> StackState | None:
    """Return the last state, None when no stack ever ran here."""
    try:
        return StackState.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
