"""What ingest-webhook contributes to the `firebreak` command line."""

import typer

from ingest_webhook.commands import sources
from ingest_webhook.commands.sources import Reach


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add every command; `reach` finds the stack of a data directory."""
    sources.add_to(app, reach)
