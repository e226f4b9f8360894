"""What a ticket remembers of its clocks: those that still count, and in a few words all that are over.

A conversation of years has thousands of finished clocks. They stand in the table `clocks`; with all of them in the
ticket's state, every message would rewrite what all messages before it have left.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ticket_contracts.tickets import ClockState
from ticket_contracts.vocabulary import ClockStatus, Metric

MOST_KEPT_CLOCKS = 40
"""The last started ones, kept though they are finished: of a breach among them, something that was long on its way may
show that there was none (rule 9). An exchange starts two clocks, so these are the last twenty exchanges."""


class PastClocks(NamedTuple):
    """What counts of the clocks of one metric that are kept no more.

    `stopped_at` is the latest end, `promised` that one was not cancelled, `breached` that one was late.
    """

    metric: Metric
    stopped_at: datetime
    promised: bool = False
    breached: bool = False


Clocks = tuple[ClockState, ...]
Past = tuple[PastClocks, ...]


def turned(clocks: Clocks, past: Past, changed: ClockState, *, started: bool) -> tuple[Clocks, Past]:
    """Return what is remembered after a transition. One of a clock that is kept no more changes nothing here."""
    for place in range(len(clocks) - 1, -1, -1):  # the newest clocks turn most often
        if clocks[place].metric is changed.metric and clocks[place].cycle == changed.cycle:
            return without_old((*clocks[:place], changed, *clocks[place + 1 :]), past)
    return without_old((*clocks, changed), past) if started else (clocks, past)


def without_old(clocks: Clocks, past: Past) -> tuple[Clocks, Past]:
    """Return what is remembered of these clocks."""
    gone = old_places(clocks)
    if not gone:
        return clocks, past
    known = {each.metric: each for each in past}
    for place in gone:
        clock = clocks[place]
        known[clock.metric] = _with(known.get(clock.metric), clock)
    return tuple(clock for place, clock in enumerate(clocks) if place not in gone), tuple(sorted(known.values()))


def _with(before: PastClocks | None, clock: ClockState) -> PastClocks:
    assert clock.stopped_at is not None  # it is over
    promised, breached = clock.status is not ClockStatus.CANCELLED, clock.breached_at is not None
    if before is None:
        return PastClocks(clock.metric, clock.stopped_at, promised, breached)
    latest = max(before.stopped_at, clock.stopped_at)
    return PastClocks(clock.metric, latest, before.promised or promised, before.breached or breached)


class AnyClock(Protocol):
    """A ticket's clock or a rehearsed one; `stopped_at` is None while it is not over."""

    @property
    def metric(self) -> Metric: ...

    @property
    def stopped_at(self) -> datetime | None: ...


def old_places(clocks: Sequence[AnyClock]) -> set[int]:
    """Return which clocks, in the order of their start, need not be kept.

    These are finished, not the newest of their metric, and at least MOST_KEPT_CLOCKS were started after them. It makes
    no difference whether others were left out before.
    """
    if len(clocks) <= MOST_KEPT_CLOCKS:
        return set()
    newest = {clock.metric: place for place, clock in enumerate(clocks)}
    old = range(len(clocks) - MOST_KEPT_CLOCKS)
    return {place for place in old if clocks[place].stopped_at is not None and newest[clocks[place].metric] != place}
