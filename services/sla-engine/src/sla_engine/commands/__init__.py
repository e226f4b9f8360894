"""What the sla-engine contributes to the `firebreak` command line."""

from collections.abc import Callable
from pathlib import Path

import typer

from sla_engine.commands import rebuild


def add_to(app: typer.Typer, database_url: Callable[[Path], str]) -> None:
    """Add every command; `database_url` finds the database of a data directory or of the environment."""
    rebuild.add_to(app, database_url)
