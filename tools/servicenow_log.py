"""An incident log of a ServiceNow desk, read and imported by the engine's own rules.

One row per change of an incident, in the columns of the development data `servicenow_incidents_dev.csv.gz`. How a row
is to be understood, the log does not say: that is a `Reading`, which is stated and compared.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from business_time.calendar import BusinessCalendar
from sla_engine.domain.decide import decide
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.ticket import Ticket
from ticket_contracts.commands import Actor
from ticket_contracts.messages import Party
from ticket_contracts.tickets import ClockState
from ticket_contracts.upkeep import HistoricStep, ImportTicket, imported_ticket_id
from ticket_contracts.vocabulary import ActorKind, Channel, IdentityKind, Metric, Priority, Status

ORIGIN = "servicenow"
PRIORITIES = {"1": Priority.URGENT, "2": Priority.HIGH, "3": Priority.NORMAL, "4": Priority.LOW}
MISSING = "?"
AFTERWARDS = datetime(2100, 1, 1, tzinfo=UTC)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Incident:
    """What the log tells of one incident; `rows` in the order of the log."""

    number: str
    rows: Sequence[Row]

    @property
    def priority(self) -> Priority:
        return PRIORITIES[self.rows[-1]["priority"][0]]

    @property
    def made_sla(self) -> bool:
        return self.rows[-1]["made_sla"] == "true"

    @property
    def turned_late_in(self) -> str | None:
        """The state of the row in which `made_sla` turns false; None when it never turns."""
        late = next((place for place, row in enumerate(self.rows) if row["made_sla"] == "false"), 0)
        return self.rows[late]["incident_state"] if late else None


@dataclass(frozen=True, slots=True)
class Reading:
    """How incidents are understood: what a state is to us, which states pause, and what is changed before the import.

    A state that `statuses` does not name is `open`.
    """

    name: str
    statuses: Mapping[str, Status]
    pause_on: frozenset[Status] = frozenset()
    on_reopen: Literal["new_cycle", "ignore"] = "ignore"
    adapt: Callable[[Incident], Incident] = lambda incident: incident


def read_incidents(log: Path) -> list[Incident]:
    """Return the incidents in the order in which the log first names them."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    with gzip.open(log, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            rows[row["number"]].append(row)
    return [Incident(number, found) for number, found in rows.items()]


def moment(text: str) -> datetime:
    """Return a time of the log, D/M/YYYY HH:MM without a zone. UTC is taken, so hours of a day are the log's own."""
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


def as_command(incident: Incident, reading: Reading) -> ImportTicket:
    """Return the incident as an import."""
    first = incident.rows[0]
    caller = first["caller_id"]
    return ImportTicket(
        ticket_id=imported_ticket_id(ORIGIN, incident.number),
        actor=Actor(kind=ActorKind.MACHINE, id="import"),
        origin=ORIGIN,
        external_id=incident.number,
        brand="desk",
        channel=Channel.PHONE if first["contact_type"] == "Phone" else Channel.WEB,
        contact_id=uuid5(NAMESPACE_URL, caller),
        contact=Party(kind=IdentityKind.EXTERNAL, value=caller),
        subject=first["subcategory"],
        team=_team(first),
        priority=incident.priority,
        tags=(incident.priority,),
        opened_at=moment(first["opened_at"]),
        steps=tuple(_steps(incident, reading)),
    )


def _steps(incident: Incident, reading: Reading) -> Iterator[HistoricStep]:
    at, status, team = moment(incident.rows[0]["opened_at"]), Status.NEW, _team(incident.rows[0])
    for row in incident.rows:
        at = max(at, moment(row["sys_updated_at"]))  # a few rows are out of order
        if status is Status.CLOSED:  # a closed ticket never comes back
            return
        wanted = reading.statuses.get(row["incident_state"], Status.OPEN)
        changes: dict[str, object] = {}
        if wanted is not status and wanted is not Status.NEW:
            changes["status"] = status = wanted
        if _team(row) != team:
            changes["team"] = team = _team(row)
        if changes:
            yield HistoricStep(at=at, actor=row["sys_updated_by"], **changes)


def _team(row: Row) -> str:
    return row["assignment_group"] if row["assignment_group"] != MISSING else "unassigned"


class NotImported(Exception):
    """The engine refused an incident."""


def policies_of(terms: Mapping[Priority, tuple[int, BusinessCalendar]], reading: Reading) -> Policies:
    """Return one policy per priority, with its target in seconds and its calendar; an import's tag selects it."""
    policies = tuple(
        Policy(
            name=priority,
            version=1,
            order=order,
            calendar=calendar.name,
            targets={Metric.RESOLUTION: {priority: target}},
            warnings=(),
            pause_on=reading.pause_on,
            on_reopen=reading.on_reopen,
            tags=frozenset({priority}),
        )
        for order, (priority, (target, calendar)) in enumerate(terms.items())
    )
    calendars = {calendar.name: calendar for _, calendar in terms.values()}
    return Policies(policies, {(policy.name, 1): policy for policy in policies}, calendars)


def import_incident(incident: Incident, reading: Reading, policies: Policies) -> Ticket:
    """Decide the import, as the engine does.

    :raises NotImported: it was refused; the message names the incident and the step.
    """
    request = Request(incident.number, as_command(incident, reading), AFTERWARDS)
    decision = decide(None, request, policies, AFTERWARDS)
    if isinstance(decision, Rejected):
        raise NotImported(f"{incident.number}: {decision.reason}")
    ticket: Ticket | None = None
    for fact in decision:
        ticket = evolve(ticket, fact)
    assert ticket is not None  # an import opens
    return ticket


def resolution(incident: Incident, reading: Reading, policies: Policies) -> ClockState:
    """Return the last resolution clock of the imported incident: the only one, where the reading ignores reopenings."""
    return list(import_incident(reading.adapt(incident), reading, policies).of_metric(Metric.RESOLUTION))[-1]
