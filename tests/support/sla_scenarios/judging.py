"""Do the clocks and alerts of a run agree with a scenario?"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tests.support.sla_scenarios.scenario import AT_NOW, Clock, Scenario, Times
from ticket_contracts.alerts import ALERT_EVENTS, Alarm, AlarmKind, SlaAlert


class SeenClock(NamedTuple):
    """A clock as a run shows it; GET /v1/tickets/{id}/sla has the same fields."""

    metric: str
    cycle: int
    status: str
    policy: str
    policy_version: int
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    breached_at: datetime | None
    used_seconds: int


class SeenAlarm(NamedTuple):
    """One of the things that an alert tells; `what` as in a scenario."""

    ticket_id: UUID
    at: datetime
    metric: str
    what: str
    cycle: int


class SeenAlert(NamedTuple):
    """An alert as its subscribers get it."""

    ticket_id: UUID
    alarms: tuple[SeenAlarm, ...]
    recipients: tuple[str, ...]

    @classmethod
    def of(cls, event_type: str, data: bytes) -> "SeenAlert":
        """Read the alert."""
        alert = ALERT_EVENTS[event_type].model_validate_json(data)
        assert isinstance(alert, SlaAlert), event_type
        alarms = (SeenAlarm(alert.ticket_id, each.at, each.metric, _what(each), each.cycle) for each in alert.alarms)
        return cls(alert.ticket_id, tuple(alarms), tuple(each.name or str(each.email) for each in alert.recipients))


def _what(alarm: Alarm) -> str:
    match alarm.kind:
        case AlarmKind.WARNING:
            return str(alarm.percent)
        case AlarmKind.ESCALATION:
            return f"step {alarm.step}"
        case AlarmKind.BREACH_WITHDRAWN:
            return "withdrawn"
        case AlarmKind.BREACH:
            return "breach"


class Seen(NamedTuple):
    """A ticket's clocks, or the reason why there are none; and what else became of it."""

    clocks: Sequence[SeenClock]
    no_clock_reason: str
    team: str
    priority: str | None


def find_flaws(
    scenario: Scenario, times: Times, seen: Mapping[UUID, Seen], alerts: Sequence[SeenAlert]
) -> Iterator[str]:
    """Yield each difference, in words."""
    for ticket in scenario.tickets():
        expected = {(clock.metric, clock.cycle): clock for clock in scenario.clocks if clock.ticket == ticket}
        found = {(clock.metric, clock.cycle): clock for clock in seen[scenario.ticket_id(ticket)].clocks}
        for which in expected.keys() | found.keys():
            yield from _compare(which, times, expected.get(which), found.get(which))
    first = seen[scenario.ticket_id()]
    for name, value in scenario.becomes.items():
        if getattr(first, name) != value:
            yield f"its {name} is {getattr(first, name)}, not {value}"
    reason = first.no_clock_reason
    if scenario.no_clock not in reason or bool(scenario.no_clock) != bool(reason):
        yield f"the reason for no clock is {reason!r}, not {scenario.no_clock!r}"
    yield from _judge_alerts(scenario, times, alerts)


def _judge_alerts(scenario: Scenario, times: Times, alerts: Sequence[SeenAlert]) -> Iterator[str]:
    demanded = Counter(
        SeenAlarm(scenario.ticket_id(each.ticket), times.at(each.at), each.metric, each.what, each.cycle)
        for each in scenario.expected_alarms()
    )
    given = Counter(alarm for alert in alerts for alarm in alert.alarms)
    yield from (f"{times_} x {alarm} is missing" for alarm, times_ in (demanded - given).items())
    yield from (f"{times_} x {alarm} was not demanded" for alarm, times_ in (given - demanded).items())
    if scenario.told_in is not None and len(alerts) != scenario.told_in:
        yield f"it is told in {len(alerts)} alerts, not in {scenario.told_in}"
    told = {name for alert in alerts for name in alert.recipients}
    if scenario.tells is not None and told != scenario.tells:
        yield f"told are {told}, not {scenario.tells}"


def _compare(which: tuple[str, int], times: Times, expected: Clock | None, found: SeenClock | None) -> Iterator[str]:
    if expected is None or found is None:
        yield f"{which}: {found or 'no such clock'}, expected {expected or 'no such clock'}"
        return
    if found.status != expected.status:
        yield f"{which}: it is {found.status}, not {expected.status}"
    if expected.stopped is None or expected.stopped == AT_NOW:
        if (found.stopped_at is None) != (expected.stopped is None):
            yield f"{which}: stopped at {found.stopped_at}, expected {expected.stopped}"
    elif found.stopped_at != times.at(expected.stopped):
        yield f"{which}: stopped at {found.stopped_at}, not at {expected.stopped}"
    breached = expected.breached or (expected.due if expected.status == "breached" else None)
    for name, words, moment in (
        ("started", expected.started, found.started_at),
        ("due", expected.due, found.due_at),
        ("breached", breached, found.breached_at),
    ):
        if words is not None and moment != times.at(words):
            yield f"{which}: {name} at {moment}, not at {words} ({times.at(words)})"
    if breached is None and found.breached_at is not None:
        yield f"{which}: breached at {found.breached_at}, expected never"
    if expected.used is not None and found.used_seconds != expected.used.total_seconds():
        yield f"{which}: {found.used_seconds} s used, not {expected.used}"
    if expected.policy is not None and not found.policy.endswith(expected.policy):
        yield f"{which}: under policy {found.policy}, not {expected.policy}"
    if expected.version is not None and found.policy_version != expected.version:
        yield f"{which}: under version {found.policy_version}, not {expected.version}"
