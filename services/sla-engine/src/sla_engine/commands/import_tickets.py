"""`firebreak import`: tickets of another system, with their original times (rule 47)."""

import asyncio
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from sla_engine.commands.import_lines import LineRefused, count_tickets, read_tickets, readable_twice
from sla_engine.commands.options import DEFAULT_DATA_DIR, DataDir, Installation, Reach
from sla_engine.commands.send_imports import ImportRun
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import open_edge_publisher

NOT_ALL = 1  # exit code

File = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, help="One ticket a line, as JSON: see docs/what-if.md, Importing."),
]
Wait = Annotated[
    float,
    typer.Option("--wait", min=0, max=86_400, help="Seconds without any outcome of the sla-engine until it gives up."),
]


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add the command."""

    @app.command("import")
    def import_tickets(file: File, wait: Wait = 60, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
        """Import tickets with their original times: no alarm, no automation. A ticket that is there stays as it is."""
        try:
            with readable_twice(file) as source:
                total = count_tickets(source)
                done = asyncio.run(_import(reach(data_dir), source, total, wait))
        except LineRefused as refused:
            raise typer.BadParameter(str(refused), param_hint="FILE") from refused
        _report(done, total, wait)
        if done.tally.refused or done.tally.known < total:
            raise typer.Exit(NOT_ALL)


async def _import(installation: Installation, source: BinaryIO, total: int, wait: float) -> ImportRun:
    kafka = installation.need_kafka()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Importing tickets", total=total)
        async with (
            open_pool(installation.postgres, application_name="firebreak-import", max_size=1) as pool,
            open_edge_publisher(kafka, installation.topic_prefix) as publisher,
        ):
            run = ImportRun(pool, publisher, read_tickets(source))
            await run.run(wait, lambda known: progress.update(bar, completed=known))
    return run


def _report(run: ImportRun, total: int, wait: float) -> None:
    tally = run.tally
    unknown = sum(map(len, tally.waiting.values()))
    left = total - tally.known - unknown
    sign = "✔" if tally.known == total and not tally.refused else "✘"
    say = Console(markup=False, highlight=False, soft_wrap=True).print
    say(f"{sign} {total} tickets: {tally.imported} imported, {tally.there} there already, {tally.refused} refused.")
    for number, reason in sorted(tally.refusals):
        told = "".join(each if each.isprintable() else "�" for each in reason)  # some of it may be the file's words
        say(f"  line {number}: {told}")
    if tally.refused > len(tally.refusals):
        say(f"  … and {tally.refused - len(tally.refusals)} more")
    if tally.refused:
        say("Correct the refused lines and import the file again: what is there stays as it is.")
    if unknown or left:
        say(f"Still under way: {unknown}, not sent: {left}; no outcome came for {wait:g} s.")
        say(run.trouble or "See with `firebreak status` whether the sla-engine works.")
        say("Import the same file again to learn the rest: that is safe, no ticket is imported twice.")
