"""`firebreak reevaluate`: match the tickets of a stated set with the policies of today (rule 32)."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from pydantic import ValidationError
from pydantic_core import to_json
from rich.console import Console
from rich.text import Text

from firebreak_cli.commands.options import DEFAULT_DATA_DIR, As, DataDir, Json
from firebreak_cli.operator_desk import open_connection
from firebreak_cli.reached_servers import reach
from firebreak_cli.said_plainly import said_plainly
from service_kit.moments import moment
from ticket_store.roll_outs import BACKWARDS, TicketScope, count_tickets, request_reevaluation

Team = Annotated[str | None, typer.Option("--team", help="Tickets that stand in this team.")]
Policy = Annotated[str | None, typer.Option("--policy", help="Tickets last matched with this policy.")]
After = Annotated[
    datetime | None,
    typer.Option("--opened-after", parser=moment, metavar="TIME", help="Opened then or later; UTC or an offset."),
]
Before = Annotated[
    datetime | None,
    typer.Option("--opened-before", parser=moment, metavar="TIME", help="Opened earlier; UTC or an offset."),
]
Everything = Annotated[bool, typer.Option("--everything", help="Every ticket that is not closed.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reevaluate")(reevaluate)


def reevaluate(
    by: As,
    team: Team = None,
    policy: Policy = None,
    opened_after: After = None,
    opened_before: Before = None,
    everything: Everything = False,
    yes: Yes = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: Json = False,
) -> None:
    """Match open tickets with the policies of today. State which: by conditions that all hold, or --everything."""
    try:
        scope = TicketScope(
            team=team,
            policy=policy,
            opened_after=opened_after,
            opened_before=opened_before,
            everything=everything,
        )
    except ValidationError as error:
        raise typer.BadParameter(_explain(error)) from None
    with said_plainly():
        asyncio.run(_request(scope, by, yes, data_dir, as_json))


def _explain(error: ValidationError) -> str:
    [detail, *_] = error.errors(include_url=False, include_input=False)
    if detail["loc"]:
        return f"--{detail['loc'][0]}: {detail['msg']}".replace("_", "-")
    if detail["type"] == BACKWARDS:
        return "--opened-after must be before --opened-before: no ticket lies between"
    return "say which tickets: --team, --policy, --opened-after, --opened-before, or --everything alone"


async def _request(scope: TicketScope, by: str, yes: bool, data_dir: DataDir, as_json: bool) -> None:
    async with open_connection(reach(data_dir)) as connection:
        counted = await count_tickets(connection, scope)
        if not yes:
            typer.confirm(f"Match {counted} tickets anew?", abort=True, err=as_json)
        rollout_id = await request_reevaluation(connection, scope, by)
    if as_json:
        print(to_json({"id": rollout_id, "tickets": counted}, indent=2).decode())
    else:
        Console().print(Text(f"✔ Asked for {counted} tickets; progress stands at /v1/roll-outs/{rollout_id}."))
