"""Escalation steps that have run (rule 45), and the people whom the engine tells."""

from typing import ClassVar

from pydantic import Field

from ticket_contracts.contract import Contract, Name
from ticket_contracts.tickets import ClockFact
from ticket_contracts.vocabulary import Priority

MOST_ADDRESSEES = 100
"""Told by one event. A larger group has an address of its own; with thousands the event would not fit (256 KiB)."""


class Bilingual(Contract):
    """The same for a person, in both languages."""

    en: str
    zh: str


class Addressee(Contract):
    """Somebody to tell, as the configuration knew them at that time. One person with several roles stands once."""

    name: Name | None = Field(default=None, description="the agent's name in the configuration; None: no agent")
    display_name: str = ""
    email: str | None = Field(default=None, description="None: the configuration does not know this agent any more")
    roles: tuple[str, ...] = Field(
        default=(), description="why: `assignee`, `team-lead`, `watcher`, `agent` or `group:<name>`"
    )


class TicketEscalated(ClockFact):
    """An escalation step of the clock's policy has run, once for this clock; `actor` names it.

    What it changed follows as facts of their own, by the same actor. An imported one is of another system's past:
    its time had come there, so nobody is told and nothing is changed (rule 47).
    """

    event_type: ClassVar[str] = "firebreak.ticket.escalated.v1"

    step: Name
    recipients: tuple[Addressee, ...] = Field(default=(), description=f"at most {MOST_ADDRESSEES}")
    team: Name | None = Field(default=None, description="the ticket went to this team")
    assignee: str | None = Field(default=None, description="the ticket was given to this agent")
    priority: Priority | None = Field(default=None, description="the priority was raised to this")
    not_done: tuple[str, ...] = Field(
        default=(), description="names that the step knows and the configuration does not any more, as `team/<name>`"
    )


ESCALATION_FACTS = (TicketEscalated,)
