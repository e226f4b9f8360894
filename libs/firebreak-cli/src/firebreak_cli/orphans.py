"""Processes of a stack whose supervisor was killed: found by what it wrote down, and stopped."""

import signal
from collections.abc import Sequence

import psutil

from firebreak_cli.stack_state import ProcessRecord, StackState

STOP_TIMEOUT = 10.0  # seconds for an orderly end; then they are killed
STOP_SIGNALS = {"postgres": signal.SIGINT}  # its SIGTERM waits for every client to leave


def find_orphans(state: StackState | None) -> list[ProcessRecord]:
    """Return the recorded processes that still run and still are what was recorded."""
    if state is None:
        return []
    return [record for record in state.processes if record.find() is not None]


def stop_orphans(orphans: Sequence[ProcessRecord]) -> None:
    """Stop them, the last started first; whoever does not go in time is killed, with its children."""
    processes = []
    for record in reversed(orphans):
        process = record.find()
        if process is not None:
            processes += [process, *process.children(recursive=True)]
            process.send_signal(STOP_SIGNALS.get(record.name, signal.SIGTERM))
    _, alive = psutil.wait_procs(processes, STOP_TIMEOUT)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, STOP_TIMEOUT)
