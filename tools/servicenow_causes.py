"""Why our clocks and `made_sla` differ, found by importing each incident again with one thing counted otherwise.

A reading explains an incident only if that makes it agree, and if `made_sla` bears the reading out in most others that
it judges otherwise. So no cause restates the outcome, and none is a threshold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from business_time.calendar import BusinessCalendar
from ticket_contracts.vocabulary import ClockStatus, Priority, Status
from tools.servicenow_fit import ALWAYS, Terms, Window, daily, fit, measure
from tools.servicenow_log import MISSING, Incident, Reading, moment, policies_of, resolution

AT_RESOLVED = {"New": Status.NEW, "Resolved": Status.SOLVED, "Closed": Status.CLOSED}
AT_CLOSED = {"New": Status.NEW, "Resolved": Status.OPEN, "Closed": Status.SOLVED}
WAITING = dict.fromkeys(
    ("Awaiting User Info", "Awaiting Vendor", "Awaiting Problem", "Awaiting Evidence"), Status.PENDING
)
SATURDAY = 5

UNTIL_RESOLVED = Reading("until Resolved", AT_RESOLVED, on_reopen="new_cycle")
UNTIL_CLOSED = Reading("until Closed", AT_CLOSED, on_reopen="new_cycle")
UNTIL_FIRST_CLOSED = Reading("until first Closed", AT_CLOSED)

WAIT = "late only after Resolved: the desk counts on until Closed"
REOPENED = "opened again: the desk does not count anew"
TARGET = "only the fitted target differs from the one of the desk's own rule"
NO_END = "the log does not tell its end"
UNTOLD = "the log does not tell"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What our clock says of one incident, and the seconds of business time that it ran; None when it never stopped."""

    incident: Incident
    met: bool
    start: datetime
    seconds: int | None
    terms: Terms

    @property
    def agrees(self) -> bool:
        return self.met is self.incident.made_sla

    def weekends_before_due(self) -> int:
        """Return how many Saturdays lie between the start and the moment at which it is due."""
        due = self.terms.calendar.add(self.start, timedelta(seconds=self.terms.span.target))
        days = ((self.start + timedelta(days=day)).weekday() for day in range((due - self.start).days + 1))
        return sum(day == SATURDAY for day in days)


def verdicts(incidents: Iterable[Incident], reading: Reading, terms: Mapping[Priority, Terms]) -> list[Verdict]:
    """Import under these terms. An incident whose priority has none, because none was fitted, is left out."""
    policies = policies_of({priority: (each.span.target, each.calendar) for priority, each in terms.items()}, reading)
    found = []
    for incident in incidents:
        adapted = reading.adapt(incident)
        if adapted.priority in terms:
            clock, its = resolution(incident, reading, policies), terms[adapted.priority]
            ran = its.calendar.between(clock.started_at, clock.stopped_at) if clock.stopped_at else None
            seconds = int(ran.total_seconds()) if ran is not None else None
            found.append(Verdict(incident, clock.status is ClockStatus.MET, clock.started_at, seconds, its))
    return found


@dataclass(frozen=True, slots=True)
class Rule:
    """What a desk may count by; its hours hold for the priorities that need them."""

    reading: Reading
    hours: BusinessCalendar

    @property
    def name(self) -> str:
        return f"{self.reading.name}, {self.hours.name}"


SIMPLE_RULES = (Rule(UNTIL_RESOLVED, ALWAYS), Rule(UNTIL_CLOSED, ALWAYS))


def own_rule(hours: Window) -> Rule:
    """Return the rule that stands the test: until an incident is closed for the first time, in the desk's hours."""
    opens, closes = hours
    return Rule(UNTIL_FIRST_CLOSED, daily(f"Mon-Fri {opens:02}-{closes:02}", hours))


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule with the terms that were fitted on some incidents, and its verdicts on others."""

    rule: Rule
    terms: Mapping[Priority, Terms]
    verdicts: Sequence[Verdict]

    @property
    def agreeing(self) -> int:
        return sum(verdict.agrees for verdict in self.verdicts)


def judge(rule: Rule, fitted: Iterable[Incident], judged: Iterable[Incident]) -> Judged:
    """Fit on some incidents, and judge others."""
    terms = fit(measure(fitted, rule.reading), rule.hours)
    return Judged(rule, terms, verdicts(judged, rule.reading, terms))


def causes(simple: Judged, own: Judged) -> list[tuple[Verdict, str]]:
    """Return each difference under a simple rule, and why that incident differs: by the desk's own rule.

    What the simple rule leaves out is taken away from the own rule, one thing at a time and with the targets kept. What
    changes the verdict then, is why. If nothing does, only the hours are left: outside them the desk's clock stands
    still.
    """
    incidents = [verdict.incident for verdict in simple.verdicts]
    end, start_anew = (
        verdicts(incidents, reading, own.terms)
        for reading in (replace(simple.rule.reading, on_reopen="ignore"), simple.rule.reading)
    )
    paths = zip(simple.verdicts, own.verdicts, end, start_anew, strict=True)
    return [(path[0], _cause(*path)) for path in paths if not path[0].agrees]


def _cause(simple: Verdict, own: Verdict, end: Verdict, start_anew: Verdict) -> str:
    if not own.agrees:
        return unexplained(own)
    if end.met is not own.met:
        return WAIT
    if start_anew.met is not own.met:
        return REOPENED
    if own.terms.calendar is simple.terms.calendar:
        return TARGET
    return f"runs {own.terms.calendar.name} only; weekends before it is due: {own.weekends_before_due()}"


def unexplained(own: Verdict) -> str:
    """Return why even the desk's own rule, as fitted, may differ."""
    if own.seconds is None:
        return NO_END
    return f"the target is not known nearer: {own.terms.span}" if own.terms.span.leaves_open(own.seconds) else UNTOLD


def late_by_waiting(own: Verdict) -> bool:
    """Whether the wait from the last Resolved to the first Closed alone is longer than any target that fits."""
    states = [row["incident_state"] for row in own.incident.rows]
    closed = resolved = states.index("Closed") if "Closed" in states else 0
    while resolved and states[resolved - 1] == "Resolved":
        resolved -= 1
    since, until = (moment(own.incident.rows[place]["sys_updated_at"]) for place in (resolved, closed))
    missed = own.terms.span.missed
    return missed is not None and own.terms.calendar.between(since, until).total_seconds() >= missed


def _last_closed(incident: Incident) -> Incident:
    """Let only the last Closed row close, whose time is `closed_at`."""
    closed = [row for row in incident.rows if row["incident_state"] == "Closed"]
    if len(closed) < 2:
        return incident
    before = {id(row) for row in closed[:-1]}
    rows = [{**row, "incident_state": "Resolved"} if id(row) in before else row for row in incident.rows]
    return replace(incident, rows=rows)


def _first_priority(incident: Incident) -> Incident:
    first = incident.rows[0]["priority"]
    if incident.rows[-1]["priority"] == first:
        return incident
    return replace(incident, rows=[{**row, "priority": first} for row in incident.rows])


def _from_creation(incident: Incident) -> Incident:
    created = incident.rows[0]["sys_created_at"]
    if created == MISSING:
        return incident
    return replace(incident, rows=[{**row, "opened_at": created} for row in incident.rows])


def _from_reopening(incident: Incident) -> Incident:
    """Let the incident begin in the row in which its last reopening is counted."""
    counts = [row["reopen_count"] for row in incident.rows]
    again = counts.index(counts[-1])
    if not again:
        return incident
    rows = incident.rows[again:]
    return replace(incident, rows=[{**row, "opened_at": rows[0]["sys_updated_at"]} for row in rows])


UNTIL_FIRST_RESOLVED = Reading("until the first Resolved", AT_RESOLVED)
OTHER_READINGS = (
    UNTIL_FIRST_RESOLVED,
    Reading("until the last Closed row (closed_at)", AT_CLOSED, adapt=_last_closed),
    replace(UNTIL_CLOSED, name="anew when opened again after Closed"),
    Reading("from the last reopening", AT_CLOSED, adapt=_from_reopening),
    Reading("from sys_created_at", AT_CLOSED, adapt=_from_creation),
    Reading("with the target of the first priority", AT_CLOSED, adapt=_first_priority),
    Reading("with the Awaiting states as pauses", AT_CLOSED | WAITING, pause_on=frozenset({Status.PENDING})),
)
"""What else a desk might count: where one contradicts the own rule, `made_sla` takes a side."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The incidents that a reading judges otherwise than the own rule, by the side that `made_sla` takes."""

    reading: Reading
    with_it: Sequence[Incident]
    with_us: Sequence[Incident]

    @property
    def refuted(self) -> bool:
        return len(self.with_us) >= len(self.with_it)


def contest(ours: Sequence[Verdict], reading: Reading, terms: Mapping[Priority, Terms]) -> Contest:
    """Judge by another reading, with the same terms."""
    other = {each.incident.number: each.met for each in verdicts((our.incident for our in ours), reading, terms)}
    changed = [our for our in ours if other.get(our.incident.number, our.met) is not our.met]
    with_it = [our.incident for our in changed if not our.agrees]
    return Contest(reading, with_it, [our.incident for our in changed if our.agrees])


def peculiar(some: Sequence[Incident], others: Sequence[Incident]) -> dict[str, str]:
    """Return the columns of the last row in which all of `some` hold one value, and none of the `others` holds it."""
    shared = set.intersection(*(set(incident.rows[-1].items()) for incident in some)) if some else set()
    found = sorted(shared - {pair for other in others for pair in other.rows[-1].items()})
    return {column: value for column, value in found if column != "made_sla"}
