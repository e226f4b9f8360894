"""What services bring along: what needs a service's rules is written beside those rules.

This package may not import a service. So each service that has commands names a function in the entry-point group
`firebreak.commands`; it is called with the application and with the way to find the servers. And each that has sources
names in `firebreak.source_checks` how they are tried.
"""

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeAlias

import typer

from firebreak_cli.reached_servers import ReachedServers, reach
from firebreak_cli.said_plainly import say
from ticket_intake import source_checks
from ticket_intake.source_checks import Checker

GROUP = "firebreak.commands"

Reach: TypeAlias = Callable[[Path], ReachedServers]
"""From a data directory to its servers, or to those of the environment; raises LocalStackError, said plainly."""

AddCommands: TypeAlias = Callable[[typer.Typer, Reach], None]


def add_contributed(app: typer.Typer) -> None:
    """Add what the installed services contribute; one that cannot be loaded costs its own commands alone."""
    for found in _named_in(GROUP):
        try:
            add: AddCommands = found.load()
            add(app, reach)
        except Exception as error:  # noqa: BLE001 - any defect of a service; the other commands must stay usable
            say(f"The commands of {found.value} are left out: {type(error).__name__}: {error}")


def contributed_checkers() -> Iterator[tuple[str, Checker | Exception]]:
    """Return by service how its sources are tried, or why it cannot say so."""
    for found in _named_in(source_checks.GROUP):
        try:
            yield found.name, found.load()
        except Exception as error:  # noqa: BLE001 - any defect of a service; the other sources must be checked
            yield found.name, error


def _named_in(group: str) -> list[EntryPoint]:
    return sorted(entry_points(group=group), key=lambda each: each.name)
