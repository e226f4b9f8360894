"""`firebreak sources check`: is every channel set up right, before its provider finds out that it is not?"""

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from firebreak_cli.check_sources import NoSuchSource, Place, Row, check_sources
from firebreak_cli.commands.options import DEFAULT_DATA_DIR, DataDir
from firebreak_cli.contributed_commands import contributed_checkers
from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.reached_servers import NothingReachedError, reach
from firebreak_cli.stack_layout import StackLayout
from firebreak_cli.terminal_text import plain
from ticket_intake.source_checks import Outcome, SourcesFile

FOUND_WRONG = 1  # exit code
_PRINTED = re.compile(r"[^\s\x00-\x20\x7f\\]+")  # what an address is written with
_MARKS = {Outcome.PASSED: ("✔", "green"), Outcome.FAILED: ("✘", "red"), Outcome.NOT_TRIED: ("–", "yellow")}
_SERVICES = {
    SourcesFile.WEBHOOKS: "ingest-webhook",
    SourcesFile.PULL: "ingest-pull",
    SourcesFile.MAILBOXES: "ingest-email",
}


def _is_address(stated: str | None) -> str | None:
    """Return the address of a service without a slash at its end.

    :raises typer.BadParameter: nobody can be asked there; the library names the option.
    """
    if stated is None:
        return None
    try:
        parts = urlsplit(stated)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")  # what a resolver would do with it
    except ValueError:  # UnicodeError is one
        host, port, parts = "", None, urlsplit("")
    spoilt = parts.username is not None or parts.query or parts.fragment or not _PRINTED.fullmatch(stated)
    if parts.scheme not in ("http", "https") or not host or port == 0 or spoilt:
        raise typer.BadParameter(
            "must be the address of a service, such as https://in.example.com or http://127.0.0.1:8081, "
            "without user, password, ? and #"
        )
    return stated.rstrip("/")


File = Annotated[
    Path | None,
    typer.Option("--file", envvar="FIREBREAK_SOURCES_FILE", help="Sources of ingest-webhook and ingest-files."),
]
PullFile = Annotated[
    Path | None, typer.Option("--pull-file", envvar="FIREBREAK_PULL_SOURCES_FILE", help="Sources of ingest-pull.")
]
Mailboxes = Annotated[
    Path | None,
    typer.Option("--mailboxes", envvar="FIREBREAK_MAILBOXES_FILE", help="Mailboxes and hooks of ingest-email."),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        callback=_is_address,
        help="Where ingest-webhook answers, e.g. https://in.example.com; else --data-dir's.",
    ),
]
PullUrl = Annotated[
    str | None,
    typer.Option(
        "--pull-url", callback=_is_address, help="Where ingest-pull answers, for callbacks; else --data-dir's."
    ),
]
MailUrl = Annotated[
    str | None,
    typer.Option(
        "--mail-url",
        callback=_is_address,
        help="Where ingest-email answers over HTTP, for hooks; else --data-dir's.",
    ),
]
Only = Annotated[list[str] | None, typer.Option("--only", help="Check this source alone; may be repeated.")]
NoSend = Annotated[bool, typer.Option("--no-send", help="Check the files and their secrets only; try nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON array on standard output, for scripts.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Look after the sources.", no_args_is_help=True)
    group.command("check")(check)

    @group.callback()
    def sources() -> None:
        """Keep `check` a command of its group, though it is the only one."""

    app.add_typer(group, name="sources")


def check(
    file: File = None,
    pull_file: PullFile = None,
    mailboxes: Mailboxes = None,
    url: Url = None,
    pull_url: PullUrl = None,
    mail_url: MailUrl = None,
    only: Only = None,
    no_send: NoSend = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: Json = False,
) -> None:
    """Try every source: signed samples to what receives, a look that moves nothing at what is read. Opens no ticket.

    Without a file named, those of the stack on --data-dir.
    """
    files = {SourcesFile.WEBHOOKS: file, SourcesFile.PULL: pull_file, SourcesFile.MAILBOXES: mailboxes}
    urls = {SourcesFile.WEBHOOKS: url, SourcesFile.PULL: pull_url, SourcesFile.MAILBOXES: mail_url}
    rows = asyncio.run(
        _check(_places(files, urls, data_dir, no_send=no_send), only or (), quiet=as_json, send=not no_send)
    )
    _show(rows, as_json=as_json)
    if any(row.attempt.outcome is Outcome.FAILED for row in rows):
        raise typer.Exit(FOUND_WRONG)


def _places(
    files: Mapping[SourcesFile, Path | None], urls: Mapping[SourcesFile, str | None], data_dir: Path, *, no_send: bool
) -> dict[SourcesFile, Place]:
    """What is named, else the stack's; its addresses are good for named files too.

    :raises LocalStackError: no file is named, and no stack runs.
    """
    named = {kind: path for kind, path in files.items() if path is not None}
    layout = None
    if not named:
        layout = _layout(data_dir)
        named = {
            SourcesFile.WEBHOOKS: layout.sources_file,
            SourcesFile.PULL: layout.pull_sources_file,
            SourcesFile.MAILBOXES: layout.mailboxes_file,
        }
    elif not no_send and any(urls[kind] is None for kind in named):
        try:
            layout = _layout(data_dir)
        except (LocalStackError, typer.BadParameter):
            layout = None  # each source that needs its service's address says so in its row
    return {kind: Place(path, _url(kind, urls[kind], layout)) for kind, path in named.items()}


def _layout(data_dir: Path) -> StackLayout:
    layout = reach(data_dir).layout
    if layout is None:
        raise typer.BadParameter("name the files of this installation", param_hint="--file, --pull-file, --mailboxes")
    return layout


def _url(kind: SourcesFile, named: str | None, layout: StackLayout | None) -> str | None:
    if named is not None:
        return named
    return layout.url(_SERVICES[kind]) if layout is not None else None


async def _check(places: Mapping[SourcesFile, Place], only: Sequence[str], *, quiet: bool, send: bool) -> list[Row]:
    checkers = list(contributed_checkers())
    if not checkers:
        raise NothingReachedError("No service with sources is installed beside this command: none can be checked.")
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
        bar = progress.add_task("Checking sources", total=1)
        try:
            return await check_sources(
                checkers,
                places,
                os.environ,
                datetime.now(UTC),
                only=only,
                send=send,
                advance=lambda done: progress.update(bar, completed=done),
            )
        except NoSuchSource as error:
            raise typer.BadParameter(str(error), param_hint="--only") from error


def _show(rows: Sequence[Row], *, as_json: bool) -> None:
    if as_json:
        told = [{"source": row.source, "provider": row.provider, **asdict(row.attempt)} for row in rows]
        print(to_json(told, indent=2).decode())
        return
    table = Table("")
    for column in ("source", "provider", "tried", "answer", "what to do"):
        table.add_column(column, overflow="fold")  # a command that is cut cannot be copied
    for row in rows:
        mark, style = _MARKS[row.attempt.outcome]
        cells = (row.source, row.provider, row.attempt.what, row.attempt.answer or "–", row.attempt.advice)
        table.add_row(plain(mark, style), *map(plain, cells))
    Console().print(table)
