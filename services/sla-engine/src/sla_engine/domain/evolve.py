"""Folding: a ticket is what its facts make of it, and nothing else."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sla_engine.domain.clock_memory import turned, without_old
from sla_engine.domain.conversation import is_answer, speaks
from sla_engine.domain.evolve_exchanges import ExchangeFact, evolve_exchange
from sla_engine.domain.rule_memory import leave_status, remember
from sla_engine.domain.ticket import MOST_KEPT_IDS, PAST_CLOCKS_FORMAT, Ticket, replace
from ticket_contracts.automation import RuleRan, WaitingBegun
from ticket_contracts.statuses import ENDED
from ticket_contracts.tickets import (
    ClockFact,
    ClockStarted,
    ClockState,
    MessageAdded,
    MessageEntry,
    MessageRevised,
    StatusChanged,
    SuccessorNamed,
    TicketFact,
    TicketOpened,
)
from ticket_contracts.upkeep import TicketReevaluated


class BrokenHistory(ValueError):
    """A fact does not continue the ticket it is given: versions have a gap or the opening is missing. A bug."""


def evolve(ticket: Ticket | None, fact: TicketFact) -> Ticket:
    """Return the ticket after the fact.

    Fields that later versions of a fact added have defaults, so facts of every past version can be read. A fact of a
    type that this module does not know changes what every fact carries: version and summary.

    :raises BrokenHistory: the fact does not follow on the ticket.
    """
    after = _folded(ticket, fact)
    if after.automation is not None and ticket is not None and after.summary.status is not ticket.summary.status:
        return replace(after, automation=leave_status(after.automation))
    return after


def _folded(ticket: Ticket | None, fact: TicketFact) -> Ticket:
    if isinstance(fact, TicketOpened):
        return _opened(ticket, fact)
    if ticket is None or fact.version != ticket.version + 1 or fact.ticket_id != ticket.ticket_id:
        raise BrokenHistory(f"fact {fact.event_type} of {fact.ticket_id} version {fact.version} has no predecessor")
    if isinstance(fact, ClockFact):
        return with_clock(ticket, type(fact), fact.clock, version=fact.version, summary=fact.ticket)
    if isinstance(fact, MessageAdded):
        return _with_message(ticket, fact)
    if isinstance(fact, MessageRevised):
        return replace(ticket, version=fact.version, summary=fact.ticket, message_ids=_with_id(ticket, fact.message))
    if isinstance(fact, SuccessorNamed):
        return replace(ticket, version=fact.version, summary=fact.ticket, successor_id=fact.successor_id)
    if isinstance(fact, ExchangeFact):
        return replace(evolve_exchange(ticket, fact), version=fact.version, summary=fact.ticket)
    if isinstance(fact, WaitingBegun | RuleRan):
        memory = remember(ticket.automation, fact)
        return replace(ticket, version=fact.version, summary=fact.ticket, automation=memory)
    if isinstance(fact, TicketReevaluated):
        return replace(
            ticket,
            version=fact.version,
            summary=fact.ticket,
            policy=fact.policy,
            policy_version=fact.policy_version,
        )
    if isinstance(fact, StatusChanged) and fact.ticket.status in ENDED:
        return replace(ticket, version=fact.version, summary=fact.ticket, unanswered_since=None)
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
        last_answered_at=fact.message.at if is_answer(fact.message) else None,
        unanswered_since=_spoken_at(fact.message),
        policy=fact.clocks[0].policy if fact.clocks else None,
        policy_version=fact.clocks[0].policy_version if fact.clocks else None,
        no_clock_reason=fact.no_clock_reason,
        previous_ticket_id=fact.previous_ticket_id,
    )


def _with_message(ticket: Ticket, fact: MessageAdded) -> Ticket:
    entry = fact.message
    first_at, spoken_at = ticket.first_customer_message_at, _spoken_at(entry)
    answered_at, last_at, since = ticket.answered_at, ticket.last_answered_at, ticket.unanswered_since
    if is_answer(entry):
        last_at, since = entry.at, None
        if first_at is not None:  # before the customer's first words there is nothing to answer (rule 7)
            answered_at = answered_at or entry.at
    elif spoken_at is not None and (last_at is None or spoken_at > last_at):
        since = since or spoken_at
    return replace(
        ticket,
        version=fact.version,
        summary=fact.ticket,
        message_ids=_with_id(ticket, entry),
        first_customer_message_at=first_at or spoken_at,
        answered_at=answered_at,
        last_answered_at=last_at,
        unanswered_since=since,
    )


def _with_id(ticket: Ticket, entry: MessageEntry) -> tuple[UUID, ...]:
    return (*ticket.message_ids, entry.message_id)[-MOST_KEPT_IDS:]


def _spoken_at(entry: MessageEntry) -> datetime | None:
    return entry.at if speaks(entry) else None


def with_clock(ticket: Ticket, kind: type[ClockFact], clock: ClockState, **changes: Any) -> Ticket:
    """Return the ticket after a clock's transition of this kind, and with other `changes`.

    A clock that starts also tells the policy that is held.
    """
    if issubclass(kind, ClockStarted):
        changes |= {"policy": clock.policy, "policy_version": clock.policy_version}
    started = issubclass(kind, ClockStarted)
    clocks, past = turned(ticket.clocks, ticket.past_clocks, clock, started=started)
    if past is not ticket.past_clocks:
        changes |= {"past_clocks": past, "format": PAST_CLOCKS_FORMAT}
    return replace(ticket, clocks=clocks, no_clock_reason="", **changes)


def without_old_clocks(ticket: Ticket) -> Ticket:
    """Return the ticket as its facts make it here, when an engine that kept every clock has stored it."""
    clocks, past = without_old(ticket.clocks, ticket.past_clocks)
    return (
        ticket
        if clocks is ticket.clocks
        else replace(ticket, clocks=clocks, past_clocks=past, format=PAST_CLOCKS_FORMAT)
    )
