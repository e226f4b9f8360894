"""`firebreak what-if`: what the clocks would have said under another policy or calendar."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import typer
from pydantic_core import to_json
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from sla_engine.commands.options import DEFAULT_DATA_DIR, DataDir, Json, Reach, reading
from sla_engine.compile_policies import Earlier, compile_configuration, earlier_versions
from sla_engine.domain.acts import NO_ACTS, read_history
from sla_engine.domain.kept_promises import GROUPS, Results, result_of
from sla_engine.domain.policies import Policies
from sla_engine.domain.quick_what_if import replay as replay_quickly
from sla_engine.domain.quick_what_if import within_reach
from sla_engine.domain.what_if import replay, without_warnings
from sla_engine.stored_state import decode_fact
from ticket_contracts.tickets import TicketFact
from ticket_store import configuration
from ticket_store.configuration import Configuration, ConfigurationRefused, Versioned
from ticket_store.configuration_checks import FoundDocument, check_documents
from ticket_store.configuration_files import read_documents
from ticket_store.documents import Document, Policy

TICKETS_AT_ONCE = 500  # some 10 MB where conversations are long
WHOLE_AT_ONCE = 50  # of those that are read in full: a fact in Python is ten times its text
RESULTS = ("met", "breached", "open", "cancelled")

_HISTORIES = """
SELECT ticket_id, '[' || string_agg('["' || event.type || '",' || event.data || ']', ',' ORDER BY event.version) || ']'
FROM tickets AS ticket JOIN ticket_events AS event USING (ticket_id)
WHERE ticket.opened_at >= $1 AND ticket.opened_at < $2 AND event.type <> ALL($3)
GROUP BY ticket_id
"""
"""One text for each ticket, in the form of `acts.History`: an answer's rows cost more than their reading."""

_WHOLE = """
SELECT ticket_id, type, data FROM ticket_events WHERE ticket_id = ANY($1::uuid[]) ORDER BY ticket_id, version
"""
"""Clocks' facts too: of an imported ticket they tell up to when it was another system's."""

_AS_THEY_WENT = """
SELECT clock.metric, ticket.team, coalesce(ticket.priority, 'none') AS priority,
       to_char(clock.started_at AT TIME ZONE 'UTC', 'HH24') AS hour, clock.status, count(*) AS clocks
FROM tickets AS ticket JOIN clocks AS clock USING (ticket_id)
WHERE ticket.opened_at >= $1 AND ticket.opened_at < $2
GROUP BY 1, 2, 3, 4, 5
"""
"""What is stored is the fold of the same events: `firebreak rebuild --check`."""

_COUNT = "SELECT count(*) FROM tickets WHERE opened_at >= $1 AND opened_at < $2"

_DAY = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
PolicyFile = Annotated[
    list[Path],
    typer.Option(
        "--policy",
        "--calendar",
        exists=True,
        dir_okay=False,
        help="YAML with policies or calendars; may be repeated.",
    ),
]
From = Annotated[datetime, typer.Option("--from", formats=_DAY, help="Tickets opened since then, in UTC.")]
To = Annotated[datetime, typer.Option("--to", formats=_DAY, help="Tickets opened before then; judged as of now.")]


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add the command."""

    @app.command("what-if")
    def what_if(
        policy: PolicyFile, first: From, last: To, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: Json = False
    ) -> None:
        """Replay real tickets under other policies or calendars, beside what really happened. Nothing is changed."""
        try:
            supposed = [document for file in policy for document in read_documents(file)]
            span = Span(first.replace(tzinfo=UTC), last.replace(tzinfo=UTC), datetime.now(UTC))
            real, imagined = asyncio.run(_compare(reach(data_dir).postgres, supposed, span, as_json))
        except ConfigurationRefused as refused:
            raise typer.BadParameter(str(refused), param_hint="--policy") from refused
        _show(real, imagined, as_json)


@dataclass(frozen=True, slots=True)
class Span:
    """Which tickets, and up to when their clocks are followed."""

    first: datetime
    last: datetime
    until: datetime


async def _compare(url: str, supposed: Sequence[Document], span: Span, quiet: bool) -> tuple[Results, Results]:
    imagined = Results()
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
        async with reading(url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            present = await configuration.load(connection)
            policies = suppose(present, supposed, await earlier_versions(connection, present))
            acting = without_warnings(policies)
            real = await _as_they_went(connection, span)
            bar = progress.add_task("Replaying tickets", total=real.tickets)
            histories = await connection.cursor(_HISTORIES, span.first, span.last, NO_ACTS)
            while rows := await histories.fetch(TICKETS_AT_ONCE):
                out_of_reach = _replay_quickly(rows, policies, span, imagined)
                for start in range(0, len(out_of_reach), WHOLE_AT_ONCE):
                    for facts in await _whole(connection, out_of_reach[start : start + WHOLE_AT_ONCE]):
                        ticket = replay(facts, acting, span.until)
                        imagined.add(ticket.summary, ticket.clocks)
                progress.update(bar, advance=len(rows))
    return real, imagined


def _replay_quickly(rows: Sequence[asyncpg.Record], policies: Policies, span: Span, imagined: Results) -> list[UUID]:
    """Count what the quick replay is right for; return the other tickets."""
    others = list[UUID]()
    for ticket_id, facts in rows:
        history = read_history(facts)
        if within_reach(history, policies):
            ticket = replay_quickly(history, policies, span.until)
            imagined.add(ticket.holding, ticket.clocks)
        else:
            others.append(ticket_id)
    return others


async def _whole(
    connection: "asyncpg.Connection[asyncpg.Record]", ticket_ids: Sequence[UUID]
) -> Iterator[list[TicketFact]]:
    """Return all facts of each ticket."""
    rows = await connection.fetch(_WHOLE, ticket_ids)
    return ([decode_fact(row["type"], row["data"]) for row in of_one] for _, of_one in groupby(rows, itemgetter(0)))


async def _as_they_went(connection: "asyncpg.Connection[asyncpg.Record]", span: Span) -> Results:
    real = Results(tickets=await connection.fetchval(_COUNT, span.first, span.last))
    for metric, team, priority, hour, status, clocks in await connection.fetch(_AS_THEY_WENT, span.first, span.last):
        real.clocks[metric, team, priority, hour, result_of(status)] += clocks
    return real


def suppose(present: Configuration, documents: Sequence[Document], earlier: Earlier) -> Policies:
    """Return the policies as if `documents` stood in the present configuration, in force from the beginning.

    :raises ConfigurationRefused: together they do not hold.
    """
    highest = max((each.version for each in present.documents.values()), default=0)
    imagined = {(each.kind, each.name): Versioned(_undated(each), highest + 1) for each in documents}
    together = Configuration(present.version, {**present.documents, **imagined})
    check_documents([FoundDocument(each.document) for each in together.documents.values()])
    return compile_configuration(together, earlier)


def _undated(document: Document) -> Document:
    return document.model_copy(update={"effective_from": None}) if isinstance(document, Policy) else document


def _show(real: Results, imagined: Results, as_json: bool) -> None:
    if as_json:
        sides = {"real": real, "supposed": imagined}
        report = {
            side: {"tickets": results.tickets, **{f"by_{group}": _nested(results.by(group)) for group in GROUPS}}
            for side, results in sides.items()
        }
        print(to_json(report, indent=2).decode())
        return
    console = Console()
    console.print(f"{real.tickets} tickets, as they went → as they would have gone")
    for group in GROUPS:
        console.print(_table(group, real.by(group), imagined.by(group)))


def _nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (name, result), number in sorted(counts.items()):
        nested.setdefault(name, dict.fromkeys(RESULTS, 0))[result] = number
    return nested


def _table(title: str, real: Counter[tuple[str, str]], imagined: Counter[tuple[str, str]]) -> Table:
    table = Table(title, *RESULTS, "share met")
    for name in sorted({name for name, _ in (*real, *imagined)}):
        cells = [f"{real[name, result]} → {imagined[name, result]}" for result in RESULTS]
        table.add_row(name, *cells, f"{_share(real, name)} → {_share(imagined, name)}")
    return table


def _share(counts: Counter[tuple[str, str]], name: str) -> str:
    decided = counts[name, "met"] + counts[name, "breached"]
    return f"{100 * counts[name, 'met'] / decided:.1f} %" if decided else "–"
