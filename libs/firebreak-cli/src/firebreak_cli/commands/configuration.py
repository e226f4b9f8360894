"""`firebreak apply` and `firebreak configuration`: change how the organisation works, look at what was, go back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic_core import to_json
from rich.console import Console, RenderableType
from rich.text import Text

from firebreak_cli.commands.options import DEFAULT_DATA_DIR, As, DataDir, Json
from firebreak_cli.configuration_pages import as_yaml, history_table, plan_page
from firebreak_cli.operator_desk import open_connection
from firebreak_cli.reached_servers import reach
from firebreak_cli.said_plainly import said_plainly
from ticket_store import configuration_history as history
from ticket_store.configuration import Applied, Connection, apply, load
from ticket_store.configuration_files import load_directory
from ticket_store.configuration_plan import Plan, plan
from ticket_store.documents import Document

MOST_VERSIONS = 2**63 - 1  # as the table counts them
MOST = 30  # versions; a page of a terminal
Result = TypeVar("Result")

Directory = Annotated[
    Path,
    typer.Argument(metavar="DIRECTORY", exists=True, file_okay=False, help="Its .yaml files are the whole of it."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Version = Annotated[int, typer.Argument(metavar="VERSION", min=1, max=MOST_VERSIONS, help="As `history` numbers them.")]
VersionOrNewest = Annotated[
    int | None,
    typer.Argument(metavar="VERSION", min=1, max=MOST_VERSIONS, help="As `history` numbers them; else the newest."),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="Show at most this many, the newest.")]


def add_to(app: typer.Typer) -> None:
    """Add `apply` and the group."""
    app.command("apply")(apply_directory)
    group = typer.Typer(
        help="Look at the versions of the configuration and go back to one. Works on the stack of --data-dir, or on "
        "FIREBREAK_POSTGRES when it is set.",
        no_args_is_help=True,
    )
    group.command("history")(show_history)
    group.command("show")(show_version)
    group.command("rollback")(roll_back)
    app.add_typer(group, name="configuration")


def apply_directory(
    directory: Directory,
    by: As,
    dry_run: DryRun = False,
    yes: Yes = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: Json = False,
) -> None:
    """Make the files of a directory the whole configuration: checked first, then shown as a plan, then applied."""
    with said_plainly():
        documents = load_directory(directory)
    planned = _run(data_dir, lambda connection: _plan(connection, documents))
    if _goes_on(planned, dry_run, yes, as_json):
        _report(
            _run(data_dir, lambda connection: apply(connection, documents, by, expected_head=planned.head)), as_json
        )


def show_history(data_dir: DataDir = DEFAULT_DATA_DIR, limit: Limit = MOST, as_json: Json = False) -> None:
    """List the versions: when, by whom, and what each changed."""
    versions = _run(data_dir, lambda connection: history.list_versions(connection, limit=limit))
    if as_json:
        print(to_json(versions, indent=2).decode())
    elif versions:
        _show(history_table(versions))
    else:
        _show(Text("Nothing was applied yet."))


def show_version(version: VersionOrNewest = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Print all documents in force now, or at a version, as YAML that `apply` reads."""
    found = _run(data_dir, load if version is None else lambda connection: history.load_version(connection, version))
    print(as_yaml(versioned.document for versioned in found.documents.values()), end="")


def roll_back(
    version: Version,
    by: As,
    dry_run: DryRun = False,
    yes: Yes = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: Json = False,
) -> None:
    """Apply again what was in force at a version; that is a new version of its own."""
    planned = _run(data_dir, lambda connection: _plan_back(connection, version))
    if _goes_on(planned, dry_run, yes, as_json):
        _report(
            _run(data_dir, lambda connection: history.roll_back(connection, version, by, expected_head=planned.head)),
            as_json,
        )


async def _plan(connection: Connection, documents: list[Document]) -> Plan:
    return await plan(connection, await load(connection), documents)


async def _plan_back(connection: Connection, version: int) -> Plan:
    past = await history.load_version(connection, version)
    return await _plan(connection, [versioned.document for versioned in past.documents.values()])


def _goes_on(planned: Plan, dry_run: bool, yes: bool, as_json: bool) -> bool:
    """Show the plan and ask; False when nothing is to be applied."""
    if not as_json:
        _show(plan_page(planned))
    elif dry_run or not planned.changes:
        print(to_json(planned, indent=2).decode())
    if dry_run or not planned.changes:
        return False
    if not yes:
        typer.confirm("Apply this?", abort=True, err=as_json)
    return True


def _report(applied: Applied, as_json: bool) -> None:
    if as_json:
        print(to_json(applied, indent=2).decode())
        return
    _show(Text(f"✔ The configuration is at version {applied.version}."))
    if applied.roll_out:
        _show(Text(f"  Due times on changed calendars are worked out anew: roll-out {applied.roll_out}."))


def _run(data_dir: Path, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    async def connected() -> Result:
        async with open_connection(reach(data_dir)) as connection:
            return await work(connection)

    with said_plainly():
        return asyncio.run(connected())


def _show(*parts: RenderableType) -> None:
    Console().print(*parts, sep="\n")
