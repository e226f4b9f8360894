"""How a ticket's state and facts stand in Postgres: JSON that every later version can read."""

from pydantic import TypeAdapter

from sla_engine.domain.evolve import without_old_clocks
from sla_engine.domain.ticket import STATE_FORMAT, Ticket
from ticket_contracts.catalogue import TICKET_EVENTS
from ticket_contracts.tickets import TicketFact

_TICKET = TypeAdapter(Ticket)


class NewerState(Exception):
    """A newer engine has stored this state; an older one must not write over it. Upgrade this process."""


def encode_state(ticket: Ticket) -> str:
    """Return the JSON of `tickets.state`; absent values are left out."""
    return _TICKET.dump_json(ticket, exclude_none=True).decode()


def decode_state(state: str) -> Ticket:
    """Return the ticket, with no more clocks than one that this engine has stored.

    :raises NewerState: its format is above ours.
    """
    ticket = _TICKET.validate_json(state)
    if ticket.format > STATE_FORMAT:
        raise NewerState(
            f"ticket {ticket.ticket_id} is stored in format {ticket.format}, this engine reads {STATE_FORMAT}"
        )
    return without_old_clocks(ticket)


def decode_fact(event_type: str, data: str | bytes) -> TicketFact:
    """Return a stored fact; fields added since have their defaults, an unknown type is read as what all facts carry."""
    fact = TICKET_EVENTS.get(event_type, TicketFact).model_validate_json(data)
    assert isinstance(fact, TicketFact)  # TICKET_EVENTS holds nothing else
    return fact
