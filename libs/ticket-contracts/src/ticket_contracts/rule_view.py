"""What the condition of an automation rule sees as `ticket`; docs/automation.md lists it for the authors."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ticket_contracts.tickets import TicketSummary
from ticket_contracts.vocabulary import Metric

Seen = TypeVar("Seen")


class SeenTicket(Protocol):
    """A ticket as far as conditions look at it: the engine's, or one that was read for a plan."""

    @property
    def summary(self) -> TicketSummary: ...
    @property
    def answered_at(self) -> datetime | None: ...
    @property
    def unanswered_since(self) -> datetime | None: ...
    @property
    def breached(self) -> Sequence[Metric]: ...


TICKET_FIELDS: Mapping[str, Callable[[SeenTicket], Any]] = {
    "number": lambda ticket: ticket.summary.number,
    "brand": lambda ticket: ticket.summary.brand,
    "channel": lambda ticket: ticket.summary.channel,
    "subject": lambda ticket: ticket.summary.subject,
    "status": lambda ticket: ticket.summary.status,
    "status_name": lambda ticket: ticket.summary.status_name,
    "priority": lambda ticket: ticket.summary.priority,
    "impact": lambda ticket: ticket.summary.impact,
    "urgency": lambda ticket: ticket.summary.urgency,
    "team": lambda ticket: ticket.summary.team,
    "assignee": lambda ticket: ticket.summary.assignee,
    "tags": lambda ticket: list(ticket.summary.tags),
    "fields": lambda ticket: dict(ticket.summary.fields),
    "watchers": lambda ticket: list(ticket.summary.watchers),
    "contact": lambda ticket: ticket.summary.contact.model_dump(include={"kind", "value", "name"}),
    "resolution_code": lambda ticket: ticket.summary.resolution_code,
    "cause": lambda ticket: ticket.summary.cause,
    "spam": lambda ticket: ticket.summary.spam,
    "snoozed": lambda ticket: ticket.summary.snoozed_until is not None,
    "opened_at": lambda ticket: ticket.summary.opened_at,
    "answered": lambda ticket: ticket.answered_at is not None,
    "unanswered": lambda ticket: ticket.unanswered_since is not None,
    "breached": lambda ticket: list(ticket.breached),
}


def named_fields(
    variable: str, source: str, fields: Mapping[str, Callable[[Seen], Any]]
) -> dict[str, Callable[[Seen], Any]]:
    """Return the fields that the expressions name; all, when one looks at the variable as a whole."""
    members = set(re.findall(rf"\b{variable}\s*\.\s*([a-z_]+)", source))
    whole = re.search(rf"\b{variable}\b(?!\s*\.)", source) is not None
    return {name: read for name, read in fields.items() if whole or name in members}
