"""What would the clocks say if another policy or calendar had been in force (rule 48)?

What people did is taken from the facts as it was; only what clocks did is left out and worked out anew, by the very
functions that decide live commands.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sla_engine.domain import timing
from sla_engine.domain.acting import follow_spam_mark
from sla_engine.domain.arrival import count_call, follow_message
from sla_engine.domain.clock import is_open
from sla_engine.domain.conversation import is_answer, speaks
from sla_engine.domain.draft import ENGINE, Draft
from sla_engine.domain.evolve import evolve, with_clock
from sla_engine.domain.grading import follow_priority_change
from sla_engine.domain.merging import follow_merge, time_again
from sla_engine.domain.opening import clocks_of_first
from sla_engine.domain.policies import Policies
from sla_engine.domain.selection import follow_team
from sla_engine.domain.status_change import follow_status_change
from sla_engine.domain.statuses import ENDED
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.writing import follow_answer
from ticket_contracts.actions import SpamMarked
from ticket_contracts.exchanges import LinkAdded, MergeUndone, TicketMerged
from ticket_contracts.tickets import (
    ClockFact,
    ClockState,
    MessageAdded,
    PriorityChanged,
    StatusChanged,
    TicketAssigned,
    TicketFact,
    TicketOpened,
)
from ticket_contracts.upkeep import TicketReevaluated
from ticket_contracts.vocabulary import ClockStatus


class NoOpening(ValueError):
    """The history does not begin with the ticket's opening: it is incomplete."""


def replay(facts: Sequence[TicketFact], policies: Policies, until: datetime) -> Ticket:
    """Return the ticket as it would be at `until`. `facts` are its history in order, the opening first.

    :raises NoOpening: they begin otherwise.
    """
    opened = facts[0] if facts else None
    if not isinstance(opened, TicketOpened):
        raise NoOpening("a history begins with the opening of its ticket")
    told = [fact for fact in facts[1:] if not isinstance(fact, ClockFact | TicketReevaluated) and fact.at <= until]
    if opened.actor == ENGINE:
        draft, told = _split_off(opened, told, policies)
    else:
        clocks, reason = clocks_of_first(opened.ticket, opened.message, _cause(opened), opened.at, policies)
        ticket = evolve(None, opened.model_copy(update={"clocks": clocks, "no_clock_reason": reason}))
        draft = Rehearsal(ticket, opened.at, opened.actor, _cause(opened), opened.at)
    for number, fact in enumerate(told):
        timing.bring_forward(draft, policies, fact.at)
        draft.at = draft.seen_at = fact.at
        draft.actor, draft.cause = fact.actor, _cause(fact)
        if isinstance(fact, MessageAdded):
            _hear(draft, policies, fact, told[number + 1 : number + 2])
        elif draft.ticket.summary != fact.ticket or not isinstance(fact, StatusChanged):
            _follow(draft, policies, fact)
    timing.bring_forward(draft, policies, until)
    return draft.ticket


def without_warnings(policies: Policies) -> Policies:
    """Return the same promises without warnings: no result depends on them, and each costs as much as a breach."""
    return replace(
        policies,
        past={key: replace(policy, warnings=()) for key, policy in policies.past.items()},
        in_force=tuple(
            replace(policy, warnings=(), earlier=tuple(replace(each, warnings=()) for each in policy.earlier))
            for policy in policies.in_force
        ),
    )


class Rehearsal(Draft):
    """A draft that keeps no facts: the ticket alone is of interest, and a fact costs ten times as much as its clock."""

    __slots__ = ()

    def repeat(self, fact: TicketFact) -> None:
        """Let a fact of the real history happen again."""
        self.ticket = evolve(replace(self.ticket, version=fact.version - 1), fact)

    def turn(self, kind: type[ClockFact], clock: ClockState, **_: Any) -> None:
        """Turn the clock."""
        self.ticket = with_clock(self.ticket, kind, clock)

    def turn_by_time(self, kind: type[ClockFact], clock: ClockState, *_: object) -> None:
        """Turn the clock."""
        self.ticket = with_clock(self.ticket, kind, clock)


def as_it_was(facts: Sequence[TicketFact]) -> Ticket:
    """Return the ticket as it really is.

    :raises NoOpening: the history begins otherwise.
    """
    ticket: Ticket | None = None
    for fact in facts:
        ticket = evolve(ticket, fact)
    if ticket is None:
        raise NoOpening("a history begins with the opening of its ticket")
    return ticket


def _split_off(opened: TicketOpened, told: list[TicketFact], policies: Policies) -> tuple[Rehearsal, list[TicketFact]]:
    """Let a ticket begin that was split off another one: its clocks start when all that moved is there.

    Returns what happened afterwards too.
    """
    draft = Rehearsal(evolve(None, opened), opened.at, opened.actor, _cause(opened), opened.at)
    moved = next(number for number, fact in enumerate(told, start=1) if isinstance(fact, LinkAdded))
    for fact in told[:moved]:
        draft.repeat(fact)
    time_again(draft, policies)
    return draft, told[moved:]


def _hear(draft: Rehearsal, policies: Policies, fact: MessageAdded, following: Sequence[TicketFact]) -> None:
    """Repeat a message, then the change of status that it caused, then what both do to the clocks."""
    entry, before = fact.message, draft.ticket
    draft.repeat(fact)
    answers, asks = is_answer(entry), speaks(entry)
    if answers:
        timing.stop_clocks(draft, policies, timing.ANSWERED_METRICS)
    if (answers or asks) and following and isinstance(following[0], StatusChanged) and _together(fact, following[0]):
        _follow(draft, policies, following[0])
    if answers:
        follow_answer(draft, policies)
    elif asks:
        follow_message(draft, policies, before)
    else:
        count_call(draft, entry, policies)


def _together(message: TicketFact, change: TicketFact) -> bool:
    return message.at == change.at and message.actor == change.actor


def _follow(draft: Rehearsal, policies: Policies, fact: TicketFact) -> None:
    before = draft.ticket.summary
    draft.repeat(fact)
    match fact:
        case StatusChanged():
            follow_status_change(draft, policies, before.status, fact.ticket.status)
        case PriorityChanged():
            follow_priority_change(draft, policies)
        case TicketAssigned() if fact.ticket.team != before.team and fact.ticket.status not in ENDED:
            follow_team(draft, policies)
        case SpamMarked():
            follow_spam_mark(draft, policies)
        case TicketMerged():
            follow_merge(draft, policies)
        case MergeUndone():
            time_again(draft, policies)


def _cause(fact: TicketFact) -> str:
    return f"{fact.ticket_id}:{fact.version}"


@dataclass(slots=True)
class Results:
    """How promises ended: counts of clocks by (group, result), for every way to group them."""

    by_metric: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_team: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_priority: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_hour: Counter[tuple[str, str]] = field(default_factory=Counter)
    tickets: int = 0

    def add(self, ticket: Ticket) -> None:
        """Count a ticket's clocks. The hour is that of the clock's start, in UTC."""
        self.tickets += 1
        summary = ticket.summary
        for clock in ticket.clocks:
            result = result_of(clock)
            self.by_metric[clock.metric, result] += 1
            self.by_team[summary.team, result] += 1
            self.by_priority[summary.priority or "none", result] += 1
            self.by_hour[f"{clock.started_at:%H}", result] += 1


def result_of(clock: ClockState) -> str:
    """Return `met`, `breached`, `open` or `cancelled`."""
    if clock.status in (ClockStatus.MET, ClockStatus.BREACHED, ClockStatus.CANCELLED):
        return clock.status
    assert is_open(clock)  # running or paused: nothing else is left
    return "open"
