"""What commands and the passing of time do to the clocks of a ticket."""

from collections.abc import Container
from datetime import datetime
from uuid import UUID

from sla_engine.domain import clock as clocks
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies, Policy
from ticket_contracts.tickets import (
    BreachWithdrawn,
    ClockBreached,
    ClockCancelled,
    ClockMet,
    ClockPaused,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockState,
    ClockStopped,
    ClockWarned,
    TicketSummary,
)
from ticket_contracts.vocabulary import ClockStatus, Metric, Status

REPLY_METRICS = frozenset({Metric.FIRST_RESPONSE})
"""What a public answer of an agent meets."""

ALL_METRICS = frozenset(Metric)


def timer_cause(ticket_id: UUID, due_at: datetime) -> str:
    """Return the id of "this moment came": the same whether a timer or a later command noticed it."""
    return f"timer:{ticket_id}:{due_at.isoformat()}"


def bring_forward(draft: Draft, policies: Policies, until: datetime) -> None:
    """Add the warnings and breaches due up to `until`, in their order, each dated when it was due.

    Called before every command for the command's own time: what was due by then is decided by event time, not by
    whether a timer had fired (rule 9), and what a command prevents later is never given (rule 44).
    """
    while (due := draft.ticket.next_transition()) and due.at <= until:
        cause = timer_cause(draft.ticket.ticket_id, due.at)
        if due.percent is None:
            draft.turn_by_time(ClockBreached, clocks.breach(due.clock, cause), due.at, cause)
        else:
            policy, calendar = policies.of_clock(due.clock), policies.calendar_of(due.clock)
            warned = clocks.warn(due.clock, policy, calendar, due.percent, cause)
            draft.turn_by_time(ClockWarned, warned, due.at, cause)


def first_clocks(
    summary: TicketSummary,
    metrics: Container[Metric],
    at: datetime,
    cause: str,
    seen_at: datetime,
    policies: Policies,
) -> tuple[tuple[ClockState, ...], str]:
    """Return the clocks of a new ticket, or none with the reason to show (rule 35)."""
    policy = policies.match(summary.brand, summary.channel, summary.team, summary.tags)
    reason = _missing(policy, summary, policies)
    if policy is None or reason:
        return (), reason
    calendar = policies.calendars[policy.calendar]
    started = tuple(
        clocks.start(metric, 1, policy, calendar, target, at, cause, seen_at)
        for metric in (Metric.FIRST_RESPONSE, Metric.RESOLUTION)
        if metric in metrics and (target := policy.target(metric, summary.priority)) is not None
    )
    return started, "" if started else f"policy {policy.name} promises nothing for priority {summary.priority}"


def start_missing(draft: Draft, policies: Policies, metrics: Container[Metric], since: datetime) -> None:
    """Start the clocks that the ticket lacks, counted from `since`: under its own policy, else one that matches."""
    ticket = draft.ticket
    policy = (
        policies.of_clock(ticket.clocks[-1])
        if ticket.clocks
        else policies.match(ticket.summary.brand, ticket.summary.channel, ticket.summary.team, ticket.summary.tags)
    )
    if policy is None or _missing(policy, ticket.summary, policies):
        return
    calendar = policies.calendars[policy.calendar]
    for metric in (Metric.FIRST_RESPONSE, Metric.RESOLUTION):
        target = policy.target(metric, ticket.summary.priority)
        cycles = list(ticket.of_metric(metric))
        wanted = metric in metrics and all(clock.status is ClockStatus.CANCELLED for clock in cycles)
        if target is None or not wanted:
            continue
        cycle = len(cycles) + 1
        clock = clocks.start(metric, cycle, policy, calendar, target, since, draft.cause, draft.seen_at)
        if since < draft.at:
            clock = clocks.retarget(clock, policy, calendar, target, draft.at, draft.cause)
        draft.turn(ClockStarted, clock)
        if metric in policy.pauses and ticket.summary.status in policy.pause_on:
            draft.turn(ClockPaused, clocks.pause(clock, calendar, draft.at, draft.cause))


def start_new_cycle(draft: Draft, policies: Policies) -> None:
    """Reopened: another `resolution` clock with the next cycle number, the old one kept (rule 22, `new_cycle`)."""
    cycles = list(draft.ticket.of_metric(Metric.RESOLUTION))
    if not cycles:  # nothing was promised at first; what is promised by now counts from here
        if draft.ticket.first_customer_message_at is not None:
            start_missing(draft, policies, ALL_METRICS - REPLY_METRICS, draft.at)
        return
    policy, calendar = policies.of_clock(cycles[-1]), policies.calendar_of(cycles[-1])
    target = policy.target(Metric.RESOLUTION, draft.ticket.summary.priority)
    if target is not None:
        cycle, at, cause = len(cycles) + 1, draft.at, draft.cause
        clock = clocks.start(Metric.RESOLUTION, cycle, policy, calendar, target, at, cause, draft.seen_at)
        draft.turn(ClockStarted, clock)


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
    """Give running and paused clocks the target of the new priority (rule 28); a recorded breach stays (rule 30)."""
    for clock in draft.ticket.clocks:
        if clock.status not in (ClockStatus.RUNNING, ClockStatus.PAUSED):
            continue
        policy, calendar = policies.of_clock(clock), policies.calendar_of(clock)
        target = policy.target(clock.metric, draft.ticket.summary.priority)
        if target is None:
            cancelled = clocks.cancel(clock, calendar, draft.at, draft.cause)
            reason = f"policy {policy.name} promises nothing for priority {draft.ticket.summary.priority}"
            draft.turn(ClockCancelled, cancelled, reason=reason)
        elif target != clock.target_seconds:
            changed = clocks.retarget(clock, policy, calendar, target, draft.at, draft.cause)
            draft.turn(ClockRetargeted, changed)


def _missing(policy: Policy | None, summary: TicketSummary, policies: Policies) -> str:
    if policy is None:
        return "no policy matches this ticket"
    if summary.priority is None:
        return "the ticket has no priority"
    if policy.calendar not in policies.calendars:
        reason = policies.unusable_calendars.get(policy.calendar, "it does not exist")
        return f"policy {policy.name} names calendar {policy.calendar}, which cannot be used: {reason}"
    return ""
