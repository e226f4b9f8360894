"""`firebreak rebuild --check`: is what is stored what the events say?"""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.progress import Progress

from service_kit.moments import moment
from sla_engine.check_fold import EVER, FIRST_ID, LAST_ID, CheckedPage, TicketRange, check_folds
from sla_engine.commands.options import DEFAULT_DATA_DIR, DataDir, Json, Reach, reading

DIFFERS = 1  # exit code
MOST_SHOWN = 100  # differences; one cause usually has many, and the count tells the rest

_COUNT = "SELECT count(*) FROM tickets WHERE ticket_id >= $1 AND ticket_id <= $2 AND updated_at >= $3"

Check = Annotated[bool, typer.Option("--check", help="Compare and report; nothing is written. The only mode there is.")]
From = Annotated[UUID | None, typer.Option("--from", help="First ticket id; none = from the beginning.")]
To = Annotated[UUID | None, typer.Option("--to", help="Last ticket id; none = to the end.")]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since", parser=moment, metavar="TIME", help="Only tickets written since then; UTC or with an offset."
    ),
]


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add the command."""

    @app.command("rebuild")
    def rebuild(
        check: Check = False,
        first: From = None,
        last: To = None,
        since: Since = None,
        data_dir: DataDir = DEFAULT_DATA_DIR,
        as_json: Json = False,
    ) -> None:
        """Fold tickets anew from their events and report every difference from what is stored."""
        if not check:
            raise typer.BadParameter("say --check: this release compares and writes nothing", param_hint="--check")
        wanted = TicketRange(first or FIRST_ID, last or LAST_ID, since or EVER)
        if wanted.first > wanted.last:
            raise typer.BadParameter("--from must not be above --to: swap the two", param_hint="--from / --to")
        total = asyncio.run(_check(reach(data_dir).postgres, wanted, as_json))
        _report(total, as_json)
        if total.differences:
            raise typer.Exit(DIFFERS)


async def _check(url: str, wanted: TicketRange, quiet: bool) -> CheckedPage:
    total = CheckedPage(0, 0)
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
        async with reading(url) as connection:
            bar = progress.add_task("Folding tickets", total=await connection.fetchval(_COUNT, *wanted))
            async for page in check_folds(connection, wanted):
                total.tickets += page.tickets
                total.facts += page.facts
                total.differences += page.differences
                progress.update(bar, advance=page.tickets)
    return total


def _report(total: CheckedPage, as_json: bool) -> None:
    if as_json:
        found = [{"ticket_id": each.ticket_id, "difference": each.what} for each in total.differences]
        print(to_json({"tickets": total.tickets, "facts": total.facts, "differences": found}, indent=2).decode())
        return
    console = Console(highlight=False)
    for each in total.differences[:MOST_SHOWN]:
        console.print(f"✘ {each.ticket_id}: {each.what}", markup=False)
    if len(total.differences) > MOST_SHOWN:
        console.print(f"… and {len(total.differences) - MOST_SHOWN} more; --json prints all")
    mark = "✘" if total.differences else "✔"
    console.print(f"{mark} {total.tickets} tickets, {total.facts} facts: {len(total.differences)} differences")
