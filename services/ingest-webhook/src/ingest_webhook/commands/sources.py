"""`firebreak sources check`: is every channel set up right, before its provider finds out that it is not?"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Protocol, TypeAlias

import httpx
import typer
from pydantic_core import to_json
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from ingest_webhook.check_sources import SECONDS, Check, check_sources
from ingest_webhook.sources import ConfiguredSource, read_configured
from ticket_intake.source_file import SourcesInvalid

FOUND_WRONG = 1  # exit code


class Installation(Protocol):
    """The stack of a data directory, as the command line found it."""

    @property
    def sources_file(self) -> Path | None: ...

    @property
    def webhooks(self) -> str | None: ...


Reach: TypeAlias = Callable[[Path], Installation]

File = Annotated[
    Path | None,
    typer.Option("--file", envvar="FIREBREAK_SOURCES_FILE", help="The sources file; default: that of --data-dir."),
]
Url = Annotated[
    str | None,
    typer.Option("--url", help="Where ingest-webhook answers, e.g. https://in.example.com; default: --data-dir's."),
]
Only = Annotated[list[str] | None, typer.Option("--only", help="Check this source alone; may be repeated.")]
NoSend = Annotated[bool, typer.Option("--no-send", help="Check the file and the secrets only; send nothing.")]
DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="FIREBREAK_DATA_DIR", file_okay=False, help="Folder of the stack to check."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON array on standard output, for scripts.")]


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add the group."""
    group = typer.Typer(help="Look after the webhook sources.", no_args_is_help=True)

    @group.command("check")
    def check(
        file: File = None,
        url: Url = None,
        only: Only = None,
        no_send: NoSend = False,
        data_dir: DataDir = Path(".firebreak"),
        as_json: Json = False,
    ) -> None:
        """Check the sources file, and send each source a request signed with each of its secrets. Opens no ticket."""
        if file is None or (url is None and not no_send):
            stack = reach(data_dir)
            file, url = file or stack.sources_file, url or stack.webhooks
        if file is None or (url is None and not no_send):
            raise typer.BadParameter("name the sources file and the address of the service", param_hint="--file, --url")
        sources = _read(file, only or ())
        if no_send or url is None:
            _show([Check(each.name, each.provider, "not sent", None) for each in sources], as_json)
            return
        checks = asyncio.run(_check_all(sources, url, as_json))
        _show(checks, as_json)
        if not all(check.passed for check in checks):
            raise typer.Exit(FOUND_WRONG)

    @group.callback()
    def sources_group() -> None:
        """Keep `check` a command of its group, though it is the only one."""

    app.add_typer(group, name="sources")


def _read(file: Path, only: Sequence[str]) -> list[ConfiguredSource]:
    try:
        sources = read_configured(file, os.environ)
    except SourcesInvalid as error:
        for problem in error.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(FOUND_WRONG) from error
    if unknown := set(only) - {source.name for source in sources}:
        known = ", ".join(source.name for source in sources)
        raise typer.BadParameter(f"no source {', '.join(sorted(unknown))}; there are {known}", param_hint="--only")
    return [source for source in sources if not only or source.name in only]


async def _check_all(sources: Sequence[ConfiguredSource], url: str, quiet: bool) -> list[Check]:
    checks = []
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
        bar = progress.add_task("Checking sources", total=sum(len(source.secrets) + 1 for source in sources))
        async with httpx.AsyncClient(base_url=url, timeout=SECONDS) as client:
            async for check in check_sources(sources, client, datetime.now(UTC)):
                checks.append(check)
                progress.update(bar, advance=1)
    return checks


def _show(checks: Sequence[Check], as_json: bool) -> None:
    if as_json:
        print(to_json([asdict(check) | {"passed": check.passed} for check in checks], indent=2).decode())
        return
    table = Table("", "source", "provider", "sent", "answer", "what to do")
    for check in checks:
        cells = (check.source, check.provider, check.what, str(check.status or "–"), check.advice)
        table.add_row("[green]✔[/]" if check.passed else "[red]✘[/]", *map(escape, cells))
    Console().print(table)
