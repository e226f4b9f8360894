"""What agents do beside answering, grading and handing over: tags, fields, snoozing, watching, spam."""

from datetime import UTC, timedelta

from sla_engine.domain import timing
from sla_engine.domain.cycles import start_missing, start_next_response
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import CLOSED, Rejected
from sla_engine.domain.summary_size import refusal_of_growth
from sla_engine.domain.tagging import change_tags, set_fields
from ticket_contracts.actions import (
    ChangeTags,
    ChangeWatchers,
    MarkSpam,
    SetFields,
    Snooze,
    SpamMarked,
    TicketSnoozed,
    TicketWoke,
    WatchersChanged,
)
from ticket_contracts.statuses import ENDED
from ticket_contracts.vocabulary import Status

LONGEST_SNOOZE = timedelta(days=366)
"""A ticket that nobody wants to see for longer is solved. Without an end, a time that no calendar of UTC holds would
stop the partition of the ticket."""


def tag(draft: Draft, command: ChangeTags, _: Policies) -> Rejected | None:
    """Add and remove tags."""
    before = draft.ticket.summary
    change_tags(draft, command.add, command.remove)
    return refusal_of_growth("add", before, draft.ticket.summary)


def fill_fields(draft: Draft, command: SetFields, policies: Policies) -> Rejected | None:
    """Set custom fields, all of them or none."""
    refusal = policies.workflow.refusal_of_fields(command.fields)
    if refusal:
        return Rejected("rejected", refusal)
    before = draft.ticket.summary
    set_fields(draft, command.fields)
    return refusal_of_growth("fields", before, draft.ticket.summary)


def snooze(draft: Draft, command: Snooze, _: Policies) -> Rejected | None:
    """Put the ticket out of sight until a time; None wakes it."""
    if draft.ticket.summary.status is Status.CLOSED:
        return CLOSED
    if command.until is None:
        wake(draft)
        return None
    if command.until <= draft.at:
        return Rejected("rejected", "until: it is over already; give a later time")
    if command.until - draft.at > LONGEST_SNOOZE:
        return Rejected("rejected", f"until: it is more than {LONGEST_SNOOZE.days} days away; give an earlier time")
    until = command.until.astimezone(UTC)
    if until != draft.ticket.summary.snoozed_until:
        draft.change(TicketSnoozed, {"snoozed_until": until})
    return None


def wake(draft: Draft) -> None:
    """End a snooze: the customer wrote, an agent wants it back, or it has ended."""
    if draft.ticket.summary.snoozed_until is not None:
        draft.change(TicketWoke, {"snoozed_until": None})


def change_watchers(draft: Draft, command: ChangeWatchers, _: Policies) -> Rejected | None:
    """Add and remove agents who are told of everything; who is both is added."""
    before, unwanted = draft.ticket.summary, set(command.remove) - set(command.add)
    kept = tuple(each for each in before.watchers if each not in unwanted)
    watchers = tuple(dict.fromkeys((*kept, *command.add)))
    if watchers != before.watchers:
        draft.change(WatchersChanged, {"watchers": watchers})
    return refusal_of_growth("add", before, draft.ticket.summary)


def mark_spam(draft: Draft, command: MarkSpam, policies: Policies) -> None:
    """Spam has no clocks; what turns out to be none gets those of its first message (rule 27)."""
    if command.spam is draft.ticket.summary.spam:
        return
    draft.change(SpamMarked, {"spam": command.spam})
    follow_spam_mark(draft, policies)


def follow_spam_mark(draft: Draft, policies: Policies) -> None:
    """Let the clocks follow a mark that is recorded."""
    ticket = draft.ticket
    if ticket.summary.spam:
        timing.cancel_all(draft, policies, "spam")
    elif ticket.first_customer_message_at is not None and ticket.summary.status not in ENDED:
        metrics = timing.ALL_METRICS - timing.REPLY_METRICS if ticket.answered_at else timing.ALL_METRICS
        start_missing(draft, policies, metrics, ticket.first_customer_message_at)
        start_next_response(draft, policies, draft.at)
        timing.bring_forward(draft, policies, draft.at)
