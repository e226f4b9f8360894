"""`firebreak up --detach`: the same command in the background, watched until it is ready."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.stack_layout import StackLayout
from firebreak_cli.stack_state import Phase, read_state

ASK_EVERY = 0.1  # seconds between two looks at the state file
STOP_TIMEOUT = 60.0  # seconds for an orderly end when the person does not want to wait


def start_detached(layout: StackLayout, console: Console) -> None:
    """Start the supervisor in a session of its own and return when the stack is ready."""
    log_file = layout.log_file("supervisor")
    log_file.parent.mkdir(parents=True, exist_ok=True)
    arguments = [sys.executable, "-m", "firebreak_cli", "up", "--no-demo"]
    arguments += ["--data-dir", str(layout.data_dir), "--port-base", str(layout.port_base)]
    with log_file.open("ab") as log:
        start_of_output = log.tell()
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        with console.status("Starting in the background …") as shown:
            while not _ready(layout, child, shown.update):
                if child.poll() is not None:
                    raise LocalStackError(_output_since(log_file, start_of_output))
                time.sleep(ASK_EVERY)
    except KeyboardInterrupt:
        child.terminate()
        child.wait(STOP_TIMEOUT)
        raise


def _output_since(log_file: Path, start: int) -> str:
    with log_file.open("rb") as log:
        log.seek(start)
        return f"The stack did not start:\n{log.read().decode('utf-8', errors='replace')}"


def _ready(layout: StackLayout, child: "subprocess.Popen[bytes]", show: Callable[[str], None]) -> bool:
    state = read_state(layout.state_file)
    if state is None or state.supervisor.pid != child.pid:
        return False
    show(f"{state.step} …")
    return state.phase is Phase.READY
