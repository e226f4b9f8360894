"""A ticket that an agent opens: for somebody who has called, or to write to a customer first (rules 7 and 8)."""

from hashlib import sha256
from typing import ClassVar
from uuid import UUID, uuid5

from pydantic import Field

from ticket_contracts.commands import Command
from ticket_contracts.contract import FieldValue, Name, Words
from ticket_contracts.messages import CallRecord, Party
from ticket_contracts.vocabulary import Channel, Priority


class OpenTicket(Command):
    """Open a ticket with the agent's own first entry: a public message, or a private note, perhaps of a call.

    `contact` is whom it is about, as the agent named them; `contact_id` what stood for that name when it was asked.
    """

    event_type: ClassVar[str] = "firebreak.command.open-ticket.v1"

    brand: Name
    channel: Channel
    contact_id: UUID
    contact: Party
    subject: str = Field(default="", max_length=1000)
    text: Words = Field(min_length=1)
    public: bool = Field(description="a message to the customer; false: a note that customers never see")
    call: CallRecord | None = Field(default=None, description="the call that the note is about")
    team: Name
    assignee: str | None = None
    priority: Priority | None = None
    tags: tuple[Name, ...] = Field(default=(), max_length=50)
    fields: dict[Name, FieldValue] = Field(default_factory=dict, max_length=50)

    def fingerprint(self) -> bytes:
        """The same for a retry that finds the contact made known meanwhile: the name that was asked for tells."""
        content = self.model_dump_json(exclude={"not_after", "contact_id"}, exclude_none=True)
        return sha256(f"{self.event_type}\n{content}".encode()).digest()


def opened_ticket_id(command_id: UUID) -> UUID:
    """Return the id of the ticket that an OpenTicket opens: derived, so that its repetition finds the same ticket."""
    return uuid5(command_id, "opened")


OPENING_COMMANDS = (OpenTicket,)
