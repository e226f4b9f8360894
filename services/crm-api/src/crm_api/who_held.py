"""Who held a ticket for how long, of the life of one clock: team and assignee, by the wall clock and as counted."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from business_time.calendar import BusinessCalendar
from ticket_contracts.tickets import ClockState

Holder = tuple[str, str | None]
"""Team and assignee."""

SUPERSEDED = "superseded"
"""Of a clock whose used time the next cycle takes over (rule 31)."""


class Span(NamedTuple):
    """From `start` up to `end`."""

    start: datetime
    end: datetime

    def within(self, other: "Span") -> "Span":
        """Return the common part; it ends before it starts where there is none."""
        return Span(max(self.start, other.start), min(self.end, other.end))

    @property
    def length(self) -> timedelta:
        return max(self.end - self.start, timedelta())


class Turn(NamedTuple):
    """A clock as it was from `at` on."""

    at: datetime
    clock: ClockState


class Share(NamedTuple):
    """What one holder had of a clock's life; `business` is None without a calendar."""

    holder: Holder
    span: Span
    wall: timedelta
    business: timedelta | None


def shares(
    turns: Sequence[Turn],
    holders: Sequence[tuple[datetime, Holder]],
    calendar: BusinessCalendar | None,
    now: datetime,
    before: ClockState | None = None,
) -> list[Share]:
    """Return the parts of a clock's life in order of time, each with its holder.

    `turns` are the transitions of the clock, `holders` who held the ticket from when on, `before` the cycle before.
    """
    first, last = turns[0], turns[-1].clock
    carried = before is not None and takes_over(before, first)
    life = Span(first.at if carried else first.clock.started_at, last.stopped_at or now)
    counted = counted_spans(turns, now, carried=carried)
    found: list[Share] = []
    # A long life has as many holders as clocks: of each clock only those of its own life are looked at.
    first_place = max(0, bisect_right(holders, life.start, key=lambda each: each[0]) - 1)
    last_place = bisect_right(holders, life.end, key=lambda each: each[0])
    for number in range(first_place, max(last_place, 1)):
        since, holder = holders[number]
        until = holders[number + 1][0] if number + 1 < len(holders) else life.end
        span = Span(since if number else min(since, life.start), max(until, since)).within(life)
        if span.length:
            business = None if calendar is None else business_time(counted, span, calendar)
            found.append(Share(holder, span, span.length, business))
    return found


def takes_over(before: ClockState, first: Turn) -> bool:
    """Whether a clock goes on at the moment in which the cycle before it ended; later ones count from the start."""
    ended = before.cancel_reason == SUPERSEDED and before.stopped_at == first.at
    return ended and before.started_at == first.clock.started_at


def counted_spans(turns: Sequence[Turn], now: datetime, *, carried: bool) -> list[Span]:
    """Return when the clock counted, in order: not while it was paused, and not before it took over from another."""
    first = turns[0].clock
    spans: list[Span] = []
    if first.used_seconds and not carried:  # it was started late, for a message of some time before
        spans.append(Span(first.started_at, first.counted_from or turns[0].at))
    for number, (at, clock) in enumerate(turns):
        if clock.counted_from is None:  # a stop may be dated before what was counted already (rule 9)
            _cut(spans, at)
            continue
        start = max(clock.counted_from, at) if number else clock.counted_from
        end = turns[number + 1].at if number + 1 < len(turns) else now
        if start < end:
            spans.append(Span(start, end))
    return _joined(spans)


def business_time(counted: Sequence[Span], span: Span, calendar: BusinessCalendar) -> timedelta:
    """Return how much business time was counted within `span`."""
    total = timedelta()
    place = max(0, bisect_right(counted, span.start, key=lambda each: each.start) - 1)
    while place < len(counted) and counted[place].start < span.end:
        part = counted[place].within(span)
        total += calendar.between(part.start, part.end)
        place += 1
    return total


def _cut(spans: list[Span], at: datetime) -> None:
    """Leave out what lies after `at`, from the end on."""
    while spans and spans[-1].end > at:
        last = spans.pop()
        if last.start < at:
            spans.append(Span(last.start, at))


def _joined(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
