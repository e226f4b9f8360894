"""Folding what tickets do with each other."""

from sla_engine.domain.ticket import Absorbed, Link, Merged, Merging, Ticket, replace
from ticket_contracts.exchanges import (
    LinkAdded,
    LinkRemoved,
    MergeBegun,
    MergeRefused,
    MergeUndone,
    MessagesMoved,
    TicketAbsorbed,
    TicketMerged,
    TicketReleased,
)
from ticket_contracts.tickets import TicketFact

ExchangeFact = (
    LinkAdded
    | LinkRemoved
    | MergeBegun
    | MergeRefused
    | TicketMerged
    | TicketAbsorbed
    | MergeUndone
    | TicketReleased
    | MessagesMoved
)


def evolve_exchange(ticket: Ticket, fact: TicketFact) -> Ticket:
    """Return the ticket after the fact; version and summary are the caller's to set, afterwards."""
    match fact:
        case LinkAdded():
            return replace(ticket, links=(*ticket.links, Link(fact.other_id, fact.kind, fact.since)))
        case LinkRemoved():
            gone = (fact.other_id, fact.kind)
            return replace(ticket, links=tuple(each for each in ticket.links if each[:2] != gone))
        case MergeBegun():
            return replace(ticket, merging=Merging(fact.target_id, fact.merge_id))
        case MergeRefused():
            return replace(ticket, merging=None)
        case TicketMerged():
            before = ticket.summary
            merged = Merged(
                fact.target_id, fact.merge_id, fact.at, before.status, before.status_name, ticket.successor_id
            )
            return replace(ticket, merging=None, merged=merged, successor_id=fact.target_id)
        case MergeUndone():
            return replace(ticket, merged=None, successor_id=ticket.merged and ticket.merged.successor_id)
        case TicketAbsorbed():
            return replace(ticket, absorbed=(*ticket.absorbed, Absorbed(fact.source_id, fact.merge_id)))
        case TicketReleased():
            given = Absorbed(fact.source_id, fact.merge_id)
            return replace(ticket, absorbed=tuple(each for each in ticket.absorbed if each != given))
        case MessagesMoved():
            return replace(ticket, moved_ids=(*ticket.moved_ids, *fact.message_ids))
    return ticket
