"""A customer's message that comes to a ticket there is."""

from uuid import UUID

from sla_engine.domain import timing
from sla_engine.domain.acting import wake
from sla_engine.domain.conversation import is_held_call, received_entry, speaks, told_late
from sla_engine.domain.cycles import start_missing, start_next_response
from sla_engine.domain.draft import Draft
from sla_engine.domain.opening import customer_of
from sla_engine.domain.policies import Policies
from sla_engine.domain.status_change import change_status
from sla_engine.domain.ticket import Ticket
from ticket_contracts.commands import ReceiveMessage
from ticket_contracts.exchanges import follow_up_id
from ticket_contracts.tickets import MessageAdded, MessageEntry, MessageRevised, SuccessorNamed
from ticket_contracts.vocabulary import MessageKind, Metric, Status


def receive(draft: Draft, command: ReceiveMessage, policies: Policies) -> None:
    """Record the message once; it reopens, starts clocks, or names a follow-up (rules 11, 23, 24)."""
    ticket = draft.ticket
    if command.message.message_id in ticket.message_ids or ticket.successor_id is not None:
        return
    draft.actor = customer_of(command)
    entry = received_entry(command, draft.actor, draft.at)
    if entry.kind is not MessageKind.CREATED:
        draft.add(MessageRevised, message=entry)
    elif not speaks(entry):
        draft.add(MessageAdded, message=entry, seen_at=told_late(draft.at, draft.seen_at))
        count_call(draft, entry, policies)
    elif ticket.summary.status is Status.CLOSED:
        draft.add(SuccessorNamed, successor_id=follow_up_id(ticket.ticket_id))
    else:
        draft.add(MessageAdded, message=entry, seen_at=told_late(draft.at, draft.seen_at))
        wake(draft)
        if ticket.summary.status in (Status.PENDING, Status.ON_HOLD, Status.SOLVED):
            change_status(draft, policies, Status.OPEN)
        follow_message(draft, policies, ticket)


def follow_message(draft: Draft, policies: Policies, before: Ticket) -> None:
    """Start what a customer's message starts; `before` is the ticket without it."""
    if before.first_customer_message_at is None:
        start_missing(draft, policies, timing.ALL_METRICS, draft.at)
    else:
        start_next_response(draft, policies, draft.at)


def count_call(draft: Draft, entry: MessageEntry, policies: Policies) -> None:
    """Let a call that agent and customer had stop the reply clocks, where the policy says so (rule 3)."""
    if not is_held_call(entry):
        return
    waiting = list(draft.ticket.of_metric(Metric.FIRST_RESPONSE))
    if waiting and policies.of_clock(waiting[-1]).call_counts_as_reply:
        timing.stop_clocks(draft, policies, timing.REPLY_METRICS)


def goes_to_successor(ticket: Ticket, command: ReceiveMessage) -> UUID | None:
    """Return where a message goes that came for a ticket with a follow-up and is not recorded here (rule 23).

    To be asked with the ticket as it is after the command was decided.
    """
    return None if command.message.message_id in ticket.message_ids else ticket.successor_id
