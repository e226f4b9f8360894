"""A ticket that an agent opens: for somebody who has called, or to write to a customer first (rules 7 and 8)."""

from hashlib import sha256
from typing import ClassVar
from uuid import UUID, uuid5

from pydantic import Field

from ticket_contracts.commands import Actor, Command, command_fingerprint
from ticket_contracts.contract import FieldValue, Name, Words, canonical
from ticket_contracts.messages import CallRecord, Party
from ticket_contracts.vocabulary import Channel, Priority


class OpenTicket(Command):
    """Open a ticket with the agent's own first entry: a public message, or a private note, perhaps of a call.

    `contact_id` and `contact` are whom it is about, as they were known when it was asked. `asked` stands for what the
    caller wrote.
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
    asked: str = Field(
        default="",
        max_length=64,
        description="SHA-256 of what the caller wrote, in hex: the same for a retry, though the contact changed since",
    )

    def fingerprint(self) -> bytes:
        """The same for a retry, whatever became of the contact meanwhile: what was asked tells.

        Without `asked`, of a sender that does not say it, all but the contact's id tells.
        """
        if self.asked:
            return asked_fingerprint(self.ticket_id, self.actor, self.asked)
        return command_fingerprint(self, {"not_after", "contact_id"})


def asked_fingerprint(ticket_id: UUID, actor: Actor, asked: str) -> bytes:
    """Return the fingerprint of the OpenTicket that `asked` stands for; nobody has to know the contact for it."""
    parts = (OpenTicket.event_type.encode(), str(ticket_id).encode(), canonical(actor), asked.encode())
    return sha256(b"\n".join(parts)).digest()


def opened_ticket_id(command_id: UUID) -> UUID:
    """Return the id of the ticket that an OpenTicket opens: derived, so that its repetition finds the same ticket."""
    return uuid5(command_id, "opened")


OPENING_COMMANDS = (OpenTicket,)
