"""What the sla-engine contributes to the `firebreak` command line."""

import typer

from sla_engine.commands import automation, import_tickets, rebuild, what_if
from sla_engine.commands.options import Reach


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add every command; `reach` finds the servers of a data directory or of the environment."""
    rebuild.add_to(app, reach)
    what_if.add_to(app, reach)
    import_tickets.add_to(app, reach)
    automation.add_to(app, reach)
