"""A stack's processes come back when they die, go in reverse order, and never outlive their supervisor."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from firebreak_cli.local_stack.child_process import Command
from firebreak_cli.local_stack.errors import ServerFailedError
from firebreak_cli.local_stack.server_process import ServerProcess
from firebreak_cli.stack_state import ProcessRecord, StackState, read_state
from firebreak_cli.supervisor import Supervisor

DEADLINE = 10.0  # seconds; what these tests wait for takes well under one

# Says that it works by making a file, notes its end in another, and ends when it is asked to.
PROGRAM = """
import pathlib, signal, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def end(*_):
    with (folder / "ends").open("a") as ends:
        ends.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
(folder / (name + ".up")).touch()
while True:
    time.sleep(600)
"""

# A supervisor that starts one program and is then killed.
SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from tests.integration.test_supervisor import Program
async def main():
    program = Program("orphan", Path(sys.argv[1]))
    await program.start()
    print(program.pid, flush=True)
    await program.wait()
asyncio.run(main())
"""


class Program(ServerProcess):
    """A small real program."""

    def __init__(self, name: str, folder: Path, code: str = PROGRAM, stop_timeout: float = 5.0) -> None:
        super().__init__(name, 1, folder / f"{name}.log", signal.SIGTERM, stop_timeout)
        self._folder = folder
        self._code = code

    async def prepare(self) -> None:
        (self._folder / f"{self.name}.up").unlink(missing_ok=True)

    def command(self) -> Command:
        return Command([sys.executable, "-c", self._code, str(self._folder), self.name], self.log_file)

    async def answers(self) -> bool:
        return (self._folder / f"{self.name}.up").exists()


def supervise(folder: Path, reports: list[str]) -> Supervisor:
    us = ProcessRecord.of("supervisor", os.getpid(), 1)
    return Supervisor(StackState(supervisor=us, port_base=1), folder / "state.json", reports.append)


def recorded(folder: Path) -> dict[str, int]:
    state = read_state(folder / "state.json")
    assert state is not None
    return {record.name: record.pid for record in state.processes}


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_a_program_that_is_killed_is_started_again_and_recorded(tmp_path: Path) -> None:
    reports: list[str] = []
    supervisor = supervise(tmp_path, reports)
    program = Program("router", tmp_path)
    await supervisor.start([program])
    try:
        first = recorded(tmp_path)["router"]
        os.kill(first, signal.SIGKILL)
        await until(lambda: "router is back" in reports)
        assert recorded(tmp_path)["router"] == program.pid != first
        assert reports[0].startswith("router ended (code -9)")
    finally:
        await supervisor.stop()


async def test_what_was_started_last_stops_first_and_nothing_is_left(tmp_path: Path) -> None:
    supervisor = supervise(tmp_path, [])
    await supervisor.start([Program("server", tmp_path)])
    await supervisor.start([Program("service", tmp_path)])
    pids = recorded(tmp_path).values()
    await supervisor.stop()
    assert (tmp_path / "ends").read_text().split() == ["service", "server"]
    assert recorded(tmp_path) == {}
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_a_program_that_ends_at_once_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    supervisor = supervise(tmp_path, [])
    try:
        with pytest.raises(ServerFailedError, match=r"router ended with code 78(.|\n)*no settings"):
            await supervisor.start([Program("router", tmp_path, "import sys; print('no settings'); sys.exit(78)")])
    finally:
        await supervisor.stop()


async def test_a_program_that_ignores_the_request_to_stop_is_killed_in_time(tmp_path: Path) -> None:
    deaf = "import pathlib, signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    deaf += "(pathlib.Path(sys.argv[1]) / (sys.argv[2] + '.up')).touch()\ntime.sleep(600)"
    program = Program("deaf", tmp_path, deaf, stop_timeout=0.2)
    await program.start()
    pid = program.pid
    assert pid is not None
    await program.stop()
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child that its parent died")
async def test_programs_stop_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISOR, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert supervisor.stdout is not None
    pid = int(await supervisor.stdout.readline())
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: (tmp_path / "ends").exists() and not psutil.pid_exists(pid))
