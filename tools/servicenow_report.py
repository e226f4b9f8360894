"""How much of another desk's `made_sla` do our clocks reproduce? `python -m tools.servicenow_report LOG.csv.gz`

The log is the development data `servicenow_incidents_dev.csv.gz`: one row per change of an incident. Every incident is
imported as `firebreak import` would (original times, the engine's own rules), under one policy per priority on an
always-open calendar without pauses. The desk does not tell its targets: each is the one that fits the incidents with an
even place in the log best, and is judged on those with an odd place.
"""

import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from business_time.calendar import BusinessCalendar, OpeningHours
from sla_engine.domain.decide import decide
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.ticket import Ticket
from ticket_contracts.commands import Actor
from ticket_contracts.messages import Party
from ticket_contracts.upkeep import HistoricStep, ImportTicket, imported_ticket_id
from ticket_contracts.vocabulary import ActorKind, Channel, ClockStatus, IdentityKind, Metric, Priority, Status

ORIGIN = "servicenow"
PRIORITIES = {"1": Priority.URGENT, "2": Priority.HIGH, "3": Priority.NORMAL, "4": Priority.LOW}
NEAR = 0.05  # share of the target; times in the log are whole minutes, and a target in hours is a guess
AFTERWARDS = datetime(2100, 1, 1, tzinfo=UTC)

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ending:
    """Which state of the desk ends our resolution clock."""

    name: str
    statuses: Mapping[str, Status]


UNTIL_RESOLVED = Ending("until Resolved", {"New": Status.NEW, "Resolved": Status.SOLVED, "Closed": Status.CLOSED})
UNTIL_CLOSED = Ending("until Closed", {"New": Status.NEW, "Resolved": Status.OPEN, "Closed": Status.SOLVED})
"""Every other state is `open`: with the waiting states as pauses the clocks agree less, so this desk does not pause."""


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
    def reopened(self) -> bool:
        return self.rows[-1]["reopen_count"] != "0"


@dataclass(frozen=True, slots=True)
class Imported:
    """An incident, and the seconds that its last resolution clock ran; None when it never stopped."""

    incident: Incident
    seconds: float | None


def read_incidents(log: Path) -> list[Incident]:
    """Return the incidents in the order in which the log first names them."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    with gzip.open(log, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            rows[row["number"]].append(row)
    return [Incident(number, found) for number, found in rows.items()]


def moment(text: str) -> datetime:
    """Return a time of the log, D/M/YYYY HH:MM without a zone; only differences matter, so UTC is taken."""
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


def as_command(incident: Incident, ending: Ending) -> ImportTicket:
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
        opened_at=moment(first["opened_at"]),
        steps=tuple(_steps(incident, ending)),
    )


def _steps(incident: Incident, ending: Ending) -> Iterator[HistoricStep]:
    at, status, team = moment(incident.rows[0]["opened_at"]), Status.NEW, _team(incident.rows[0])
    for row in incident.rows:
        at = max(at, moment(row["sys_updated_at"]))  # a few rows are out of order
        if status is Status.CLOSED:  # a closed ticket never comes back
            return
        wanted = ending.statuses.get(row["incident_state"], Status.OPEN)
        changes: dict[str, object] = {}
        if wanted is not status and wanted is not Status.NEW:
            changes["status"] = status = wanted
        if _team(row) != team:
            changes["team"] = team = _team(row)
        if changes:
            yield HistoricStep(at=at, actor=row["sys_updated_by"], **changes)


def _team(row: Row) -> str:
    return row["assignment_group"] if row["assignment_group"] != "?" else "unassigned"


class NotImported(Exception):
    """The engine refused an incident."""


def policies_of(targets: Mapping[Priority, int]) -> Policies:
    """Return one policy with these targets in seconds, for everything."""
    calendar = BusinessCalendar(OpeningHours("always", ZoneInfo("UTC"), (((0, 24 * 60),),) * 7))
    policy = Policy("desk", 1, 1, "always", {Metric.RESOLUTION: targets}, warnings=(), pause_on=frozenset())
    return Policies((policy,), {("desk", 1): policy}, {"always": calendar})


def import_incident(incident: Incident, ending: Ending, policies: Policies) -> Ticket:
    """Decide the import, as the engine does.

    :raises NotImported: it was refused; the message names the incident and the step.
    """
    request = Request(incident.number, as_command(incident, ending), AFTERWARDS)
    decision = decide(None, request, policies, AFTERWARDS)
    if isinstance(decision, Rejected):
        raise NotImported(f"{incident.number}: {decision.reason}")
    ticket: Ticket | None = None
    for fact in decision:
        ticket = evolve(ticket, fact)
    assert ticket is not None  # an import opens
    return ticket


def measure(incidents: Iterable[Incident], ending: Ending) -> list[Imported]:
    """Return how long each incident's last resolution clock ran, under a target that is never missed."""
    endless = policies_of(dict.fromkeys(Priority, int(timedelta(days=3650).total_seconds())))
    measured = []
    for incident in incidents:
        clock = list(import_incident(incident, ending, endless).of_metric(Metric.RESOLUTION))[-1]
        ran = (clock.stopped_at - clock.started_at).total_seconds() if clock.stopped_at else None
        measured.append(Imported(incident, ran))
    return measured


def best_target(measured: Sequence[Imported]) -> int:
    """Return the target in seconds that agrees with most of `made_sla`: the longest time that may count as met."""
    ran = sorted((each.seconds, each.incident.made_sla) for each in measured if each.seconds is not None)
    agreeing = best = sum(not made for _, made in ran)
    target = 1
    for seconds, made in ran:
        agreeing += 1 if made else -1
        if agreeing > best:
            best, target = agreeing, int(seconds) + 1
    return target


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the judged half shows for one priority; `others` counts the disagreements by their likeliest reason."""

    target: int
    judged: int
    agreeing: int
    others: Counter[str]


def judge(incidents: Sequence[Incident], ending: Ending) -> dict[Priority, Agreement]:
    """Fit targets on one half, import the other half under them, and compare with `made_sla`."""
    fitted: defaultdict[Priority, list[Imported]] = defaultdict(list)
    for each in measure(incidents[0::2], ending):
        fitted[each.incident.priority].append(each)
    targets = {priority: best_target(measured) for priority, measured in fitted.items()}
    policies = policies_of(targets)
    results: dict[Priority, Agreement] = {}
    for priority, target in targets.items():
        judged = [each for each in incidents[1::2] if each.priority is priority]
        others = Counter(filter(None, (_disagreement(each, ending, policies, target) for each in judged)))
        results[priority] = Agreement(target, len(judged), len(judged) - others.total(), others)
    return results


def _disagreement(incident: Incident, ending: Ending, policies: Policies, target: int) -> str:
    clock = list(import_incident(incident, ending, policies).of_metric(Metric.RESOLUTION))[-1]
    if (clock.status is ClockStatus.MET) is incident.made_sla:
        return ""
    if clock.stopped_at is None:
        return "the log does not tell its end"
    if incident.reopened:
        return "reopened: the desk counts otherwise"
    ran = (clock.stopped_at - clock.started_at).total_seconds()
    if abs(ran - target) <= NEAR * target:
        return f"within {NEAR:.0%} of the target, which is fitted"
    return "missed there, met here" if clock.status is ClockStatus.MET else "met there, missed here"


def lines(incidents: Sequence[Incident]) -> Iterator[str]:
    """Yield the report."""
    for ending in (UNTIL_RESOLVED, UNTIL_CLOSED):
        results = judge(incidents, ending)
        judged = sum(each.judged for each in results.values())
        agreeing = sum(each.agreeing for each in results.values())
        yield f"{ending.name}: {agreeing} of {judged} agree with made_sla ({agreeing / max(judged, 1):.1%})"
        for priority in reversed(Priority):
            if priority in results:
                found = results[priority]
                share = f"{found.agreeing / found.judged:.1%}" if found.judged else "–"
                target = f"target {found.target / 3600:7.1f} h"
                yield f"  {priority:7} {target}  {found.agreeing:5}/{found.judged:5}  {share}"
                yield from (f"    {number:5} {reason}" for reason, number in found.others.most_common())


def main() -> None:
    """Print the report of the log that the command line names."""
    for line in lines(read_incidents(Path(sys.argv[1]))):
        print(line)


if __name__ == "__main__":
    main()
