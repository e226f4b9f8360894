"""`make bench`, or `python -m tests.load [--json] [--profile] [--seconds 60]`."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.load.measure import LONG_ROWS, MEMORY_ROW, ROWS, USUAL_ROWS, measure
from tests.load.memory_row import MemoryPlan
from tests.load.own_time import Profiles

FILE_WIDTH = 150  # columns where there is no terminal to ask, so that no cell of the tables is cut

Only = Annotated[
    list[str],
    typer.Option(
        help=f"Measure only these of {', '.join(ROWS)}. Without it {', '.join((*LONG_ROWS, MEMORY_ROW))} are left "
        "out: they take minutes each."
    ),
]


def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
    profile: Annotated[bool, typer.Option(help="Name where the time goes; the figures suffer by it.")] = False,
    seconds: Annotated[float, typer.Option(help="How long message_to_ticket is driven; 60 for figures to keep.")] = 20,
    minutes: Annotated[float, typer.Option(help="How long memory is watched; 60 for figures to keep.")] = 3,
    per_second: Annotated[float, typer.Option(help="Messages a second of all channels while memory is watched.")] = 2,
    samples: Annotated[Path | None, typer.Option(help="A CSV file for each sample of memory.")] = None,
    only: Only = [],  # noqa: B006 - typer's way to say "none given"
) -> None:
    """Measure this machine's limits and ours beside each other."""
    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    profiles = Profiles() if profile else None
    memory = MemoryPlan(minutes, per_second, samples)
    figures = asyncio.run(measure(console, seconds, frozenset(only or USUAL_ROWS), profiles, memory))
    figures.show(console)
    if profiles is not None:
        profiles.show(console)
    if as_json:
        print(json.dumps(figures.as_json()))


if __name__ == "__main__":
    command = typer.Typer(pretty_exceptions_enable=False)  # its own form hides the notes with the ends of the logs
    command.command()(main)
    command()
