"""`firebreak recover`: named by refusals; what it will do is not in this release, and it says so."""

import asyncio

import typer
from rich.console import Console

from firebreak_cli.commands.options import DEFAULT_DATA_DIR, DataDir
from firebreak_cli.dead_letter_tables import show_troubles
from firebreak_cli.operator_desk import open_connection
from firebreak_cli.reached_servers import ReachedServers, reach
from firebreak_cli.said_plainly import FAILED, said_plainly, say
from firebreak_cli.stream_troubles import Refusal, Troubles, read_troubles


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recover")(recover)


def recover(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Say what to do after a refusal. This release cannot continue by itself after a side went back in time."""
    with said_plainly():
        servers = reach(data_dir)
        refusals = asyncio.run(_refusals(servers))
    if refusals:
        show_troubles(Troubles(refusals=refusals), Console())
    else:
        print(f"Nothing is refused on {servers.place}.")
    say("This release cannot recover by itself; nothing was changed.")
    raise typer.Exit(FAILED)


async def _refusals(servers: ReachedServers) -> list[Refusal]:
    async with open_connection(servers) as connection:
        return (await read_troubles(connection)).refusals
