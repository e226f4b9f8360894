"""When customers would have been answered by other agents: a discrete-event simulation of all queues (decision 30).

What is simulated is in `team_queue`; here time passes. A ticket's next wait begins as long after the end of the one
before as it really did, so that the queues of several teams have to be followed together.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from sla_engine.domain.team_queue import StaffedTeam, TeamQueue
from sla_engine.domain.waits import Waits

NEVER = 2**63 - 1
"""The moment of what does not happen within the time that is simulated."""


@dataclass(frozen=True, slots=True)
class Served:
    """When each wait began and when it ended, in microseconds since 1970; NEVER where it did not."""

    begun: Sequence[int]
    ended: Sequence[int]


def as_it_went(waits: Waits) -> Served:
    """Return what really happened."""
    return Served(waits.since, waits.until)


def serve(waits: Waits, staffed: Mapping[str, StaffedTeam], until: int) -> Served:
    """Let the waits be answered by these teams up to `until`. A team that is not named answers as fast as it did."""
    simulation = _Simulation(waits, staffed, until)
    simulation.run(until)
    return Served(simulation.begun, simulation.ended)


class _Simulation:
    """At one moment first ends what is done, then shifts change, then customers write, then agents take what waits."""

    def __init__(self, waits: Waits, staffed: Mapping[str, StaffedTeam], until: int) -> None:
        self._waits = waits
        self._team, self._gaps = waits.team, waits.gaps
        self.begun = array("q", [NEVER]) * len(waits)
        self.ended = array("q", [NEVER]) * len(waits)
        queues = {name: TeamQueue(team, waits.rank) for name, team in staffed.items()}
        self._queues = [queues.get(name) for name in waits.teams]  # in the order of their numbers
        self._ends: list[tuple[int, int]] = []  # (moment, wait) of what is worked on
        self._following: list[tuple[int, int]] = []  # (moment, wait) of waits that follow an answer
        first = [wait for wait, gap in enumerate(waits.gaps) if gap < 0]
        first.sort(key=waits.since.__getitem__, reverse=True)
        self._first = first  # the earliest stands last
        start = waits.since[first[-1]] if first else until
        self._shifts = [
            (moment, number, agents)
            for number, name in enumerate(waits.teams)
            if name in staffed
            for moment, agents in staffed[name].on_shift(start, until)
        ]
        self._shifts.sort(reverse=True)

    def run(self, until: int) -> None:
        """Let time pass."""
        first, since, ends, following, shifts = (
            self._first,
            self._waits.since,
            self._ends,
            self._following,
            self._shifts,
        )
        moved: list[TeamQueue] = []
        first_at = since[first[-1]] if first else NEVER
        shift_at = shifts[-1][0] if shifts else NEVER
        while True:
            now = first_at if first_at < shift_at else shift_at  # `min` of all four takes twice as long
            if ends and ends[0][0] < now:
                now = ends[0][0]
            if following and following[0][0] < now:
                now = following[0][0]
            if now > until or now == NEVER:
                return
            while ends and ends[0][0] == now:
                self._end(now, heappop(ends)[1], moved)
            while shift_at == now:
                self._change_shift(now, moved)
                shift_at = shifts[-1][0] if shifts else NEVER
            while first_at == now:
                self._begin(now, first.pop(), moved)
                first_at = since[first[-1]] if first else NEVER
            while following and following[0][0] == now:
                self._begin(now, heappop(following)[1], moved)
            for queue in moved:  # perhaps twice, when there is no more to take
                queue.take(now, ends)
            moved.clear()

    def _begin(self, now: int, wait: int, moved: list[TeamQueue]) -> None:
        self.begun[wait] = now
        queue = self._queues[self._team[wait]]
        if queue is None:
            heappush(self._ends, (now + self._waits.until[wait] - self._waits.since[wait], wait))
        else:
            queue.enter(wait, now)
            moved.append(queue)

    def _end(self, now: int, wait: int, moved: list[TeamQueue]) -> None:
        queue = self._queues[self._team[wait]]
        if queue is not None:
            if queue.ends.get(wait) != now:
                return  # it was laid aside meanwhile
            del queue.ends[wait]
            moved.append(queue)
        self.ended[wait] = now
        following = wait + 1
        if following < len(self._gaps) and (gap := self._gaps[following]) >= 0:
            heappush(self._following, (now + gap, following))

    def _change_shift(self, now: int, moved: list[TeamQueue]) -> None:
        _, number, agents = self._shifts.pop()
        queue = self._queues[number]
        assert queue is not None  # only staffed teams have shifts
        queue.agents = agents
        queue.lay_aside(now)
        moved.append(queue)
