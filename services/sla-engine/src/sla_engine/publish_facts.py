"""Turn decisions into events: facts for everyone, alerts for team leads, commands for another ticket."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

from ticket_contracts.alerts import SlaAlert, SlaBreached, SlaBreachWithdrawn, SlaWarning
from ticket_contracts.commands import ReceiveMessage
from ticket_contracts.tickets import BreachWithdrawn, ClockBreached, ClockFact, ClockWarned, TicketFact
from ticket_contracts.topics import ALERTS, COMMANDS, TICKETS
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


def cause_of(fact: TicketFact, cause: Cause) -> Cause:
    """Return the command, or for what time alone has done the moment: the same whoever noticed that it had come.

    What a moment causes belongs to the chain that started the clock, not to the command that came by.
    """
    if not isinstance(fact, ClockFact) or fact.cause == cause.id:
        return cause
    return Cause(cause.origin, fact.cause, fact.clock.causes.get("started"))


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


def alert_events(fact: TicketFact, cause: Cause) -> Iterator[NewEvent]:
    """Yield the alert of a warning, a breach or its withdrawal; its id says which, so it is the same if made again."""
    if not isinstance(fact, ClockFact) or fact.imported:
        return
    content = {
        "ticket_id": fact.ticket_id,
        "version": fact.version,
        "at": fact.at,
        "ticket": fact.ticket,
        "clock": fact.clock,
    }
    alert: SlaAlert
    match fact:
        case ClockWarned():
            kind, alert = (
                f"warning:{fact.clock.warned_percent}",
                SlaWarning(percent=fact.clock.warned_percent, **content),
            )
        case ClockBreached():
            kind, alert = "breached", SlaBreached(**content)
        case BreachWithdrawn():
            kind, alert = "breach-withdrawn", SlaBreachWithdrawn(**content)
        case _:
            return
    yield NewEvent(
        origin=cause.origin,
        topic=ALERTS.name,
        key=str(fact.ticket_id),
        id=f"{fact.ticket_id}:{fact.clock.metric}:{fact.clock.cycle}:{kind}",
        type=alert.event_type,
        time=fact.at,
        data=alert.encode(),
        subject=str(fact.ticket_id),
        causation_id=f"{fact.ticket_id}:{fact.version}",
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
