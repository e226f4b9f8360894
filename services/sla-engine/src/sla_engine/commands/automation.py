"""`firebreak automation dry-run`: what rules would have done to the tickets of the last days."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from pydantic_core import to_json
from rich.console import Console
from rich.progress import Progress

from sla_engine.commands.options import DEFAULT_DATA_DIR, DataDir, Json, Reach, reading
from sla_engine.compile_policies import Earlier, PolicyBook, compile_configuration, earlier_versions
from sla_engine.domain.automation_rehearsal import rehearse
from sla_engine.domain.policies import Policies
from sla_engine.stored_state import decode_fact
from ticket_contracts.automation import RuleRan
from ticket_contracts.tickets import ClockFact, ClockState, TicketFact, TicketOpened
from ticket_store import configuration
from ticket_store.configuration import Configuration, ConfigurationRefused, Versioned, load_directory
from ticket_store.configuration_checks import FoundDocument, check_documents
from ticket_store.configuration_files import read_documents
from ticket_store.documents import Document

FACTS_AT_ONCE = 5_000  # some 10 MB; a ticket has about ten facts
MOST_NUMBERS = 10  # tickets named of each rule: enough to look at, and the count tells the rest
MOST_REASONS = 5  # different ones named of each rule

_HISTORIES = """
SELECT event.ticket_id, event.type, event.data
FROM tickets AS ticket JOIN ticket_events AS event USING (ticket_id)
WHERE ticket.updated_at >= $1 OR ticket.status <> 'closed'
ORDER BY event.ticket_id, event.version
"""
_COUNT = "SELECT count(*) FROM tickets WHERE updated_at >= $1 OR status <> 'closed'"
"""Tickets that something happened to since then, and those that may have waited for something."""

Rules = Annotated[
    Path,
    typer.Argument(
        exists=True, help="A YAML file whose documents are added to the configuration or replace those of the same "
        "name, or a directory that is the whole configuration."
    ),
]  # fmt: skip
Days = Annotated[int, typer.Option("--days", min=1, max=366, help="How far back to look.")]


def add_to(app: typer.Typer, reach: Reach) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True, help="Automation rules: what would they have done?")
    app.add_typer(commands, name="automation")

    @commands.callback()
    def automation() -> None:
        """Automation rules: what would they have done?"""

    @commands.command("dry-run")
    def dry_run(rules: Rules, days: Days = 7, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: Json = False) -> None:
        """Run rules over the real facts of the last days and show what they would have done. Nothing is changed."""
        try:
            documents = list(load_directory(rules)) if rules.is_dir() else read_documents(rules)
            now = datetime.now(UTC)
            span = Span(now - timedelta(days=days), now)
            report = asyncio.run(_rehearse(reach(data_dir).postgres, documents, span, rules.is_dir(), as_json))
        except ConfigurationRefused as refused:
            raise typer.BadParameter(str(refused), param_hint="RULES") from refused
        if as_json:
            print(to_json(report.for_scripts(), indent=2).decode())
        else:
            show_report(report, days)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is looked at."""

    since: datetime
    until: datetime


@dataclass(slots=True)
class RuleReport:
    """What one rule would have done. `held_back` counts what guards stopped, by outcome; each is told once a ticket."""

    ran: int = 0
    tickets: int = 0
    numbers: list[int] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    notified: Counter[str] = field(default_factory=Counter)
    held_back: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Report:
    """What all rules would have done, in the order in which they are tried."""

    rules: dict[str, RuleReport]
    tickets: int = 0

    def add(self, runs: Sequence[RuleRan]) -> None:
        """Count what became of one ticket."""
        self.tickets += 1
        for run in runs:
            rule = self.rules[run.rule]
            if run.outcome == "ran":
                self._count(rule, run)
                continue
            rule.reasons[run.reason] += 1
            for name in (run.rule, *(each.rule for each in run.also)):
                self.rules[name].held_back[run.outcome] += 1
        for name in {run.rule for run in runs if run.outcome == "ran"}:
            self.rules[name].tickets += 1
            self.rules[name].numbers = [*self.rules[name].numbers, runs[0].ticket.number][:MOST_NUMBERS]

    def _count(self, rule: RuleReport, run: RuleRan) -> None:
        rule.ran += 1
        rule.done.update(run.done)
        rule.refused.update(run.refused)
        rule.notified.update(person.email or person.name or "nobody" for person in run.notified)

    def for_scripts(self) -> dict[str, object]:
        """Return what `--json` prints."""
        return {"tickets": self.tickets, "rules": self.rules}


async def _rehearse(url: str, documents: Sequence[Document], span: Span, whole: bool, quiet: bool) -> Report:
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as progress:
        async with reading(url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            present = await configuration.load(connection)
            policies = suppose(present, documents, whole, await earlier_versions(connection, present))
            report = Report({rule.name: RuleReport() for rule in policies.automation.rules})
            book = PolicyBook(policies)
            bar = progress.add_task("Rehearsing", total=await connection.fetchval(_COUNT, span.since))
            async for facts in _histories(connection, span):
                known = await book.including(connection, *_held(facts))
                report.add(rehearse(facts, known, span.since, span.until))
                progress.update(bar, advance=1)
    return report


def suppose(present: Configuration, documents: Sequence[Document], whole: bool, earlier: Earlier) -> Policies:
    """Return the policies as if `documents` were the whole configuration, or stood in the present one.

    :raises ConfigurationRefused: together they do not hold.
    """
    highest = max((each.version for each in present.documents.values()), default=0)
    imagined = {(each.kind, each.name): Versioned(each, highest + 1) for each in documents}
    together = Configuration(present.version, imagined if whole else {**present.documents, **imagined})
    check_documents([FoundDocument(each.document) for each in together.documents.values()])
    return compile_configuration(together, earlier)


def _held(facts: Sequence[TicketFact]) -> tuple[set[tuple[str, int]], set[str]]:
    clocks = list(_clocks(facts))
    return {(clock.policy, clock.policy_version) for clock in clocks}, {clock.calendar for clock in clocks}


def _clocks(facts: Sequence[TicketFact]) -> Iterator[ClockState]:
    for fact in facts:
        if isinstance(fact, ClockFact):
            yield fact.clock
        elif isinstance(fact, TicketOpened):
            yield from fact.clocks


async def _histories(connection: "asyncpg.Connection[asyncpg.Record]", span: Span) -> AsyncIterator[list[TicketFact]]:
    facts: list[TicketFact] = []
    async for row in connection.cursor(_HISTORIES, span.since, prefetch=FACTS_AT_ONCE):
        if facts and facts[0].ticket_id != row["ticket_id"]:
            yield facts
            facts = []
        facts.append(decode_fact(row["type"], row["data"]))
    if facts:
        yield facts


def show_report(report: Report, days: int) -> None:
    """Print it for people."""
    console = Console(highlight=False, markup=False)
    console.print(f"{report.tickets} tickets, the last {days} days. Nothing was changed.")
    for name, rule in report.rules.items():
        more = f" … and {rule.tickets - len(rule.numbers)} more" if rule.tickets > len(rule.numbers) else ""
        numbers = f": {', '.join(f'#{number}' for number in rule.numbers)}{more}" if rule.numbers else ""
        console.print(f"\n{name}: {rule.ran} times on {rule.tickets} tickets{numbers}")
        _print(console, "would have done", rule.done)
        _print(console, "would have told", rule.notified)
        _print(console, "would have been refused", rule.refused)
        _print(console, "would have been held back", rule.held_back)
        _print(console, "because", rule.reasons)


def _print(console: Console, what: str, counts: Counter[str]) -> None:
    for text, number in counts.most_common(MOST_REASONS):
        console.print(f"  {what}: {number} × {text}")
