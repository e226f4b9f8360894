"""How a ticket begins: with a first message, mostly a customer's."""

from datetime import datetime

from sla_engine.domain.conversation import is_held_call, received_entry, speaks, told_late
from sla_engine.domain.cycles import first_clocks
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Request
from ticket_contracts.commands import Actor, ReceiveMessage
from ticket_contracts.tickets import ClockState, MessageEntry, TicketOpened, TicketSummary
from ticket_contracts.vocabulary import ActorKind, Metric, Status


def open_ticket(request: Request, command: ReceiveMessage, policies: Policies) -> TicketOpened:
    """Return the one fact that holds number, classification, assignment, first message and clocks."""
    message, routing, at = command.message, command.routing, request.at
    customer = customer_of(command)
    entry = received_entry(command, customer, at)
    summary = TicketSummary(
        number=request.number,
        brand=message.brand,
        channel=message.channel,
        subject=message.subject,
        contact_id=command.contact_id,
        contact=message.sender,
        status=Status.NEW,
        priority=routing.priority,
        team=routing.team,
        assignee=routing.assignee,
        tags=routing.tags,
        spam=routing.spam,
        opened_at=at,
    )
    clocks, reason = clocks_of_first(summary, entry, request.id, request.appended_at, policies)
    return TicketOpened(
        ticket_id=command.ticket_id,
        version=1,
        at=at,
        actor=customer,
        ticket=summary,
        routing=routing,
        message=entry,
        clocks=clocks,
        no_clock_reason=reason,
        previous_ticket_id=command.previous_ticket_id,
        seen_at=told_late(at, request.appended_at),
    )


def clocks_of_first(
    summary: TicketSummary, entry: MessageEntry, cause: str, seen_at: datetime, policies: Policies
) -> tuple[tuple[ClockState, ...], str]:
    """Return the clocks that a ticket's first message starts, or none with the reason (rule 35)."""
    metrics, reason = _metrics_of_first(entry)
    return first_clocks(summary, metrics, entry.at, cause, seen_at, policies) if metrics else ((), reason)


def _metrics_of_first(entry: MessageEntry) -> tuple[frozenset[Metric], str]:
    if speaks(entry):
        return frozenset({Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.UPDATE}), ""
    if is_held_call(entry):  # the customer was heard, so nothing waits for a first response yet (rule 8)
        return frozenset({Metric.RESOLUTION, Metric.UPDATE}), ""
    if entry.author.kind is ActorKind.CUSTOMER:
        return frozenset(), "no customer has written yet: an automatic or revised message starts no clock"
    return frozenset(), "no customer has written yet: an agent opened the ticket"  # rules 7 and 8


def customer_of(command: ReceiveMessage) -> Actor:
    """Return the customer whose message the command carries."""
    return Actor(kind=ActorKind.CUSTOMER, id=str(command.contact_id), name=command.contact_name)
