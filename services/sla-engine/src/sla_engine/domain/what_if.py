"""What would the clocks say if another policy or calendar had been in force (rule 48)?

What people did is taken from the facts as it was; what clocks and their steps did is left out and worked out anew, by
the very functions that decide live commands. `quick_what_if` does the same for tickets without steps that act.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sla_engine.domain import timing
from sla_engine.domain.acting import follow_spam_mark
from sla_engine.domain.acts import caused_change
from sla_engine.domain.arrival import count_call, follow_message
from sla_engine.domain.conversation import is_answer, speaks
from sla_engine.domain.draft import ENGINE, Draft
from sla_engine.domain.escalating import is_step
from sla_engine.domain.evolve import evolve, with_clock
from sla_engine.domain.grading import follow_priority_change
from sla_engine.domain.merging import follow_merge, time_again
from sla_engine.domain.opening import clocks_of_first
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.selection import follow_team
from sla_engine.domain.settling import settle
from sla_engine.domain.status_change import follow_status_change
from sla_engine.domain.ticket import Ticket, replace
from sla_engine.domain.writing import follow_answer
from ticket_contracts.actions import SpamMarked
from ticket_contracts.exchanges import LinkAdded, MergeUndone, TicketMerged
from ticket_contracts.statuses import ENDED
from ticket_contracts.tickets import (
    ClockFact,
    ClockState,
    MessageAdded,
    PriorityChanged,
    StatusChanged,
    TicketAssigned,
    TicketFact,
    TicketOpened,
    TicketSummary,
)
from ticket_contracts.upkeep import TicketReevaluated
from ticket_contracts.vocabulary import Metric, Status


class NoOpening(ValueError):
    """The history does not begin with the ticket's opening: it is incomplete."""


def replay(facts: Sequence[TicketFact], policies: Policies, until: datetime) -> Ticket:
    """Return the ticket as it would be at `until`, with all its clocks. `facts` are its history, the opening first.

    :raises NoOpening: they begin otherwise.
    """
    opened = facts[0] if facts else None
    if not isinstance(opened, TicketOpened):
        raise NoOpening("a history begins with the opening of its ticket")
    past = max((arrival_of(fact) for fact in facts if fact.imported), default=None)
    told = [fact for fact in facts[1:] if _is_told(fact) and arrival_of(fact) <= until]
    if opened.actor == ENGINE:
        draft, told = _split_off(opened, told, policies)
    else:
        seen_at = opened.at if opened.imported else arrival_of(opened)
        clocks, reason = clocks_of_first(opened.ticket, opened.message, _cause(opened), seen_at, policies)
        ticket = evolve(None, opened.model_copy(update={"clocks": clocks, "no_clock_reason": reason}))
        draft = QuietDraft(ticket, opened.at, opened.actor, _cause(opened), opened.at)
        draft.turned = {(clock.metric, clock.cycle): clock for clock in clocks}
    acts, number = [(fact.event_type, fact) for fact in told], 0
    while number < len(acts):
        _, fact = acts[number]
        number += 1
        draft.seen_at = arrival_of(fact)
        _let_pass(draft, policies, draft.seen_at, past)
        draft.at = fact.at
        draft.imported = True if past is not None and draft.at <= past else None
        draft.actor, draft.cause = fact.actor, _cause(fact)
        if isinstance(fact, MessageAdded):
            caused = caused_change(fact, acts, number, answers=is_answer(fact.message), asks=speaks(fact.message))
            _hear(draft, policies, fact, acts[caused][1] if caused is not None else None)
            number = caused + 1 if caused is not None else number
        else:
            _follow(draft, policies, fact)
    _let_pass(draft, policies, until, past)
    return replace(draft.ticket, clocks=tuple(draft.turned.values()), past_clocks=())


def arrival_of(fact: TicketFact) -> datetime:
    """Return when the engine could know of it: what was due before then it has done, whatever time the fact counts."""
    seen_at = fact.seen_at if isinstance(fact, MessageAdded | TicketOpened) else None
    return seen_at or fact.at


def _is_told(fact: TicketFact) -> bool:
    """Whether people did it; what clocks did and what their steps changed is worked out anew."""
    return not isinstance(fact, ClockFact | TicketReevaluated) and not is_step(fact.actor)


def _let_pass(draft: "QuietDraft", policies: Policies, until: datetime, past: datetime | None) -> None:
    """Let time pass; up to `past` it is that of another system, where steps did nothing (rule 47)."""
    if past is not None:
        draft.imported = True
        settle(draft, policies, min(until, past))
        draft.imported = None
    settle(draft, policies, until)


def without_warnings(policies: Policies) -> Policies:
    """Return the same promises without what only tells people: no result depends on that, and each costs as much as a
    breach. Steps that change the ticket stay."""
    return dataclasses.replace(
        policies,
        past={key: _silent(policy) for key, policy in policies.past.items()},
        in_force=tuple(map(_silent, policies.in_force)),
    )


def _silent(policy: Policy) -> Policy:
    steps = tuple(step for step in policy.steps if step.acts)
    return dataclasses.replace(policy, warnings=(), steps=steps, earlier=tuple(map(_silent, policy.earlier)))


@dataclass(slots=True)
class QuietDraft(Draft):
    """A draft that keeps no facts: the ticket alone is of interest, and a fact costs ten times as much as its clock.

    `turned` holds every clock, also those that a ticket does not keep.
    """

    turned: dict[tuple[Metric, int], ClockState] = field(default_factory=dict)

    def repeat(self, fact: TicketFact) -> None:
        """Let a fact of the real history happen again, to the ticket that escalations here have made of it."""
        here = self._as_here(fact)
        told = fact if here is fact.ticket else fact.model_copy(update={"ticket": here})
        self.ticket = evolve(replace(self.ticket, version=fact.version - 1), told)

    def _as_here(self, fact: TicketFact) -> TicketSummary:
        here, there, changes = self.ticket.summary, fact.ticket, dict[str, object]()
        if (here.priority, here.team, here.assignee) == (there.priority, there.team, there.assignee):
            return there
        if not isinstance(fact, PriorityChanged):
            changes["priority"] = here.priority
        if not isinstance(fact, TicketAssigned):
            changes |= {"team": here.team, "assignee": here.assignee}
        elif fact.previous_team == there.team:  # only the agent was changed
            changes["team"] = here.team
        return there.model_copy(update=changes)

    def turn(self, kind: type[ClockFact], clock: ClockState, **_: Any) -> None:
        """Turn the clock."""
        self.turned[clock.metric, clock.cycle] = clock
        self.ticket = with_clock(self.ticket, kind, clock)

    def turn_by_time(self, kind: type[ClockFact], clock: ClockState, *_: object, **__: object) -> None:
        """Turn the clock."""
        self.turned[clock.metric, clock.cycle] = clock
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


def _split_off(opened: TicketOpened, told: list[TicketFact], policies: Policies) -> tuple[QuietDraft, list[TicketFact]]:
    """Let a ticket begin that was split off another one: its clocks start when all that moved is there.

    Returns what happened afterwards too.
    """
    draft = QuietDraft(evolve(None, opened), opened.at, opened.actor, _cause(opened), opened.at)
    moved = next(number for number, fact in enumerate(told, start=1) if isinstance(fact, LinkAdded))
    for fact in told[:moved]:
        draft.repeat(fact)
    time_again(draft, policies)
    return draft, told[moved:]


def _hear(draft: QuietDraft, policies: Policies, fact: MessageAdded, change: TicketFact | None) -> None:
    """Repeat a message, then the change of status that it caused, then what both do to clocks."""
    entry, before = fact.message, draft.ticket
    draft.repeat(fact)
    answers = is_answer(entry)
    if answers:
        timing.stop_clocks(draft, policies, timing.ANSWERED_METRICS)
    if change is not None:
        _follow(draft, policies, change)
    if answers:
        follow_answer(draft, policies)
    elif not speaks(entry):
        count_call(draft, entry, policies)
    elif before.summary.status is not Status.CLOSED:  # such words are only in an import; here they open a follow-up
        follow_message(draft, policies, before)


def _follow(draft: QuietDraft, policies: Policies, fact: TicketFact) -> None:
    before = draft.ticket.summary
    draft.repeat(fact)
    match fact:
        case StatusChanged():
            follow_status_change(draft, policies, before.status, fact.ticket.status)
        case PriorityChanged() if fact.ticket.priority is not before.priority:
            follow_priority_change(draft, policies)
        case TicketAssigned() if draft.ticket.summary.team != before.team and fact.ticket.status not in ENDED:
            follow_team(draft, policies)
        case SpamMarked():
            follow_spam_mark(draft, policies)
        case TicketMerged():
            follow_merge(draft, policies)
        case MergeUndone():
            time_again(draft, policies)


def _cause(fact: TicketFact) -> str:
    return f"{fact.ticket_id}:{fact.version}"
