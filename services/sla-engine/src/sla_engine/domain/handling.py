"""How long one answer takes an agent, measured from what agents did (decision 30)."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sla_engine.domain.acts import AnyHistory
from sla_engine.domain.waits import Waited, microseconds
from ticket_contracts.vocabulary import ActorKind

_AGENT = ActorKind.AGENT
_NOT_ENDED = -1
_SHORTEST = 1_000_000  # microseconds: what comes faster is one act on many tickets


@dataclass(frozen=True, slots=True)
class Measured:
    """The median, in microseconds, of so many answers."""

    handling: int
    answers: int


class _Acts:
    """What one agent did, 22 bytes an act: when, on which ticket, for which team, since when its customer waited."""

    __slots__ = ("at", "since", "team", "ticket")

    def __init__(self) -> None:
        self.at = array("q")
        self.ticket = array("I")
        self.since = array("q")
        self.team = array("H")


class WorkLog:
    """What agents did on all tickets, to see what each went on to after what."""

    def __init__(self) -> None:
        self._agents: dict[str, _Acts] = {}
        self._teams: dict[str, int] = {}
        self._tickets = 0

    def add(self, history: AnyHistory, waited: Waited) -> None:
        """Add the acts of one ticket."""
        self._tickets += 1
        ended = {wait.place: wait for wait in waited.ended}
        for place, (_, act) in enumerate(history):
            if act.actor.kind is not _AGENT:
                continue
            acts = self._agents.get(act.actor.id)
            if acts is None:
                acts = self._agents[act.actor.id] = _Acts()
            wait = ended.get(place)
            acts.at.append(microseconds(act.at))
            acts.ticket.append(self._tickets)
            acts.since.append(_NOT_ENDED if wait is None else microseconds(wait.since))
            acts.team.append(self._teams.setdefault(act.ticket.team, len(self._teams)))

    def measure(self, idle: int) -> dict[str, Measured]:
        """Return each team's handling time of an answer that ended a wait.

        It is counted from the agent's last act on another ticket, or from the customer's message where that is later.
        Where more than `idle` microseconds lie since that act, the agent had stopped working; where less than a second
        does, many tickets were answered at once. Both are left out.
        """
        found: list[array[int]] = [array("q") for _ in self._teams]
        for acts in self._agents.values():
            _collect(acts, idle, found)
        return {
            team: Measured(int(median(found[number])), len(found[number]))
            for team, number in self._teams.items()
            if found[number]
        }


def _collect(acts: _Acts, idle: int, found: Sequence["array[int]"]) -> None:
    ticket, last, left = 0, -1, -1  # on which ticket, when last there, and when the one before was left
    for number in sorted(range(len(acts.at)), key=acts.at.__getitem__):
        at = acts.at[number]
        if acts.ticket[number] != ticket:
            ticket, left = acts.ticket[number], last
        last = at
        since = acts.since[number]
        if since != _NOT_ENDED and left >= 0 and at - left <= idle:
            taken = at - max(left, since)
            if taken >= _SHORTEST:
                found[acts.team[number]].append(taken)
