"""The queue of one team: agents who take one wait after another while they are on shift (decision 30)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Literal

from business_time.calendar import BusinessCalendar
from sla_engine.domain.waits import EPOCH, MICROSECOND, RANKS, microseconds
from ticket_contracts.vocabulary import Priority

Order = Literal["priority", "arrival"]


@dataclass(frozen=True, slots=True)
class Shift:
    """So many agents work while the calendar is open."""

    calendar: BusinessCalendar
    agents: int


@dataclass(frozen=True, slots=True)
class StaffedTeam:
    """Who works, and how long one answer takes: microseconds of one agent, by priority where it differs."""

    shifts: tuple[Shift, ...]
    handling: int
    by_priority: Mapping[Priority, int] = field(default_factory=dict)
    order: Order = "priority"

    def on_shift(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return (moment, agents on shift from then on) for each change between two moments in microseconds."""
        changes: dict[int, int] = {}
        for shift in self.shifts:
            for opens, closes in shift.calendar.openings(EPOCH + start * MICROSECOND, EPOCH + end * MICROSECOND):
                for at, agents in ((opens, shift.agents), (closes, -shift.agents)):
                    moment = microseconds(at)
                    changes[moment] = changes.get(moment, 0) + agents
        return list(_sums(sorted(changes.items())))


def _sums(changes: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    present = 0
    for moment, change in changes:
        if change:
            present += change
            yield moment, present


class TeamQueue:
    """What waits, what is worked on and what lies aside. Agents are alike, so that only their number counts.

    A free agent goes on with what was begun and laid aside, what was begun first; then takes the next in order: the
    most pressing, of those the one that waits longest. Nothing more pressing interrupts work. When a shift ends and
    there is more work than agents, what was begun last is laid aside.
    """

    __slots__ = ("_aside", "_begun", "_handling", "_ordered", "_ranks", "_waiting", "agents", "ends")

    def __init__(self, team: StaffedTeam, ranks: Sequence[int]) -> None:
        """`ranks` holds the rank of every wait."""
        self.agents = 0
        self.ends: dict[int, int] = {}
        """When the work at hand will be done, by wait: as long as no shift ends before."""
        self._ranks = ranks
        self._ordered = team.order == "priority"
        self._handling: Sequence[int] = [
            team.handling if priority is None else team.by_priority.get(priority, team.handling) for priority in RANKS
        ]
        self._waiting: list[tuple[int, int, int]] = []
        self._begun: list[int] = []  # in the order of beginning; what is done meanwhile is left in it
        self._aside: list[tuple[int, int]] = []  # (wait, work left): what was begun first stands last

    def enter(self, wait: int, at: int) -> None:
        """Let a wait stand in the queue."""
        heappush(self._waiting, (self._ranks[wait] if self._ordered else 0, at, wait))

    def lay_aside(self, now: int) -> None:
        """Stop the work that there are no more agents for."""
        while len(self.ends) > self.agents:
            wait = self._begun.pop()
            if wait in self.ends:
                self._aside.append((wait, self.ends.pop(wait) - now))

    def take(self, now: int, done: list[tuple[int, int]]) -> None:
        """Give every free agent something to do; the heap `done` gets when each work will be done, with its wait."""
        free = self.agents - len(self.ends)
        while free > 0:
            if self._aside:
                wait, left = self._aside.pop()
            elif self._waiting:
                wait = heappop(self._waiting)[2]
                left = self._handling[self._ranks[wait]]
            else:
                return
            self._begun.append(wait)
            self.ends[wait] = now + left
            heappush(done, (now + left, wait))
            free -= 1
