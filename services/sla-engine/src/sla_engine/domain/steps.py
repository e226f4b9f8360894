"""Escalation steps of a policy: the points of a clock's life, and when the next of them comes (rule 45).

A step due while its calendar is closed waits for the opening, unless the policy asks for `out_of_hours`: that happens
only where a change made something late at night, for business time itself never ends out of hours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from business_time.calendar import MICROSECOND, NOTHING, SEARCH_YEARS, BusinessCalendar, OutOfCalendar
from ticket_contracts.tickets import ClockState, Lateness
from ticket_contracts.vocabulary import ClockStatus, Metric

NOT_LATE = Lateness()


class Recipient(NamedTuple):
    """Whom a step tells: a role of the ticket, or a group or agent by name."""

    to: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `percent` is of the target; None stands for `after` the breach."""

    name: str
    metric: Metric
    percent: int | None = None
    after: timedelta = NOTHING
    out_of_hours: bool = False
    notify: tuple[Recipient, ...] = ()
    reassign_team: str | None = None
    reassign_to: str | None = None
    raise_priority: bool = False

    @property
    def acts(self) -> bool:
        """Whether it changes the ticket, and so perhaps its clocks."""
        return self.raise_priority or self.reassign_team is not None or self.reassign_to is not None


def moment_after(calendar: BusinessCalendar, since: datetime, duration: timedelta) -> datetime:
    """Return when so much business time has passed; of a calendar that was edited to hardly open, when we look again.

    A promise is made only where the calendar reaches it, but it is counted by the calendar of today (rule 34): an
    impossible sum for one ticket must not stop a partition.
    """
    try:
        return calendar.add(since, duration)
    except OutOfCalendar:
        return since + timedelta(days=SEARCH_YEARS * 365)


def first_moments(calendar: BusinessCalendar, at: datetime, *microseconds: int) -> list[datetime]:
    """Return the next opening, and when each of the durations has passed since; where the calendar gets nowhere, as
    `moment_after` does. Closures of many years are accepted, and no sum on them may stop a partition."""
    return begin_all(calendar, at, [duration * MICROSECOND for duration in microseconds])


def begin_all(calendar: BusinessCalendar, at: datetime, durations: Sequence[timedelta]) -> list[datetime]:
    """Do as `first_moments` does."""
    try:
        return calendar.begin_all(at, durations)
    except OutOfCalendar:
        return [at, *(moment_after(calendar, at, duration) for duration in durations)]


def done_name(policy: str, step: str) -> str:
    """Return how a clock remembers a step: the next cycle may be of another policy."""
    return f"{policy}/{step}"


def with_next_step(clock: ClockState, steps: Sequence[Step], calendar: BusinessCalendar) -> ClockState:
    """Foresee the step that time brings next to a clock that counts; `steps` are those of its policy."""
    if not steps and clock.next_step is None:
        return clock
    ahead = [
        (_due(clock, step, calendar), step.percent is None, step.after, step.percent or 0, index)
        for index, step in enumerate(steps)
        if _is_ahead(clock, step)
    ]
    if not ahead:
        return clock.model_copy(update={"next_step": None, "next_step_at": None})
    at, *_, index = min(ahead)
    return clock.model_copy(update={"next_step": steps[index].name, "next_step_at": at})


def _is_ahead(clock: ClockState, step: Step) -> bool:
    return (
        step.metric is clock.metric
        and clock.counted_from is not None
        and (clock.status is ClockStatus.BREACHED or (clock.status is ClockStatus.RUNNING and step.percent is not None))
        and done_name(clock.policy, step.name) not in clock.steps_done
    )


def _due(clock: ClockState, step: Step, calendar: BusinessCalendar) -> datetime:
    assert clock.counted_from is not None  # only clocks that count have a step ahead
    if clock.status is ClockStatus.RUNNING:
        assert step.percent is not None
        spent = timedelta(seconds=clock.used_seconds, microseconds=clock.used_microseconds)
        wanted = timedelta(seconds=clock.target_seconds) * step.percent / 100 - spent
        at = moment_after(calendar, clock.counted_from, wanted)
    else:
        at = _due_after_breach(clock, step, calendar)
    return at if step.out_of_hours else within_hours(calendar, at)


def _due_after_breach(clock: ClockState, step: Step, calendar: BusinessCalendar) -> datetime:
    since, late = _late_since(clock), clock.late or NOT_LATE
    if step.out_of_hours:
        return since + max(step.after - late.wall_microseconds * MICROSECOND, NOTHING)
    return moment_after(calendar, since, step.after - late.business_microseconds * MICROSECOND)


def within_hours(calendar: BusinessCalendar, at: datetime) -> datetime:
    """Return `at` when it is open or closes at this very moment: what the last minute of a day brings is told that day.

    Else the next opening, if the calendar has one in its years.
    """
    try:
        if calendar.is_open(at) or calendar.is_open(at - MICROSECOND):
            return at
        return calendar.next_opening(at)
    except OutOfCalendar:
        return at


def lateness(clock: ClockState, calendar: BusinessCalendar, at: datetime) -> Lateness:
    """Return for how long a breached clock has been late by `at`; pauses do not count (rule 19)."""
    late = clock.late or NOT_LATE
    if clock.status is not ClockStatus.BREACHED or clock.counted_from is None:
        return late
    since = _late_since(clock)
    return Lateness(
        business_microseconds=late.business_microseconds + calendar.between(since, at) // MICROSECOND,
        wall_microseconds=late.wall_microseconds + max(at - since, NOTHING) // MICROSECOND,
    )


def _late_since(clock: ClockState) -> datetime:
    """Return when the present stretch of lateness began."""
    assert clock.counted_from is not None
    assert clock.breached_at is not None
    return max(clock.counted_from, clock.breached_at)


def named(steps: Sequence[Step], name: str | None) -> Iterator[Step]:
    """Yield the step of this name, if the policy has it."""
    return (step for step in steps if step.name == name)
