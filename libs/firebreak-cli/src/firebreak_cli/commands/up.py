"""`firebreak up`: start everything, show what it does with a few messages, and keep it running."""

import asyncio
import os
from typing import Annotated

import typer
from rich.console import Console

from firebreak_cli.commands.options import DEFAULT_DATA_DIR, DataDir, Json
from firebreak_cli.detached import start_detached
from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.local_stack.kafka_jars import kafka_jars
from firebreak_cli.preflight import ExistingServers, StackPlan, check_ports, clear_orphans
from firebreak_cli.progress import Progress
from firebreak_cli.said_plainly import say
from firebreak_cli.stack_layout import PORT_ORDER, StackLayout
from firebreak_cli.stack_lock import exclusive

DEFAULT_PORT_BASE = 8080
HIGHEST_PORT = 65_535
FILE_WIDTH = 120  # columns of output that goes to a file or another program

Detach = Annotated[bool, typer.Option("--detach", help="Return when everything is ready; `firebreak down` stops it.")]
PortBase = Annotated[
    int,
    typer.Option("--port-base", min=1024, max=HIGHEST_PORT - len(PORT_ORDER), help="First port; others count up."),
]
NoDemo = Annotated[bool, typer.Option("--no-demo", help="Send no sample messages.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    detach: Detach = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    port_base: PortBase = DEFAULT_PORT_BASE,
    no_demo: NoDemo = False,
    as_json: Json = False,
) -> None:
    """Start Kafka, PostgreSQL and every service, send sample messages and show their tickets; Ctrl-C stops all."""
    # Imported here: it brings a third of a second of libraries that `status` and `down` need not wait for.
    from firebreak_cli.foreground import after_ready, run_in_foreground

    layout = StackLayout(data_dir.absolute(), port_base)
    console = Console(stderr=as_json)  # with --json standard output belongs to the object
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = FILE_WIDTH
    try:
        existing = ExistingServers.from_environment()
        with exclusive(layout.lock_file):  # before anything is downloaded: a mistake shows at once
            clear_orphans(layout, Progress(console))
            check_ports(layout, existing)
        jars = [] if existing.kafka else kafka_jars()
        if detach:
            start_detached(layout, console)
            asyncio.run(after_ready(layout, console, as_json, demo=not no_demo))
        else:
            plan = StackPlan(layout, existing, jars)
            asyncio.run(run_in_foreground(plan, console, as_json, demo=not no_demo))
    except LocalStackError as error:
        say(str(error))
        raise typer.Exit(1) from None
