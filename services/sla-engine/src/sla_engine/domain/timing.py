"""What commands and the passing of time do to the clocks of a ticket."""

from collections.abc import Container
from datetime import datetime
from uuid import UUID

from sla_engine.domain import clock as clocks
from sla_engine.domain.clock import DueTransition
from sla_engine.domain.draft import Draft
from sla_engine.domain.escalating import escalate
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.ticket import Wake
from ticket_contracts.actions import TicketWoke
from ticket_contracts.tickets import (
    BreachWithdrawn,
    ClockBreached,
    ClockCancelled,
    ClockMet,
    ClockPaused,
    ClockRecalculated,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockState,
    ClockStopped,
    ClockWarned,
)
from ticket_contracts.vocabulary import ClockStatus, Metric, Status

REPLY_METRICS = frozenset({Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE})
"""What a public answer of an agent meets."""

ANSWERED_METRICS = REPLY_METRICS | {Metric.UPDATE}
"""What it stops: an answer is an update too, and the next one is promised from here (rule 15)."""

ALL_METRICS = frozenset(Metric)

UNDECIDED = frozenset({ClockStatus.RUNNING, ClockStatus.PAUSED})
"""Neither met nor missed: what may still get another target or another policy."""


TIMER = "timer:"
"""Begins the ids of moments."""


def timer_cause(ticket_id: UUID, due_at: datetime) -> str:
    """Return the id of "this moment came": the same whether a timer or a later command noticed it."""
    return f"{TIMER}{ticket_id}:{due_at.isoformat()}"


def bring_forward(draft: Draft, policies: Policies, until: datetime) -> None:
    """Add the warnings, breaches and escalation steps due up to `until`, in their order, each dated when it was due.

    What was due by then is decided by event time, not by whether a timer had fired (rule 9), and what a command
    prevents later is never given (rule 44). Stops at a step that asks for a change: `settle` makes it first.
    """
    while not draft.wishes and (due := draft.ticket.next_turn()) and due.at <= until:
        if isinstance(due, Wake):
            draft.change_by_time(TicketWoke, {"snoozed_until": None}, due.at)
        else:
            _turn(draft, policies, due)


def _turn(draft: Draft, policies: Policies, due: DueTransition) -> None:
    policy, calendar = policies.of_clock(due.clock), policies.calendar_of(due.clock)
    cause = timer_cause(draft.ticket.ticket_id, due.at)
    if clocks.moved(due, policy, calendar):
        # The calendar was edited and the recalculation has not come yet: no alarm for a day that is none any more.
        anew = clocks.recalculate(due.clock, policy, calendar, due.at, cause)
        draft.turn_by_time(ClockRecalculated, anew, due.at, cause)
    elif due.step is not None:
        escalate(draft, policies, due, cause)
    elif due.percent is not None:
        warned = clocks.warn(due.clock, policy, calendar, due.percent, cause)
        draft.turn_by_time(ClockWarned, warned, due.at, cause)
    else:
        draft.turn_by_time(ClockBreached, clocks.breach(due.clock, policy, calendar, cause), due.at, cause)


def stop_clocks(draft: Draft, policies: Policies, metrics: Container[Metric]) -> None:
    """What the clocks waited for happened at the draft's time; a breach recorded too early is withdrawn (rule 9)."""
    for clock in draft.ticket.clocks:
        if clock.metric not in metrics:
            continue
        if clocks.may_withdraw(clock, draft.at):
            calendar = policies.calendar_of(clock)
            withdrawn = clocks.withdraw_breach(clock, calendar, draft.at, draft.cause)
            draft.turn(BreachWithdrawn, withdrawn)
            draft.turn(ClockMet, clocks.stop(withdrawn, calendar, draft.at, draft.cause))
        elif clocks.is_open(clock):
            stopped = clocks.stop(clock, policies.calendar_of(clock), draft.at, draft.cause)
            draft.turn(ClockStopped if stopped.status is ClockStatus.BREACHED else ClockMet, stopped)


def follow_status(draft: Draft, policies: Policies, status: Status) -> None:
    """Pause or resume what the new status freezes or frees (rules 16 and 18)."""
    for clock in filter(clocks.is_open, draft.ticket.clocks):
        policy = policies.of_clock(clock)
        if clock.metric not in policy.pauses:
            continue
        frozen = status in policy.pause_on
        if frozen and not clocks.is_paused(clock):
            calendar, before = policies.calendar_of(clock), clock
            if clocks.may_withdraw(clock, draft.at):  # it was paused when its due time came (rule 44)
                before = clocks.withdraw_breach(clock, calendar, draft.at, draft.cause)
                draft.turn(BreachWithdrawn, before)
            draft.turn(ClockPaused, clocks.pause(before, calendar, draft.at, draft.cause))
        elif not frozen and clocks.is_paused(clock):
            resumed = clocks.resume(clock, policy, policies.calendar_of(clock), draft.at, draft.cause)
            draft.turn(ClockResumed, resumed)


def follow_priority(draft: Draft, policies: Policies) -> None:
    """Give running and paused clocks the target of the new priority, as the policy says (rule 28); a recorded breach
    stays (rule 30)."""
    for clock in draft.ticket.clocks:
        if clock.status not in UNDECIDED:
            continue
        policy = policies.of_clock(clock)
        target = policy.target(clock.metric, draft.ticket.summary.priority)
        if target is None:
            reason = f"policy {policy.name} promises nothing for priority {draft.ticket.summary.priority}"
            cancel_clock(draft, policies, clock, reason)
        elif target != clock.target_seconds or policy.on_priority == "reset":
            _retarget(draft, policies, clock, policy, target)


def _retarget(draft: Draft, policies: Policies, clock: ClockState, policy: Policy, target: int) -> None:
    calendar = policies.calendar_of(clock)
    match policy.on_priority:
        case "from_start":
            draft.turn(ClockRetargeted, clocks.retarget(clock, policy, calendar, target, draft.at, draft.cause))
        case "from_now":
            draft.turn(ClockRetargeted, clocks.recount(clock, policy, calendar, target, draft.at, draft.cause))
        case "reset":
            cancel_clock(draft, policies, clock, "reset")
            fresh = clocks.start(
                clock.metric, clock.cycle + 1, policy, calendar, target, draft.at, draft.cause, draft.seen_at
            )
            draft.turn(ClockStarted, fresh)
            if clock.status is ClockStatus.PAUSED:
                draft.turn(ClockPaused, clocks.pause(fresh, calendar, draft.at, draft.cause))


def cancel_all(draft: Draft, policies: Policies, reason: str) -> None:
    """End every clock that still waits; recorded breaches stay, and stop counting (rules 25 and 27)."""
    for clock in filter(clocks.is_open, draft.ticket.clocks):
        if clock.status is ClockStatus.BREACHED:
            draft.turn(ClockStopped, clocks.stop(clock, policies.calendar_of(clock), draft.at, draft.cause))
        else:
            cancel_clock(draft, policies, clock, reason)


def cancel_clock(draft: Draft, policies: Policies, clock: ClockState, reason: str) -> ClockState:
    """End one clock that has no result yet, and return it as it is then."""
    cancelled = clocks.cancel(clock, policies.calendar_of(clock), draft.at, draft.cause, reason)
    draft.turn(ClockCancelled, cancelled, reason=reason)
    return cancelled
