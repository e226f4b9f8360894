"""Commands that keep tickets true to what changed around them, and those that bring in the past."""

from typing import Annotated, ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field

from ticket_contracts.commands import Command
from ticket_contracts.contract import Contract, Instant, Name, Words
from ticket_contracts.messages import Party
from ticket_contracts.tickets import TicketFact
from ticket_contracts.vocabulary import Channel, Priority, Status

_IMPORTS = uuid5(NAMESPACE_URL, "firebreak:imports")


class Reevaluate(Command):
    """Match the ticket with the policies of today (rule 32): explicit, logged, over a set that somebody stated."""

    event_type: ClassVar[str] = "firebreak.command.reevaluate.v1"

    run_id: Name = Field(description="the request that named the set; the timeline shows it")


class Recalculate(Command):
    """A calendar was edited: work out the due times of running clocks anew (rule 34)."""

    event_type: ClassVar[str] = "firebreak.command.recalculate.v1"

    run_id: Name
    calendars: tuple[Name, ...] = Field(min_length=1)


class HistoricMessage(Contract):
    """What somebody wrote or said in the past. An `agent` of None means the customer."""

    agent: Name | None = None
    public: bool = True
    text: Words = ""
    provider_id: str = ""


class HistoricStep(Contract):
    """What happened to an imported ticket at one time; None leaves a thing as it was."""

    at: Instant
    actor: Name = Field(description="the agent or machine who did it")
    status: Status | None = None
    priority: Priority | None = None
    team: Name | None = None
    assignee: Name | None = None
    message: HistoricMessage | None = None


class ImportTicket(Command):
    """A whole ticket of the past with its original times: no alert, no automation (rule 47).

    Steps stand in the order of their times; the first customer's message is the opening itself, at `opened_at`.
    """

    event_type: ClassVar[str] = "firebreak.command.import-ticket.v1"

    origin: Name = Field(description="the system it comes from")
    external_id: Name
    brand: Name
    channel: Channel
    contact_id: UUID
    contact: Party
    subject: str = Field(default="", max_length=1000)
    text: Words = ""
    team: Name
    assignee: str | None = None
    priority: Priority | None = None
    tags: tuple[Name, ...] = ()
    opened_at: Instant
    steps: Annotated[tuple[HistoricStep, ...], Field(max_length=1000)] = ()


def imported_ticket_id(origin: str, external_id: str) -> UUID:
    """Return the id of another system's ticket here: derived, so that importing it again finds it."""
    return uuid5(_IMPORTS, f"{origin}\n{external_id}")


class TicketReevaluated(TicketFact):
    """The ticket was matched with the policies of today; what that changed are facts of their own."""

    event_type: ClassVar[str] = "firebreak.ticket.reevaluated.v1"

    run_id: str
    policy: str | None = None
    policy_version: int | None = None


UPKEEP_COMMANDS = (Reevaluate, Recalculate, ImportTicket)

UPKEEP_FACTS = (TicketReevaluated,)
