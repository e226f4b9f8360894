"""What must hold between documents, beyond the shape of each: every problem is reported, with its fix."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from ticket_contracts.vocabulary import Status
from ticket_store.automation_checks import automation, too_many_rules, too_many_waits
from ticket_store.configuration_findings import (
    MOST_YEARS,
    ConfigurationRefused,
    Finding,
    FoundDocument,
    Names,
    Problem,
    is_endless,
    title,
)
from ticket_store.documents import WEEKDAYS, Agent, Brand, Calendar, Document, Group, Interval, Policy, Routing, Team
from ticket_store.expression_checks import condition
from ticket_store.flow_checks import double_flows, reachability
from ticket_store.policy_checks import escalations, unreachable
from ticket_store.workflow_checks import workflow_findings
from ticket_store.workflow_documents import Automation, CustomField, Flow, PriorityMatrix, StatusName, Taxonomy

ROUTING_NAME = "rules"


def check_documents(found: Sequence[FoundDocument]) -> None:
    """Check names, references and meanings over all documents.

    :raises ConfigurationRefused: with every problem found.
    """
    names = Names(found)
    problems = [
        Problem(each.file, title(each.document), field, fix)
        for each in found
        for field, fix in (
            *_unstorable("", each.document.model_dump()),
            *_blank(each.document),
            *_findings(each.document, names),
        )
    ]
    problems += _repeated(found)
    problems += _triage(found)
    problems += _orders(found)
    problems += unreachable(found)
    problems += double_flows(found)
    problems += too_many_rules(found)
    problems += too_many_waits(found)
    if problems:
        raise ConfigurationRefused(problems)


def _findings(document: Document, names: Names) -> Iterator[Finding]:
    match document:
        case Team():
            yield from names.missing("members", Agent, *document.members)
            yield from names.missing("leads", Agent, *document.leads)
        case Group():
            yield from names.missing("members", Agent, *document.members)
            if not document.members and not document.addresses:
                yield "members", "nobody is in it, so that nobody would be told; give members or addresses"
        case Calendar():
            yield from calendar_findings(document)
        case Policy():
            yield from _policy(document, names)
            yield from escalations(document, names)
        case Routing():
            yield from _routing(document, names)
        case Automation():
            yield from automation(document, names)
        case StatusName() if document.name in set(Status):
            yield "name", "this is the word of a category, which exists already; choose a finer one"
        case Flow() | CustomField() | Taxonomy() | PriorityMatrix():
            yield from workflow_findings(document, names.of(StatusName))
            if isinstance(document, Flow):
                yield from reachability(document, names)


def _unstorable(path: str, value: object) -> Iterator[Finding]:
    """Postgres stores every character but one."""
    match value:
        case str() if "\x00" in value:
            yield path, "it holds the character U+0000; remove it"
        case dict():
            for key, item in value.items():
                yield from _unstorable(f"{path}.{key}".lstrip("."), item)
                yield from _unstorable(path, key)
        case tuple():
            for index, item in enumerate(value):
                yield from _unstorable(f"{path}.{index}", item)


def _blank(document: Document) -> Iterator[Finding]:
    """What has no letter to be seen cannot be told apart, nor asked for."""
    for field in ("name", "display_name"):
        value = getattr(document, field, None)
        if value is not None and not value.strip():
            yield field, "it is blank; write what people call it"


def _policy(policy: Policy, names: Names) -> Iterator[Finding]:
    yield from names.missing("calendar", Calendar, policy.calendar)
    yield from names.missing("match.teams", Team, *policy.match.teams)
    yield from names.missing("match.brands", Brand, *policy.match.brands)
    yield from _never_runs(policy)
    for metric, targets in policy.targets.items():
        for priority, duration in targets.items():
            if not duration.rstrip("smhbd").strip("0"):
                yield f"targets.{metric}.{priority}", "a target of no time is breached at once; give at least 1s"
            if is_endless(duration):
                yield f"targets.{metric}.{priority}", f"nobody lives to see it; give less than {MOST_YEARS} years"


def _never_runs(policy: Policy) -> Iterator[Finding]:
    """A clock starts in the statuses `new` and `open`; where those pause it, it never runs (rule 20)."""
    for status in (Status.NEW, Status.OPEN):
        if status in policy.pause_on and policy.pauses:
            metrics = ", ".join(policy.pauses)
            yield "pause_on", f"clocks start while a ticket is {status}, so these would never run: {metrics}; remove it"


def _routing(routing: Routing, names: Names) -> Iterator[Finding]:
    if routing.name != ROUTING_NAME:
        yield "name", f"the one routing document is named {ROUTING_NAME!r}; rename it, or move its rules there"
    for name, count in Counter(rule.name for rule in routing.rules).items():
        if count > 1:
            yield "rules", f"{count} rules are named {name!r}, and a ticket's trace could not tell them apart; rename"
    for index, rule in enumerate(routing.rules):
        yield from names.missing(f"rules.{index}.set.team", Team, rule.set.team)
        yield from condition(f"rules.{index}.when", rule.when)


def calendar_findings(calendar: Calendar) -> Iterator[Finding]:
    """Yield what is wrong with a calendar by itself."""
    if not any(calendar.week.values()):
        yield "week", "it never opens, so no target would ever fall due; give at least one interval"
    for day, intervals in [*calendar.week.items(), *calendar.working.items()]:
        field = f"week.{day}" if isinstance(day, str) else f"working.{day.isoformat()}"
        yield from ((field, fix) for fix in _intervals(intervals))
    yield from _nights(calendar)
    yield from _own_dates(calendar)
    try:
        ZoneInfo(calendar.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # in turn: unknown, no file of zones, a folder of zones
        yield "zone", f"{calendar.zone!r} is no time zone of the tz database; use a name such as Asia/Shanghai"
    yield from _country(calendar)


def _country(calendar: Calendar) -> Iterator[Finding]:
    if calendar.country is None:
        if calendar.subdivision is not None:
            yield "subdivision", "it needs a country; add country or remove subdivision"
        return
    subdivisions = holidays.list_supported_countries().get(calendar.country)
    if subdivisions is None:
        yield "country", f"no public holidays are known for {calendar.country!r}; use an ISO 3166 code such as CN"
    elif calendar.subdivision is not None and calendar.subdivision not in subdivisions:
        known = ", ".join(subdivisions) or "none"
        yield "subdivision", f"{calendar.subdivision!r} is not known for {calendar.country} (known: {known})"


def _intervals(intervals: Sequence[Interval]) -> Iterator[str]:
    spans = [interval.split("-") for interval in intervals]
    for start, end in spans:
        if not (_is_time(start) and (_is_time(end) or end == "24:00")):
            yield f"{start}-{end} is not within 00:00-24:00"
        elif start == end:
            yield f"{start}-{end} has no length; 00:00-24:00 is a whole day"
    for (first, until), (second, last) in pairwise(spans):
        if second < until or until < first:
            yield f"{first}-{until} and {second}-{last} overlap or are out of order; sort and separate them"


def _nights(calendar: Calendar) -> Iterator[Finding]:
    """A shift over midnight, written 22:00-06:00 on the day it starts, must end before the next day's first begins."""
    for day, following in zip(WEEKDAYS, (*WEEKDAYS[1:], WEEKDAYS[0]), strict=True):
        tonight, tomorrow = calendar.week.get(day, ()), calendar.week.get(following, ())
        if not tonight or not tomorrow:
            continue
        start, end = tonight[-1].split("-")
        if end < start and tomorrow[0] < end:
            yield f"week.{following}", f"{tomorrow[0]} begins while the night shift of {day} still runs until {end}"


def _own_dates(calendar: Calendar) -> Iterator[Finding]:
    for day, intervals in calendar.working.items():
        if day in calendar.closed:
            yield f"working.{day}", "the same date is under closed; keep one: hours here replace the usual ones"
        elif not intervals:
            yield f"working.{day}", "it has no hours; give at least one interval, or put the date under closed"


def _is_time(value: str) -> bool:
    hours, minutes = value.split(":")
    return int(hours) < 24 and int(minutes) < 60


def _repeated(found: Sequence[FoundDocument]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for each in found:
        key = (each.document.kind, each.document.name)
        if key in seen:
            yield Problem(each.file, title(each.document), "name", f"it exists already{_in(seen[key])}; keep one")
        seen.setdefault(key, each.file)


def _triage(found: Sequence[FoundDocument]) -> Iterator[Problem]:
    triage = sorted(each.document.name for each in found if isinstance(each.document, Team) and each.document.triage)
    if not triage:
        yield Problem("", "team", "triage", "no team takes what no rule matched; set `triage: true` on one team")
    if len(triage) > 1:
        yield Problem("", "team", "triage", f"only one team may be the triage team, not {', '.join(triage)}")


def _orders(found: Sequence[FoundDocument]) -> Iterator[Problem]:
    orders: dict[int, str] = {}
    for each in found:
        if isinstance(each.document, Policy):
            other = orders.setdefault(each.document.order, each.document.name)
            if other != each.document.name:
                fix = f"policy/{other} has the same order, so which one wins is open; give each its own"
                yield Problem(each.file, title(each.document), "order", fix)


def _in(file: str) -> str:
    return f" in {file}" if file else ""


__all__ = ["ROUTING_NAME", "ConfigurationRefused", "FoundDocument", "Problem", "calendar_findings", "check_documents"]
