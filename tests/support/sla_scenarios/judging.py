"""Do the clocks and alerts of a run agree with a scenario?"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tests.support.sla_scenarios.scenario import AT_NOW, Clock, Scenario, Times


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


class SeenAlert(NamedTuple):
    """An alert as its subscribers get it; `what` as in a scenario."""

    ticket_id: UUID
    at: datetime
    metric: str
    what: str
    cycle: int


class Seen(NamedTuple):
    """A ticket's clocks, or the reason why there are none."""

    clocks: Sequence[SeenClock]
    no_clock_reason: str


def find_flaws(
    scenario: Scenario, times: Times, seen: Mapping[UUID, Seen], alerts: Sequence[SeenAlert]
) -> Iterator[str]:
    """Yield each difference, in words."""
    for ticket in scenario.tickets():
        expected = {(clock.metric, clock.cycle): clock for clock in scenario.clocks if clock.ticket == ticket}
        found = {(clock.metric, clock.cycle): clock for clock in seen[scenario.ticket_id(ticket)].clocks}
        for which in expected.keys() | found.keys():
            yield from _compare(which, times, expected.get(which), found.get(which))
    reason = seen[scenario.ticket_id()].no_clock_reason
    if scenario.no_clock not in reason or bool(scenario.no_clock) != bool(reason):
        yield f"the reason for no clock is {reason!r}, not {scenario.no_clock!r}"
    demanded = Counter(
        SeenAlert(scenario.ticket_id(each.ticket), times.at(each.at), each.metric, each.what, each.cycle)
        for each in scenario.expected_alerts()
    )
    given = Counter(alerts)
    yield from (f"{times_} x {alert} is missing" for alert, times_ in (demanded - given).items())
    yield from (f"{times_} x {alert} was not demanded" for alert, times_ in (given - demanded).items())


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
