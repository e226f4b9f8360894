"""What a ticket and its facts are as rows, each in the order of the column list beside its table."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from sla_engine.domain.clock import is_open
from sla_engine.domain.ticket import Ticket
from sla_engine.stored_state import encode_state
from ticket_contracts.tickets import ClockState, MessageAdded, MessageRevised, TicketOpened
from ticket_contracts.vocabulary import Metric

Row: TypeAlias = tuple[object, ...]


def new_ticket_row(ticket: Ticket, now: datetime) -> Row:
    """Return the values of NEW_TICKET_COLUMNS."""
    summary = ticket.summary
    return (
        ticket.ticket_id,
        summary.number,
        ticket.version,
        summary.brand,
        summary.channel,
        summary.contact_id,
        summary.subject,
        summary.status,
        summary.priority,
        summary.team,
        summary.assignee,
        summary.tags,
        summary.opened_at,
        now,
        _due(ticket.of_metric(Metric.FIRST_RESPONSE)),
        _due(ticket.clocks),
        ticket.successor_id,
        encode_state(ticket),
    )


def changed_ticket_row(loaded: Ticket, ticket: Ticket) -> Row:
    """Return the values that UPDATE_TICKETS takes."""
    summary = ticket.summary
    return (
        ticket.ticket_id,
        loaded.version,
        ticket.version,
        summary.status,
        summary.priority,
        summary.team,
        summary.assignee,
        _due(ticket.of_metric(Metric.FIRST_RESPONSE)),
        _due(ticket.clocks),
        ticket.successor_id,
        encode_state(ticket),
    )


def _due(clocks_of_ticket: Iterable[ClockState]) -> datetime | None:
    """Return the earliest due time of the clocks that still wait, breached ones included."""
    due = [clock.due_at for clock in clocks_of_ticket if clock.due_at is not None and is_open(clock)]
    return min(due, default=None)


def clock_row(ticket: Ticket, clock: ClockState) -> Row:
    """Return the values of CLOCK_COLUMNS."""
    return (
        ticket.ticket_id,
        clock.metric,
        clock.cycle,
        clock.status,
        clock.policy,
        clock.policy_version,
        clock.target_seconds,
        clock.used_seconds,
        clock.started_at,
        clock.due_at,
        clock.stopped_at,
        clock.breached_at,
    )


def message_row(fact: TicketOpened | MessageAdded | MessageRevised) -> Row:
    """Return the values of NEW_MESSAGE_COLUMNS."""
    entry = fact.message
    return (
        fact.ticket_id,
        fact.version,
        entry.message_id,
        entry.author.kind,
        entry.author.id,
        entry.public,
        entry.at,
        entry.text,
        entry.model_dump_json(exclude={"text"}, exclude_none=True),
    )
