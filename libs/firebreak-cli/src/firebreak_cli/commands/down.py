"""`firebreak down`: stop a stack from another terminal."""

import signal

import psutil
import typer

from firebreak_cli.commands.options import DEFAULT_DATA_DIR, DataDir
from firebreak_cli.orphans import find_orphans, stop_orphans
from firebreak_cli.stack_layout import StackLayout
from firebreak_cli.stack_state import read_state

STOP_TIMEOUT = 60.0  # seconds; the supervisor's own bounds add up to about 30


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("down")(down)


def down(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Stop the stack and wait until nothing of it is left. The data stays."""
    state = read_state(StackLayout(data_dir, 0).state_file)
    supervisor = state.supervisor.find() if state else None
    if supervisor is not None:
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(STOP_TIMEOUT)
        except psutil.TimeoutExpired:
            supervisor.kill()
            supervisor.wait(STOP_TIMEOUT)
    orphans = find_orphans(read_state(StackLayout(data_dir, 0).state_file))
    stop_orphans(orphans)
    print(f"Stopped the stack on {data_dir}." if supervisor or orphans else f"No stack runs on {data_dir}.")
