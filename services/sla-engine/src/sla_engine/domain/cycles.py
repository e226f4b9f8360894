"""When clocks begin, and when they begin again: a cycle is one promise of one metric."""

from collections.abc import Container
from datetime import datetime

from sla_engine.domain import clock as clocks
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import BEGINNING, Policies, Policy
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.timing import REPLY_METRICS
from ticket_contracts.statuses import ENDED
from ticket_contracts.tickets import ClockPaused, ClockResumed, ClockStarted, ClockState, TicketSummary
from ticket_contracts.vocabulary import ClockStatus, Metric


def first_clocks(
    summary: TicketSummary,
    metrics: Container[Metric],
    at: datetime,
    cause: str,
    seen_at: datetime,
    policies: Policies,
) -> tuple[tuple[ClockState, ...], str]:
    """Return the clocks of a new ticket, or none with the reason to show (rule 35)."""
    policy = policies.match(summary)
    reason = missing(policy, summary, policies)
    if policy is None or reason:
        return (), reason
    calendar = policies.calendars[policy.calendar]
    started = tuple(
        clocks.start(metric, 1, policy, calendar, target, at, cause, seen_at)
        for metric in BEGINNING
        if metric in metrics and (target := policy.target(metric, summary.priority)) is not None
    )
    return started, "" if started else f"policy {policy.name} promises nothing for priority {summary.priority}"


def start_missing(draft: Draft, policies: Policies, metrics: Container[Metric], since: datetime) -> None:
    """Start the clocks that the ticket lacks, counted from `since`: under its own policy, else one that matches."""
    policy = usable_policy(draft.ticket, policies)
    if policy is None:
        return
    for metric in BEGINNING:
        if metric in metrics and not draft.ticket.has_promised(metric):
            start_cycle(draft, policies, policy, metric, since)


def start_new_cycle(draft: Draft, policies: Policies) -> None:
    """Reopened: what happens to `resolution` is the policy's choice (rule 22); updates are promised again."""
    cycles = list(draft.ticket.of_metric(Metric.RESOLUTION))
    if not cycles:  # nothing was promised at first; what is promised by now counts from here
        if draft.ticket.first_customer_message_at is not None:
            start_missing(draft, policies, frozenset(Metric) - REPLY_METRICS, draft.at)
        return
    policy, calendar = policies.of_clock(cycles[-1]), policies.calendar_of(cycles[-1])
    match policy.on_reopen:
        case "new_cycle":
            start_cycle(draft, policies, policy, Metric.RESOLUTION, draft.at)
        case "continue" if cycles[-1].status is not ClockStatus.CANCELLED:
            draft.turn(ClockResumed, clocks.reopen(cycles[-1], policy, calendar, draft.at, draft.cause))
    start_cycle(draft, policies, policy, Metric.UPDATE, draft.at)


def start_next_response(draft: Draft, policies: Policies, message_at: datetime) -> None:
    """One clock for all that is unanswered, from the oldest of it (rules 10 to 14)."""
    ticket = draft.ticket
    if ticket.unanswered_since is None or any(map(clocks.is_open, _of(ticket, REPLY_METRICS))):
        return
    ended = ticket.ends_of(REPLY_METRICS)
    if ticket.answered_at is None and not ended:
        return
    # What a call has answered (the option of rule 3) is not waited for again.
    since = ticket.unanswered_since if ticket.unanswered_since > max(ended, default=clocks.NEVER) else message_at
    policy = usable_policy(ticket, policies)
    if policy is not None:
        start_cycle(draft, policies, policy, Metric.NEXT_RESPONSE, since)


def restart_update(draft: Draft, policies: Policies) -> None:
    """Promise the next update from now on, while the ticket is worked on (rule 15)."""
    policy = usable_policy(draft.ticket, policies)
    if policy is not None and draft.ticket.summary.status not in ENDED:
        start_cycle(draft, policies, policy, Metric.UPDATE, draft.at)


def start_cycle(draft: Draft, policies: Policies, policy: Policy, metric: Metric, since: datetime) -> None:
    """Start the next cycle of a metric if the policy promises it; what is missed already is late from now on."""
    target = policy.target(metric, draft.ticket.summary.priority)
    calendar = policies.calendars.get(policy.calendar)
    if target is None or calendar is None:
        return
    known = list(draft.ticket.of_metric(metric))
    cycle = max((clock.cycle for clock in known), default=0) + 1
    clock = clocks.start(metric, cycle, policy, calendar, target, since, draft.cause, draft.seen_at)
    if known and known[-1].status is ClockStatus.CANCELLED:
        clock = clocks.take_over(clock, known[-1], since, policy, calendar)
    if since < draft.at:
        clock = clocks.retarget(clock, policy, calendar, target, draft.at, draft.cause)
    draft.turn(ClockStarted, clock)
    if metric in policy.pauses and draft.ticket.summary.status in policy.pause_on:
        draft.turn(ClockPaused, clocks.pause(clock, calendar, draft.at, draft.cause))


def usable_policy(ticket: Ticket, policies: Policies) -> Policy | None:
    """Return the policy that the ticket holds, else the one that matches it; None when it cannot start a clock."""
    held = policies.version(ticket.policy, ticket.policy_version)
    policy = held if held is not None else policies.match(ticket.summary)
    return None if missing(policy, ticket.summary, policies) else policy


def missing(policy: Policy | None, summary: TicketSummary, policies: Policies) -> str:
    """Return why a ticket has no clock (rule 35), or nothing."""
    if summary.spam:
        return "the ticket is spam"
    if policy is None:
        return "no policy matches this ticket"
    if summary.priority is None:
        return "the ticket has no priority"
    if policy.calendar not in policies.calendars:
        reason = policies.unusable_calendars.get(policy.calendar, "it does not exist")
        return f"policy {policy.name} names calendar {policy.calendar}, which cannot be used: {reason}"
    return ""


def _of(ticket: Ticket, metrics: Container[Metric]) -> list[ClockState]:
    return [clock for clock in ticket.clocks if clock.metric in metrics]
