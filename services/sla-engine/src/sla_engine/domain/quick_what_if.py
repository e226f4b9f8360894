"""What would the clocks say if another policy or calendar had been in force (rule 48)?

What people did is taken from the facts as it was; what clocks did is left out there and worked out anew.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sla_engine.domain.acts import Act, History, Said
from sla_engine.domain.policies import Policies
from sla_engine.domain.rehearsal import Rehearsal
from ticket_contracts.actions import SpamMarked, TicketWoke
from ticket_contracts.exchanges import MergeUndone, TicketMerged
from ticket_contracts.tickets import MessageAdded, PriorityChanged, StatusChanged, TicketAssigned, TicketOpened
from ticket_contracts.vocabulary import ClockStatus, Status

_OPENED, _SAID = TicketOpened.event_type, MessageAdded.event_type
_OPEN, _NEW = Status.OPEN, Status.NEW
_STATUS, _WOKE = StatusChanged.event_type, TicketWoke.event_type

_FOLLOWED = {
    StatusChanged.event_type: Rehearsal.follow_status,
    PriorityChanged.event_type: Rehearsal.follow_priority,
    TicketAssigned.event_type: Rehearsal.follow_holder,
    SpamMarked.event_type: Rehearsal.follow_spam,
    TicketMerged.event_type: Rehearsal.follow_merge,
    MergeUndone.event_type: Rehearsal.follow_undone_merge,
}


class NoOpening(ValueError):
    """The history does not begin with the ticket's opening: it is incomplete."""


def replay(history: History, policies: Policies, until: datetime) -> Rehearsal:
    """Return the ticket's clocks as they would be at `until`.

    :raises NoOpening: the history does not begin with the opening.
    """
    if not history or history[0][0] != _OPENED:
        raise NoOpening("a history begins with the opening of its ticket")
    opened = history[0][1]
    ticket = Rehearsal(opened, _message(opened), policies)
    number = 1
    if opened.actor.is_engine:
        number = _gather(ticket, history)
    else:
        ticket.open_by(_message(opened))
    while number < len(history):
        kind, act = history[number]
        number += 1
        if act.at > until:
            continue
        ticket.bring_forward(act.at)
        ticket.at = act.at
        if kind == _SAID:
            said = _message(act)
            caused = _change_by(act, said, history, number)
            ticket.holding = act.ticket
            ticket.hear(said, history[caused][1] if caused else None)
            number = caused + 1 if caused else number
        else:
            _FOLLOWED.get(kind, Rehearsal.follow_other)(ticket, act.ticket)
    ticket.bring_forward(until)
    return ticket


def _gather(ticket: Rehearsal, history: History) -> int:
    """Take in the messages that were split off another ticket together; clocks start when all are there."""
    number, opened = 1, history[0][1]
    while number < len(history) and history[number][0] == _SAID and history[number][1].at == opened.at:
        ticket.record(_message(history[number][1]))
        number += 1
    ticket.start_again()
    return number


def _change_by(act: Act, said: Said, history: History, number: int) -> int | None:
    """Return where the change of status stands that a message caused: next, or after the end of a snooze.

    A reply opens a new ticket, a question one that rests.
    """
    before = act.ticket.status
    if before is _OPEN or not (before is _NEW if said.is_answer else said.speaks):
        return None
    for place in range(number, min(number + 2, len(history))):
        kind, following = history[place]
        if following.at != act.at or following.actor != act.actor:
            return None
        if kind == _STATUS:
            return place if following.ticket.status is _OPEN else None
        if kind != _WOKE:
            return None
    return None


def _message(act: Act) -> Said:
    if act.message is None:
        raise NoOpening("an opening or a message without its message")
    return act.message


_RESULTS = {
    ClockStatus.RUNNING: "open",
    ClockStatus.PAUSED: "open",
    ClockStatus.MET: "met",
    ClockStatus.BREACHED: "breached",
    ClockStatus.CANCELLED: "cancelled",
}


GROUPS = ("metric", "team", "priority", "hour")
"""By what clocks are told apart; the hour is that of the clock's start, in UTC."""

_HOURS = tuple(f"{hour:02}" for hour in range(24))

Told = tuple[str, str, str, str, str]
"""A clock by its groups, and its result: `met`, `breached`, `open` or `cancelled`."""


@dataclass(slots=True)
class Results:
    """How promises ended: how many clocks there are of each kind."""

    clocks: Counter[Told] = field(default_factory=Counter)
    tickets: int = 0

    def add(self, ticket: Rehearsal) -> None:
        """Count a ticket's clocks."""
        self.tickets += 1
        team, priority, clocks = ticket.holding.team, ticket.holding.priority or "none", self.clocks
        for clock in ticket.clocks:
            clocks[clock.metric, team, priority, _HOURS[clock.started_at.hour], _RESULTS[clock.status]] += 1

    def by(self, group: str) -> Counter[tuple[str, str]]:
        """Return how many clocks there are by (name, result) of one of GROUPS."""
        place, counts = GROUPS.index(group), Counter[tuple[str, str]]()
        for told, number in self.clocks.items():
            counts[told[place], told[-1]] += number
        return counts


def result_of(status: str) -> str:
    """Return what a clock with this status counts as."""
    return _RESULTS[ClockStatus(status)]
