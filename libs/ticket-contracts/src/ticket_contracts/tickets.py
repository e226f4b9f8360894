"""Facts on `support.tickets.v1`: what became of a ticket, in the past tense, versioned 1, 2, 3 without gaps."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ticket_contracts.commands import Actor, Routing
from ticket_contracts.contract import Contract, FieldValue, Instant, Name, Payload, Words
from ticket_contracts.messages import Attachment, CallRecord, Delivery, Party, RemoteFile, StoredObject
from ticket_contracts.vocabulary import (
    Automation,
    Channel,
    ClockStatus,
    Grade,
    MessageKind,
    Metric,
    Priority,
    Status,
)


class Lateness(Contract):
    """For how long a breached clock had been late when its present running stretch began; pauses are left out."""

    business_microseconds: int = Field(default=0, ge=0)
    wall_microseconds: int = Field(default=0, ge=0, description="the same by the clock on the wall")


class ClockState(Contract):
    """One metric of one ticket in one cycle, complete: folding a clock fact replaces the clock.

    `used_seconds` is business time used up to `counted_from` (the start of the present running stretch, None while
    paused or stopped); `due_at` is the instant at which `target_seconds` of business time will have been used.
    A breached clock goes on counting its lateness until it is stopped: `counted_from` stays set, status `breached`.
    """

    metric: Metric
    cycle: int = Field(default=1, ge=1)
    status: ClockStatus
    policy: Name
    policy_version: int
    calendar: Name
    target_seconds: int = Field(gt=0)
    used_seconds: int = Field(default=0, ge=0)
    used_microseconds: int = Field(
        default=0, ge=0, lt=1_000_000, description="the part of the used time below a second"
    )
    counted_from: Instant | None = None
    paused_at: Instant | None = Field(default=None, description="since when it is paused")
    started_at: Instant
    due_at: Instant | None = Field(default=None, description="None while paused before a breach")
    stopped_at: Instant | None = None
    breached_at: Instant | None = None
    warned_percent: int = Field(default=0, description="highest warning threshold already given")
    next_warning_percent: int | None = None
    next_warning_at: Instant | None = None
    next_step: str | None = Field(default=None, description="the escalation step that comes next by time")
    next_step_at: Instant | None = None
    steps_done: tuple[str, ...] = Field(default=(), description="escalation steps that have run, each once (rule 45)")
    late: Lateness | None = Field(default=None, description="only of a clock that was paused or stopped when late")
    cancel_reason: str | None = Field(default=None, description="why it was cancelled, e.g. `superseded`")
    causes: dict[str, str] = Field(default_factory=dict, description="transition -> id of the event behind it")


class MessageEntry(Contract):
    """One entry of the conversation as stored with the ticket."""

    message_id: UUID
    kind: MessageKind = MessageKind.CREATED
    provider_id: str = Field(
        default="", description="the channel's own id: what an edit, deletion or receipt refers to"
    )
    author: Actor
    public: bool
    automation: Automation = Automation.HUMAN
    channel: Channel | None = None
    sender: Party | None = None
    subject: str = ""
    text: Words = ""
    quoted_text: Words = ""
    text_object: StoredObject | None = None
    html: StoredObject | None = None
    raw: StoredObject | None = None
    attachments: tuple[Attachment, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    call: CallRecord | None = None
    reading_problems: tuple[str, ...] = ()
    delivery: Delivery | None = Field(default=None, description="of the kind `status`")
    at: Instant = Field(description="the time that counts for the SLA")
    received_at: Instant


class TicketSummary(Contract):
    """Enough of a ticket's present state to act on a fact without calling back."""

    number: int
    brand: Name
    channel: Channel
    subject: str
    contact_id: UUID
    contact: Party
    status: Status
    priority: Priority | None = None
    team: Name
    assignee: str | None = None
    tags: tuple[str, ...] = ()
    opened_at: Instant
    status_name: str | None = Field(default=None, description="the own name of the status, if it has one")
    impact: Grade | None = None
    urgency: Grade | None = None
    fields: dict[str, FieldValue] = Field(default_factory=dict, description="custom fields by name, typed by theirs")
    watchers: tuple[str, ...] = Field(default=(), description="agents who follow the ticket without holding it")
    snoozed_until: Instant | None = None
    resolution_code: str | None = Field(default=None, description="how it was solved, by the taxonomy")
    cause: str | None = Field(default=None, description="why it happened, by the taxonomy")
    spam: bool = False
    merged_into: UUID | None = None


class TicketFact(Payload):
    """What all facts carry; `at` is event time, `ticket` the state after this fact."""

    ticket_id: UUID
    version: int = Field(ge=1)
    at: Instant
    actor: Actor
    ticket: TicketSummary
    imported: bool | None = Field(
        default=None, description="true: of another system's past, with its original time; nobody is alarmed (rule 47)"
    )


SEEN_AT = "when our log had it, where that was more than a second after `at`; of an import, when it was done"


class TicketOpened(TicketFact):
    """The first fact of every ticket: number, classification with its trace, assignment, first message and clocks."""

    event_type: ClassVar[str] = "firebreak.ticket.opened.v1"

    routing: Routing
    message: MessageEntry
    clocks: tuple[ClockState, ...] = ()
    no_clock_reason: str = Field(default="", description="why there is no clock (rule 35)")
    previous_ticket_id: UUID | None = None
    seen_at: Instant | None = Field(default=None, description=SEEN_AT)


class MessageAdded(TicketFact):
    """A customer's message, an agent's reply or a private note."""

    event_type: ClassVar[str] = "firebreak.ticket.message-added.v1"

    message: MessageEntry
    seen_at: Instant | None = Field(default=None, description=SEEN_AT)


class MessageRevised(TicketFact):
    """What became of a message (`message.kind`): edited, deleted, a file fetched, ours undelivered; no clock moves."""

    event_type: ClassVar[str] = "firebreak.ticket.message-revised.v1"

    message: MessageEntry


class StatusChanged(TicketFact):
    """`ticket.status` holds the new status."""

    event_type: ClassVar[str] = "firebreak.ticket.status-changed.v1"

    previous: Status


class PriorityChanged(TicketFact):
    """`ticket.priority` holds the new priority."""

    event_type: ClassVar[str] = "firebreak.ticket.priority-changed.v1"

    previous: Priority | None = None


class TicketAssigned(TicketFact):
    """`ticket.team` and `ticket.assignee` hold the new holder."""

    event_type: ClassVar[str] = "firebreak.ticket.assigned.v1"

    previous_team: Name
    previous_assignee: str | None = None


class SuccessorNamed(TicketFact):
    """A closed ticket got a follow-up: whatever still arrives for it goes there."""

    event_type: ClassVar[str] = "firebreak.ticket.successor-named.v1"

    successor_id: UUID


class ClockFact(TicketFact):
    """A transition of one clock; `clock` is its state afterwards, `cause` the id of the event behind it (rule 46)."""

    clock: ClockState
    cause: str


class ClockStarted(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.clock-started.v1"


class ClockPaused(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.clock-paused.v1"


class ClockResumed(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.clock-resumed.v1"


class ClockRetargeted(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.clock-retargeted.v1"


class ClockRecalculated(ClockFact):
    """The calendar was edited: the due time is another, the target the same (rule 34)."""

    event_type: ClassVar[str] = "firebreak.ticket.clock-recalculated.v1"


class ClockWarned(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.clock-warned.v1"


class ClockBreached(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.clock-breached.v1"


class BreachWithdrawn(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.breach-withdrawn.v1"


class ClockMet(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.clock-met.v1"


class ClockStopped(ClockFact):
    """What a breached clock waited for has happened, too late: it stays breached and stops counting."""

    event_type: ClassVar[str] = "firebreak.ticket.clock-stopped.v1"


class ClockCancelled(ClockFact):
    event_type: ClassVar[str] = "firebreak.ticket.clock-cancelled.v1"

    reason: str = ""


CORE_FACTS = (
    TicketOpened,
    MessageAdded,
    MessageRevised,
    StatusChanged,
    PriorityChanged,
    TicketAssigned,
    SuccessorNamed,
    ClockStarted,
    ClockPaused,
    ClockResumed,
    ClockRetargeted,
    ClockRecalculated,
    ClockWarned,
    ClockBreached,
    BreachWithdrawn,
    ClockMet,
    ClockStopped,
    ClockCancelled,
)
