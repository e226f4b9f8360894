"""Alerts on `support.alerts.v1`: what a team lead must know now."""

from typing import ClassVar
from uuid import UUID

from ticket_contracts.automation import Addressee
from ticket_contracts.contract import Instant, Name, Payload, event_types
from ticket_contracts.tickets import ClockState, TicketSummary


class SlaAlert(Payload):
    """What all SLA alerts carry; `at` is when it was due by event time, so a reader can measure lateness."""

    ticket_id: UUID
    version: int
    at: Instant
    ticket: TicketSummary
    clock: ClockState


class SlaWarning(SlaAlert):
    """A share of a clock's target has been used (rule 42)."""

    event_type: ClassVar[str] = "firebreak.alert.sla-warning.v1"

    percent: int


class SlaBreached(SlaAlert):
    """A clock passed its due time."""

    event_type: ClassVar[str] = "firebreak.alert.sla-breached.v1"


class SlaBreachWithdrawn(SlaAlert):
    """A stop dated before the due time arrived after the breach was recorded (rule 9)."""

    event_type: ClassVar[str] = "firebreak.alert.sla-breach-withdrawn.v1"


class RuleNotice(Payload):
    """An automation rule tells people of a ticket; `at` is when it ran."""

    event_type: ClassVar[str] = "firebreak.alert.rule-notice.v1"

    ticket_id: UUID
    version: int
    at: Instant
    ticket: TicketSummary
    rule: Name
    recipients: tuple[Addressee, ...]


ALERT_EVENTS = event_types(SlaWarning, SlaBreached, SlaBreachWithdrawn, RuleNotice)
