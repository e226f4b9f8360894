"""How promises ended: clocks are counted alike, whichever way they were worked out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ticket_contracts.vocabulary import ClockStatus, Metric, Priority

GROUPS = ("metric", "team", "priority", "hour")
"""By what clocks are told apart; the hour is that of the clock's start, in UTC."""

Told = tuple[str, str, str, str, str]
"""A clock by its groups, and its result: `met`, `breached`, `open` or `cancelled`."""

_HOURS = tuple(f"{hour:02}" for hour in range(24))

_RESULTS = {
    ClockStatus.RUNNING: "open",
    ClockStatus.PAUSED: "open",
    ClockStatus.MET: "met",
    ClockStatus.BREACHED: "breached",
    ClockStatus.CANCELLED: "cancelled",
}


class Holder(Protocol):
    """Who has the ticket, and how pressing it is."""

    @property
    def team(self) -> str: ...
    @property
    def priority(self) -> Priority | None: ...


class CountedClock(Protocol):
    """A clock: of the engine, or one that was only rehearsed."""

    @property
    def metric(self) -> Metric: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def status(self) -> ClockStatus: ...


@dataclass(slots=True)
class Results:
    """How many clocks there are of each kind."""

    clocks: Counter[Told] = field(default_factory=Counter)
    tickets: int = 0

    def add(self, holder: Holder, promises: Iterable[CountedClock]) -> None:
        """Count a ticket's clocks."""
        self.add_all([(holder, promises)])

    def add_all(self, tickets: Sequence[tuple[Holder, Iterable[CountedClock]]]) -> None:
        """Count the clocks of tickets; a counter is faster when it counts many at once."""
        self.tickets += len(tickets)
        told: list[Told] = [
            (
                clock.metric,
                holder.team,
                holder.priority or "none",
                _HOURS[clock.started_at.hour],
                _RESULTS[clock.status],
            )
            for holder, promises in tickets
            for clock in promises
        ]
        self.clocks.update(told)

    def by(self, group: str) -> Counter[tuple[str, str]]:
        """Return how many clocks there are by (name, result) of one of GROUPS."""
        place, counts = GROUPS.index(group), Counter[tuple[str, str]]()
        for told, number in self.clocks.items():
            counts[told[place], told[-1]] += number
        return counts


def result_of(status: str) -> str:
    """Return what a clock with this status counts as."""
    return _RESULTS[ClockStatus(status)]
