"""`firebreak what-if`: what the clocks would have said under another policy, calendar or staffing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import Progress

from service_kit.moments import moment
from sla_engine.commands.options import DEFAULT_DATA_DIR, DataDir, Json, Reach, reading
from sla_engine.commands.what_if_report import print_json, print_tables
from sla_engine.compile_policies import Earlier, compile_configuration, earlier_versions
from sla_engine.compile_staffing import check_names
from sla_engine.domain.kept_promises import Hours, Results
from sla_engine.domain.policies import Policies
from sla_engine.replay_histories import Advance, Answer, Connection, Side, Span, Step, as_they_went, replay_span
from sla_engine.replay_staffing import replay_staffing
from sla_engine.staffing_file import StaffingFile, StaffingRefused, read_staffing
from ticket_store import configuration
from ticket_store.configuration import Configuration, ConfigurationRefused, Versioned
from ticket_store.configuration_checks import FoundDocument, check_documents
from ticket_store.configuration_files import read_documents
from ticket_store.documents import Document, Policy

_TEAMS = "SELECT DISTINCT name FROM configuration_documents WHERE kind = 'team'"
"""Archived ones too: their tickets are in the log."""

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
Staffing = Annotated[
    Path | None,
    typer.Option(
        "--staffing",
        exists=True,
        dir_okay=False,
        help="YAML with the agents of each team, their shifts and their time for an answer: see docs/what-if.md.",
    ),
]
From = Annotated[
    datetime, typer.Option("--from", parser=moment, metavar="TIME", help="Tickets opened since then; UTC or an offset.")
]
To = Annotated[
    datetime, typer.Option("--to", parser=moment, metavar="TIME", help="Tickets opened before then; judged as of now.")
]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # in turn: unknown, no file of zones, a folder of zones
        raise typer.BadParameter(
            f"{name!r} is no time zone of the tz database; give one such as Asia/Shanghai"
        ) from None


Zone = Annotated[
    ZoneInfo | None,
    typer.Option(
        "--timezone",
        parser=_zone,
        metavar="ZONE",
        help="Whose hours are told; default: the zone of all policies' calendars, UTC when they have several.",
    ),
]


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add the command."""

    @app.command("what-if")
    def what_if(
        first: From,
        last: To,
        policy: PolicyFile = [],  # noqa: B006 - typer's way to say "none given"
        staffing: Staffing = None,
        timezone: Zone = None,
        data_dir: DataDir = DEFAULT_DATA_DIR,
        as_json: Json = False,
    ) -> None:
        """Replay real tickets under other policies, calendars or agents, beside what happened. Nothing is changed."""
        if not policy and staffing is None:
            raise typer.BadParameter("say what is supposed: --policy, --staffing or both", param_hint="--policy")
        if first >= last:
            raise typer.BadParameter("--from must be before --to: no ticket lies between", param_hint="--from / --to")
        span = Span(first, last, datetime.now(UTC))
        try:
            documents = [document for file in policy for document in read_documents(file)]
            supposed = Supposition(documents, read_staffing(staffing) if staffing is not None else None, timezone)
            answer = asyncio.run(_compare(reach(data_dir).postgres, supposed, span, as_json))
        except ConfigurationRefused as refused:
            hint = "--staffing" if isinstance(refused, StaffingRefused) else "--policy"
            raise typer.BadParameter(str(refused), param_hint=hint) from refused
        if as_json:
            print_json(answer)
        else:
            print_tables(answer)


@dataclass(frozen=True, slots=True)
class Supposition:
    """Documents in place of the configuration's, and a staffing in place of the real one; whose hours are told."""

    documents: Sequence[Document]
    staffing: StaffingFile | None
    zone: ZoneInfo | None = None


async def _compare(url: str, supposed: Supposition, span: Span, quiet: bool) -> Answer:
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:

        def step(what: str, total: int | None) -> Advance:
            bar = progress.add_task(what, total=total)
            return lambda tickets: progress.update(bar, advance=tickets)

        async with reading(url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            present = await configuration.load(connection)
            earlier = await earlier_versions(connection, present)
            policies = suppose(present, supposed.documents, earlier)
            span = replace(span, hours=Hours(supposed.zone or zone_of(policies), span.until))
            side = Side(policies, Results(hours=span.hours))
            if supposed.staffing is None:
                real = await as_they_went(connection, span)
                await replay_span(connection, span, side, step("Replaying tickets", real.tickets))
                return Answer({"real": real, "supposed": side.results})
            sides = {"supposed": side}
            if supposed.staffing.document.present is not None:
                as_it_is = Side(compile_configuration(present, earlier), Results(hours=span.hours))
                sides = {"present": as_it_is, **sides}
            return await _staff(connection, span, supposed.staffing, sides, step)


async def _staff(
    connection: Connection, span: Span, staffing: StaffingFile, sides: Mapping[str, Side], step: Step
) -> Answer:
    teams = frozenset(row["name"] for row in await connection.fetch(_TEAMS))
    check_names(staffing, teams, {name: side.policies for name, side in sides.items()})
    return await replay_staffing(connection, span, staffing, sides, step)


def zone_of(policies: Policies) -> ZoneInfo:
    """Return the time zone that the calendars of all policies have, UTC when they have several."""
    names = {policy.calendar for policy in policies.in_force} & policies.calendars.keys()
    zones = {policies.calendars[name].zone for name in names}
    return zones.pop() if len(zones) == 1 else ZoneInfo("UTC")


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
