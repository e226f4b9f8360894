"""What agents and machines write: replies and notes."""

from sla_engine.domain import timing
from sla_engine.domain.conversation import is_answer, written_entry
from sla_engine.domain.cycles import restart_update
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import CLOSED, Rejected
from sla_engine.domain.status_change import change_status
from ticket_contracts.commands import AddNote, Reply
from ticket_contracts.tickets import MessageAdded
from ticket_contracts.vocabulary import Metric, Status


def write(draft: Draft, command: Reply | AddNote, policies: Policies) -> Rejected | None:
    """Record the words once; a public answer of an agent stops the reply clocks (rule 3)."""
    ticket = draft.ticket
    if isinstance(command, Reply) and ticket.summary.status is Status.CLOSED:
        return CLOSED
    entry = written_entry(command, ticket.ticket_id, draft.cause, ticket.summary.channel, draft.at)
    if entry.message_id in ticket.message_ids:
        return None
    draft.add(MessageAdded, message=entry)
    if is_answer(entry):
        count_answer(draft, policies)
    return None


def count_answer(draft: Draft, policies: Policies) -> None:
    """Let an answer that is recorded stop the reply clocks; who answers has looked, so the ticket is not new."""
    timing.stop_clocks(draft, policies, timing.ANSWERED_METRICS)
    if draft.ticket.summary.status is Status.NEW:
        change_status(draft, policies, Status.OPEN)
    follow_answer(draft, policies)


def follow_answer(draft: Draft, policies: Policies) -> None:
    """Promise the next update after an answer, of a ticket whose customer is waiting for one (rule 15)."""
    ticket = draft.ticket
    if ticket.first_customer_message_at is not None or any(ticket.of_metric(Metric.UPDATE)):
        restart_update(draft, policies)
