"""What a stack writes down lets the next start tell its own processes from strangers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from firebreak_cli.orphans import find_orphans, stop_orphans
from firebreak_cli.stack_lock import DataDirInUseError, exclusive
from firebreak_cli.stack_state import Phase, ProcessRecord, StackState, read_state, write_state

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(["/bin/sleep", "600"])
    yield process
    process.kill()
    process.wait()


def own_record() -> ProcessRecord:
    return ProcessRecord.of("supervisor", os.getpid(), 8080)


def state_of(*processes: ProcessRecord) -> StackState:
    return StackState(supervisor=own_record(), port_base=8080, processes=processes)


def test_a_recorded_process_is_found_again() -> None:
    found = own_record().find()
    assert found is not None
    assert found.pid == os.getpid()


def test_a_pid_that_was_given_to_another_process_is_not_ours() -> None:
    assert own_record().model_copy(update={"created": own_record().created - 60}).find() is None
    assert own_record().model_copy(update={"program": "/usr/bin/other"}).find() is None


def test_a_process_that_ended_is_not_found(sleeper: "subprocess.Popen[bytes]") -> None:
    record = ProcessRecord.of("router", sleeper.pid, 8085)
    sleeper.kill()
    sleeper.wait()
    assert record.find() is None


def test_only_processes_that_are_still_ours_are_orphans(sleeper: "subprocess.Popen[bytes]") -> None:
    ours = ProcessRecord.of("router", sleeper.pid, 8085)
    stranger = own_record().model_copy(update={"program": "/usr/bin/other"})
    assert find_orphans(state_of(ours, stranger)) == [ours]
    assert find_orphans(None) == []


def test_a_process_is_recorded_whole_in_the_moment_it_starts() -> None:
    for _ in range(200):  # its command line cannot be read yet in one of ten starts
        with subprocess.Popen(["/bin/sleep", "600"]) as process:
            record = ProcessRecord.of("router", process.pid, 8085)
            found = record.find()
            process.kill()
        assert found is not None, record


def test_orphans_are_stopped(sleeper: "subprocess.Popen[bytes]") -> None:
    record = ProcessRecord.of("router", sleeper.pid, 8085)
    stop_orphans([record])
    assert record.find() is None


def test_an_orphan_that_will_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firebreak_cli.orphans.STOP_TIMEOUT", 0.2)
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it ignores the signal from here on
        record = ProcessRecord.of("router", process.pid, 8085)
        stop_orphans([record])
        assert record.find() is None


def test_the_state_survives_writing_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state = state_of(own_record()).model_copy(update={"phase": Phase.READY, "postgres": "postgresql://secret"})
    write_state(path, state)
    assert read_state(path) == state
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_data_directory_without_a_stack_has_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path / "state.json") is None


def test_one_data_directory_belongs_to_one_stack(tmp_path: Path) -> None:
    lock_file = tmp_path / "data" / "lock"
    with exclusive(lock_file), pytest.raises(DataDirInUseError) as caught, exclusive(lock_file):
        pass
    message = str(caught.value)
    for word in (str(lock_file.parent), f"pid {os.getpid()}", "firebreak down", "--port-base"):
        assert word in message


def test_a_data_directory_is_free_after_its_stack(tmp_path: Path) -> None:
    for _ in range(2):
        with exclusive(tmp_path / "lock"):
            pass
