"""How promises ended: clocks are counted alike, whichever way they were worked out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from ticket_contracts.vocabulary import ClockStatus, Metric, Priority

GROUPS = ("metric", "team", "priority", "hour")
"""By what clocks are told apart; the hour is that of the clock's start, in the time zone of the `Hours`."""

Told = tuple[str, str, str, str, str]
"""A clock by its groups, and its result: `met`, `breached`, `open` or `cancelled`."""

_HOURS = tuple(f"{hour:02}" for hour in range(24))

_LOOKED_AT_FROM = datetime(2000, 1, 1, tzinfo=UTC)  # before it nobody wrote what is a ticket here


class Hours:
    """The hours of a day in one time zone. Clocks start in UTC."""

    def __init__(self, zone: ZoneInfo, until: datetime) -> None:
        """`until` is when the last clock may start."""
        self.zone = zone
        self.changes = tuple(_changes_of_offset(zone, until))
        self.shifted: Sequence[str] | None = None
        """Of a zone that is always ahead of UTC by as many whole hours: its hours in the order of those of UTC."""
        hours, rest = divmod(_offset(zone, until), timedelta(hours=1))
        if not self.changes and not rest:
            self.shifted = tuple(_HOURS[(hour + hours) % 24] for hour in range(24))

    def of(self, at: datetime) -> str:
        """Return the hour, `00` to `23`."""
        return _HOURS[at.astimezone(self.zone).hour]


def _changes_of_offset(zone: ZoneInfo, until: datetime) -> Iterator[datetime]:
    """Yield the first minute of each new offset; none lasts less than a day."""
    for day in range(max(1, (until - _LOOKED_AT_FROM).days + 2)):
        midnight = _LOOKED_AT_FROM + timedelta(days=day)
        before = _offset(zone, midnight)
        if before != _offset(zone, midnight + timedelta(days=1)):
            minutes = [midnight + timedelta(minutes=minute) for minute in range(24 * 60 + 1)]
            yield next(minute for minute in minutes if _offset(zone, minute) != before)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


IN_UTC = Hours(ZoneInfo("UTC"), _LOOKED_AT_FROM)

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
    hours: Hours = IN_UTC

    def add(self, holder: Holder, promises: Iterable[CountedClock]) -> None:
        """Count a ticket's clocks."""
        self.add_all([(holder, promises)])

    def add_all(self, tickets: Sequence[tuple[Holder, Iterable[CountedClock]]]) -> None:
        """Count the clocks of tickets; a counter is faster when it counts many at once."""
        self.tickets += len(tickets)
        shifted, hour_of = self.hours.shifted, self.hours.of
        told: list[Told] = [
            (
                clock.metric,
                holder.team,
                holder.priority or "none",
                shifted[clock.started_at.hour] if shifted is not None else hour_of(clock.started_at),
                _RESULTS[clock.status],
            )
            for holder, promises in tickets
            for clock in promises
        ]
        self.clocks.update(told)

    def by(self, *groups: str) -> Counter[tuple[str, ...]]:
        """Return how many clocks there are by what they are called in each of these GROUPS, and by result."""
        places = [*(GROUPS.index(group) for group in groups), -1]
        counts = Counter[tuple[str, ...]]()
        for told, number in self.clocks.items():
            counts[tuple(told[place] for place in places)] += number
        return counts


def result_of(status: str) -> str:
    """Return what a clock with this status counts as."""
    return _RESULTS[ClockStatus(status)]
