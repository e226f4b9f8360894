"""Turn decisions into events: facts for everyone, commands for another ticket."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from ticket_contracts.commands import ReceiveMessage
from ticket_contracts.escalations import TicketEscalated
from ticket_contracts.tickets import ClockFact, TicketFact
from ticket_contracts.topics import COMMANDS, TICKETS
from ticket_stream.failures import PoisonRecord
from ticket_stream.processing import NewEvent, Partition, Record

MAX_HOPS = 50
"""A message for a closed ticket is forwarded along its follow-ups. Few customers ever come back this often before the
router's own look-up finds the last one; more means that a chain has become a ring."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The command behind a decision; of a timer only the partition is known, and its facts name the moment."""

    origin: Partition
    id: str = ""
    correlation_id: str | None = None
    traceparent: str | None = None

    @classmethod
    def of(cls, record: Record) -> "Cause":
        event = record.event
        return cls(record.origin, event.id, event.correlationid or event.id, event.traceparent)


def cause_of(fact: TicketFact, cause: Cause, escalated: TicketEscalated | None = None) -> Cause:
    """Return the command, or for what time alone has done the moment: the same whoever noticed that it had come.

    What a moment causes belongs to the chain that started the clock, not to the command that came by; what a step
    changed is caused by the fact that it has run, `escalated`.
    """
    if isinstance(fact, ClockFact):
        if fact.cause == cause.id:
            return cause
        return Cause(cause.origin, fact.cause, fact.clock.causes.get("started"))
    if escalated is not None and fact.actor == escalated.actor:
        behind = f"{fact.ticket_id}:{escalated.version}"
        return Cause(cause.origin, behind, escalated.clock.causes.get("started"))
    return cause


def fact_event(fact: TicketFact, cause: Cause) -> NewEvent:
    """Return the event of a fact; its data are encoded here once, for the topic and for the table."""
    ticket_id = str(fact.ticket_id)
    return NewEvent(
        origin=cause.origin,
        topic=TICKETS.name,
        key=ticket_id,
        id=f"{ticket_id}:{fact.version}",
        type=fact.event_type,
        time=fact.at,
        data=fact.encode(),
        subject=ticket_id,
        causation_id=cause.id,
        correlation_id=cause.correlation_id,
        traceparent=cause.traceparent,
    )


def forwarded_command(command: ReceiveMessage, successor: UUID, record: Record) -> NewEvent:
    """Send a closed ticket's message on to its follow-up (rule 23).

    :raises PoisonRecord: it has been forwarded too often.
    """
    if command.hops >= MAX_HOPS:
        raise PoisonRecord(f"message {command.message.message_id} was forwarded {command.hops} times")
    content = {
        **dict(command),
        "ticket_id": successor,
        "previous_ticket_id": command.ticket_id,
        "hops": command.hops + 1,
    }
    cause = Cause.of(record)
    return NewEvent(
        origin=record.origin,
        topic=COMMANDS.name,
        key=str(successor),
        id=str(uuid5(successor, record.event.id)),
        type=command.event_type,
        time=record.event.time,
        data=ReceiveMessage(**content).encode(),
        subject=str(successor),
        causation_id=cause.id,
        correlation_id=cause.correlation_id,
        traceparent=cause.traceparent,
    )
