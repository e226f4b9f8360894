"""How pressing a ticket is."""

from sla_engine.domain import timing
from sla_engine.domain.cycles import start_missing, start_next_response
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import CLOSED, Rejected
from ticket_contracts.actions import Classify, TicketClassified
from ticket_contracts.commands import SetPriority
from ticket_contracts.statuses import ENDED
from ticket_contracts.tickets import PriorityChanged
from ticket_contracts.vocabulary import Priority, Status


def set_priority(draft: Draft, command: SetPriority, policies: Policies) -> Rejected | None:
    """Carry out an agent's or a rule's wish."""
    summary = draft.ticket.summary
    if command.priority is summary.priority:
        return None
    if summary.status is Status.CLOSED:
        return CLOSED
    change_priority(draft, policies, command.priority)
    return None


def classify(draft: Draft, command: Classify, policies: Policies) -> Rejected | None:
    """Grade by impact and urgency; what the matrix makes of the two is a change of priority."""
    summary = draft.ticket.summary
    if summary.status is Status.CLOSED:
        return CLOSED
    impact, urgency = command.impact or summary.impact, command.urgency or summary.urgency
    if (impact, urgency) == (summary.impact, summary.urgency):
        return None
    draft.change(TicketClassified, {"impact": impact, "urgency": urgency})
    if impact is not None and urgency is not None:
        priority = policies.workflow.priorities.get((impact, urgency))
        if priority is not None and priority is not summary.priority:
            change_priority(draft, policies, priority)
    return None


def change_priority(draft: Draft, policies: Policies, priority: Priority) -> None:
    """Change the priority and let the clocks follow (rule 28)."""
    draft.change(PriorityChanged, {"priority": priority}, previous=draft.ticket.summary.priority)
    follow_priority_change(draft, policies)


def follow_priority_change(draft: Draft, policies: Policies) -> None:
    """Let the clocks follow a change that is recorded."""
    timing.follow_priority(draft, policies)
    since = draft.ticket.first_customer_message_at
    if since is not None and draft.ticket.summary.status not in ENDED:
        answered = draft.ticket.answered_at is not None
        metrics = timing.ALL_METRICS - timing.REPLY_METRICS if answered else timing.ALL_METRICS
        start_missing(draft, policies, metrics, since)
        start_next_response(draft, policies, draft.at)
    timing.bring_forward(draft, policies, draft.at)
