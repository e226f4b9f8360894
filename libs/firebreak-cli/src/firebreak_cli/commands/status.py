"""`firebreak status`: what runs and where."""

import asyncio

import typer
from rich.console import Console

from firebreak_cli.commands.options import DEFAULT_DATA_DIR, DataDir, Json
from firebreak_cli.dead_letter_tables import show_troubles
from firebreak_cli.stack_status import stack_status
from firebreak_cli.stack_tables import addresses_table, services_table
from firebreak_cli.stream_troubles import Troubles

NOT_RUNNING = 3  # exit code; the one that init scripts give for "not running" (LSB)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(data_dir: DataDir = DEFAULT_DATA_DIR, as_json: Json = False) -> None:
    """Show addresses and processes of the stack; exit code 3 when it does not run."""
    found = asyncio.run(stack_status(data_dir.absolute()))
    if as_json:
        print(found.model_dump_json(indent=2))
    elif found.running:
        console = Console()
        console.print(addresses_table(found), services_table(found))
        show_troubles(Troubles(paused=found.paused, refusals=found.refusals), console)
    else:
        print(f"No stack runs on {data_dir}. `firebreak up --data-dir {data_dir}` starts one.")
    if not found.running:
        raise typer.Exit(NOT_RUNNING)
