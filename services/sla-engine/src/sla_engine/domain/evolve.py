"""Folding: a ticket is what its facts make of it, and nothing else."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sla_engine.domain.conversation import is_answer, speaks
from sla_engine.domain.ticket import MOST_KEPT_IDS, Ticket
from ticket_contracts.tickets import (
    ClockFact,
    ClockState,
    MessageAdded,
    MessageEntry,
    MessageRevised,
    SuccessorNamed,
    TicketFact,
    TicketOpened,
)


class BrokenHistory(ValueError):
    """A fact does not continue the ticket it is given: versions have a gap or the opening is missing. A bug."""


def evolve(ticket: Ticket | None, fact: TicketFact) -> Ticket:
    """Return the ticket after the fact.

    Fields that later versions of a fact added have defaults, so facts of every past version can be read. A fact of a
    type that this module does not know changes what every fact carries: version and summary.

    :raises BrokenHistory: the fact does not follow on the ticket.
    """
    if isinstance(fact, TicketOpened):
        return _opened(ticket, fact)
    if ticket is None or fact.version != ticket.version + 1 or fact.ticket_id != ticket.ticket_id:
        raise BrokenHistory(f"fact {fact.event_type} of {fact.ticket_id} version {fact.version} has no predecessor")
    if isinstance(fact, ClockFact):
        clocks = _with_clock(ticket.clocks, fact.clock)
        return replace(ticket, version=fact.version, summary=fact.ticket, clocks=clocks, no_clock_reason="")
    if isinstance(fact, MessageAdded):
        return _with_message(ticket, fact)
    if isinstance(fact, MessageRevised):
        return replace(ticket, version=fact.version, summary=fact.ticket, message_ids=_with_id(ticket, fact.message))
    if isinstance(fact, SuccessorNamed):
        return replace(ticket, version=fact.version, summary=fact.ticket, successor_id=fact.successor_id)
    return replace(ticket, version=fact.version, summary=fact.ticket)


def _opened(ticket: Ticket | None, fact: TicketOpened) -> Ticket:
    if ticket is not None or fact.version != 1:
        raise BrokenHistory(f"ticket {fact.ticket_id} is opened a second time, at version {fact.version}")
    return Ticket(
        ticket_id=fact.ticket_id,
        version=1,
        summary=fact.ticket,
        clocks=fact.clocks,
        message_ids=(fact.message.message_id,),
        first_customer_message_at=_spoken_at(fact.message),
        no_clock_reason=fact.no_clock_reason,
        previous_ticket_id=fact.previous_ticket_id,
    )


def _with_message(ticket: Ticket, fact: MessageAdded) -> Ticket:
    answered_at = ticket.answered_at
    if answered_at is None and is_answer(fact.message):
        answered_at = fact.message.at
    return replace(
        ticket,
        version=fact.version,
        summary=fact.ticket,
        message_ids=_with_id(ticket, fact.message),
        first_customer_message_at=ticket.first_customer_message_at or _spoken_at(fact.message),
        answered_at=answered_at,
    )


def _with_id(ticket: Ticket, entry: MessageEntry) -> tuple[UUID, ...]:
    return (*ticket.message_ids, entry.message_id)[-MOST_KEPT_IDS:]


def _spoken_at(entry: MessageEntry) -> datetime | None:
    return entry.at if speaks(entry) else None


def _with_clock(clocks: tuple[ClockState, ...], changed: ClockState) -> tuple[ClockState, ...]:
    identity = (changed.metric, changed.cycle)
    if all((clock.metric, clock.cycle) != identity for clock in clocks):
        return (*clocks, changed)
    return tuple(changed if (clock.metric, clock.cycle) == identity else clock for clock in clocks)
