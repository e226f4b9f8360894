"""Alerts on `support.alerts.v1`: what a team lead must know now.

There is one alert for each ticket and decision, whatever many clocks it reached (rule 29): `alarms` lists all, the
type of the alert tells the gravest.
"""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ticket_contracts.automation import RuleOutcome
from ticket_contracts.contract import Contract, Instant, Name, Payload, event_types
from ticket_contracts.escalations import Addressee, Bilingual
from ticket_contracts.tickets import ClockState, TicketSummary
from ticket_contracts.vocabulary import Metric, Priority


class AlarmKind(StrEnum):
    """Ordered from the gravest."""

    BREACH = "breach"
    WARNING = "warning"
    ESCALATION = "escalation"
    BREACH_WITHDRAWN = "breach-withdrawn"


class Alarm(Contract):
    """What became of one clock, or a step that it called for; `version` is that of the fact on `support.tickets.v1`."""

    kind: AlarmKind
    version: int
    at: Instant
    metric: Metric
    cycle: int
    policy: Name
    policy_version: int
    percent: int | None = Field(default=None, description="of a warning")
    due_at: Instant | None = None
    left_seconds: int | None = Field(default=None, description="business time left at `at`")
    late_seconds: int | None = Field(default=None, description="business time late at `at`, pauses left out")
    step: Name | None = Field(default=None, description="of an escalation; its policy is `policy`")
    team: Name | None = Field(default=None, description="the step gave the ticket to this team")
    assignee: str | None = Field(default=None, description="the step gave the ticket to this agent")
    priority: Priority | None = Field(default=None, description="the step raised the priority to this")
    cause: str = Field(description="id of the event behind it, or `timer:<ticket>:<time>` where only time passed")
    words: Bilingual


class SlaAlert(Payload):
    """What all SLA alerts carry, of the gravest alarm.

    `at` is when it was due by event time, so a reader can measure lateness; `ticket` the state after everything in
    `alarms`. The requester is `ticket.contact`.
    """

    ticket_id: UUID
    version: int
    at: Instant
    ticket: TicketSummary
    clock: ClockState
    alarms: tuple[Alarm, ...] = Field(default=(), description="all that this alert tells, in the order of time")
    recipients: tuple[Addressee, ...] = Field(
        default=(),
        description="of a warning or breach the assignee and the leads of the team; whom its steps name",
    )
    team_name: str = Field(default="", description="the team's display name")
    assignee_name: str = Field(default="", description="the assignee's display name")
    requester_name: str = Field(default="", description="the customer's name, or address where no name is known")
    left_seconds: int | None = Field(default=None, description="business time left at `at`")
    late_seconds: int | None = Field(default=None, description="business time late at `at`, pauses left out")
    cause: str = Field(default="", description="id of the event behind it, or `timer:<ticket>:<time>`")
    words: Bilingual | None = Field(default=None, description="all of it for a person")


class SlaWarning(SlaAlert):
    """A share of a clock's target has been used (rule 42)."""

    event_type: ClassVar[str] = "firebreak.alert.sla-warning.v1"

    percent: int


class SlaBreached(SlaAlert):
    """A clock passed its due time."""

    event_type: ClassVar[str] = "firebreak.alert.sla-breached.v1"


class SlaEscalated(SlaAlert):
    """Nothing but escalation steps, all in `alarms` (rule 45); one due with a warning or breach comes with that."""

    event_type: ClassVar[str] = "firebreak.alert.sla-escalated.v1"


class SlaBreachWithdrawn(SlaAlert):
    """A stop dated before the due time arrived after the breach was recorded (rule 9)."""

    event_type: ClassVar[str] = "firebreak.alert.sla-breach-withdrawn.v1"


class RuleNotice(Payload):
    """An automation rule tells people of a ticket; `at` is when it ran.

    Or it tells of itself: with the outcome `stopped` it ran too often on this ticket, and `words` say what to do.
    """

    event_type: ClassVar[str] = "firebreak.alert.rule-notice.v1"

    ticket_id: UUID
    version: int
    at: Instant
    ticket: TicketSummary
    rule: Name
    recipients: tuple[Addressee, ...]
    outcome: RuleOutcome = "ran"
    reason: str = Field(default="", description="why it was stopped: how often it ran, in what time")
    words: Bilingual | None = Field(default=None, description="of a rule that was stopped, for a person")


ALERT_EVENTS = event_types(SlaWarning, SlaBreached, SlaEscalated, SlaBreachWithdrawn, RuleNotice)
