"""The waits of customers: from what one wrote to the act that ended it, as the queue of a team sees them."""

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from sla_engine.domain.acts import Act, AnyHistory, Deed, Voice
from ticket_contracts.exchanges import TicketMerged
from ticket_contracts.statuses import ENDED
from ticket_contracts.tickets import MessageAdded, StatusChanged, TicketOpened
from ticket_contracts.vocabulary import ActorKind, Priority, Status

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
RANKS = (Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.LOW, None)
"""The most pressing first; last, tickets that have no priority."""

_OPENED, _SAID, _STATUS = TicketOpened.event_type, MessageAdded.event_type, StatusChanged.event_type
_MERGED = TicketMerged.event_type
_SPOKEN = (_SAID, _OPENED)
_ANSWER, _WORDS = Voice.ANSWER, Voice.WORDS
_AGENT, _CLOSED = ActorKind.AGENT, Status.CLOSED
_RANK = {priority: rank for rank, priority in enumerate(RANKS)}


class Wait(Struct, frozen=True, gc=False):
    """One wait that an agent ended. `place` is that of the ending act in the history; team and priority are the
    ticket's after it."""

    place: int
    since: datetime
    until: datetime
    team: str
    priority: Priority | None


class Waited(Struct, frozen=True):
    """The waits of one ticket in their order, and whether its customer waits still."""

    ended: list[Wait]
    goes_on: bool


def waits_of(history: AnyHistory) -> Waited:
    """Return what an agent's public answer or an agent's solving or closing has ended, by the rules of `Rehearsal`.

    A wait that ends otherwise, by a merge, a machine or as spam, was nobody's work. It begins when the words are on
    the ticket, after all that stands there before them: no earlier could an agent answer a call that was noted late, a
    mail that was long on its way, or what was split off another ticket. What was answered there, before the split,
    counts there.
    """
    ended: list[Wait] = []
    gathered = _gathered(history) if history[0][1].actor.is_engine else 0
    since: datetime | None = None
    answered_at: datetime | None = None
    closed = False
    latest = history[0][1].at
    for place, (kind, act) in enumerate(history):
        at = act.at
        if at > latest:
            latest = at
        said = act.message
        if said is not None and kind in _SPOKEN:
            voice = said.voice
            if voice is _ANSWER:
                answered_at = said.at
                if since is not None and place >= gathered:
                    _end(ended, place, since, act)
                since = None
            elif since is None and voice is _WORDS and not closed and (answered_at is None or said.at > answered_at):
                since = latest
        elif kind == _STATUS:
            if act.ticket.status in ENDED:
                if since is not None and act.actor.kind is _AGENT:
                    _end(ended, place, since, act)
                since = None
        elif kind == _MERGED:
            since = None
        closed = act.ticket.status is _CLOSED
    return Waited(ended, since is not None and not history[-1][1].ticket.spam)


def _gathered(history: AnyHistory) -> int:
    """Return how many acts at the beginning only bring over what was split off another ticket."""
    number, opened_at = 1, history[0][1].at
    while number < len(history) and history[number][0] == _SAID and history[number][1].at == opened_at:
        number += 1
    return number


def _end(ended: list[Wait], place: int, since: datetime, act: Act | Deed) -> None:
    if not act.ticket.spam and act.at >= since:  # an answer dated before the question answered something else
        ended.append(Wait(place, since, act.at, act.ticket.team, act.ticket.priority))


class Waits:
    """The waits of many tickets in some 40 bytes each, those of a ticket side by side in their order.

    Times are microseconds since 1970. Of a wait that follows another one of its ticket, `gaps` is how long after the
    end of that one it began; of a ticket's first wait, -1. Tickets that only fill the queue are added before or after
    all that are counted.
    """

    def __init__(self) -> None:
        self.teams: dict[str, int] = {}
        self.since = array("q")
        self.until = array("q")
        self.gaps = array("q")
        self.team = array("H")
        self.rank = array("b")
        self.places = array("I")
        self.still_open = 0
        """Counted tickets whose customer waits still."""
        self._first_counted = 0
        self._of_ticket = array("I")

    def __len__(self) -> int:
        return len(self.since)

    def add(self, waited: Waited, *, counted: bool = True) -> None:
        """Add those of one ticket."""
        if counted:
            if not self._of_ticket:
                self._first_counted = len(self.since)
            self._of_ticket.append(len(waited.ended))
            self.still_open += waited.goes_on
        before: int | None = None
        for wait in waited.ended:
            began, ended = (wait.since - EPOCH) // MICROSECOND, (wait.until - EPOCH) // MICROSECOND
            self.since.append(began)
            self.until.append(ended)
            if before is None:
                self.gaps.append(-1)
            else:
                self.gaps.append(began - before if began > before else 0)
            self.team.append(self.teams.setdefault(wait.team, len(self.teams)))
            self.rank.append(_RANK[wait.priority])
            self.places.append(wait.place)
            before = ended

    @property
    def counted(self) -> range:
        """The waits of counted tickets."""
        return range(self._first_counted, self._first_counted + sum(self._of_ticket))

    def each_counted_ticket(self) -> Iterator[range]:
        """Yield the waits of each counted ticket, in the order in which tickets were added."""
        start = self._first_counted
        for number in self._of_ticket:
            yield range(start, start + number)
            start += number


def microseconds(at: datetime) -> int:
    """Return the microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND
