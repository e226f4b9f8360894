"""A ticket that an agent opens: for somebody who has called, or to write to a customer first (rules 7 and 8)."""

from hashlib import sha256
from typing import ClassVar, Literal
from uuid import UUID, uuid5

from pydantic import Field

from ticket_contracts.commands import Actor, Command, command_fingerprint
from ticket_contracts.contract import Contract, FieldValue, Instant, Name, Words, canonical
from ticket_contracts.messages import CallRecord, Party
from ticket_contracts.vocabulary import Channel, IdentityKind, Priority


class NotedCall(Contract):
    """A telephone call as the agent tells who notes it. A missed inbound one is a customer's message (rule 8)."""

    direction: Literal["inbound", "outbound"]
    answered: bool
    started_at: Instant
    seconds: int = Field(default=0, ge=0, description="talking time")

    def record(self, call_id: str, contact: Party) -> CallRecord:
        """Return the call as channels record theirs; of our own number nobody has told."""
        number = contact.value if contact.kind is IdentityKind.PHONE else ""
        return CallRecord(
            call_id=call_id,
            direction=self.direction,
            answered=self.answered,
            caller=number if self.direction == "inbound" else "",
            callee=number if self.direction == "outbound" else "",
            started_at=self.started_at,
            seconds=self.seconds,
        )


class OpenTicket(Command):
    """Open a ticket with the agent's own first entry: a public message, or a private note, perhaps of a call.

    `contact_id` and `contact` are whom it is about, as they were known when it was asked. `asked` stands for what the
    caller wrote. A closed ticket sends it, too, to its follow-up, with its own tags and fields, however many.
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
    tags: tuple[Name, ...] = ()
    fields: dict[Name, FieldValue] = Field(default_factory=dict)
    asked: str = Field(
        default="",
        max_length=64,
        description="SHA-256 of what the caller wrote, in hex: the same for a retry, though the contact changed since",
    )
    previous_ticket_id: UUID | None = Field(default=None, description="the closed ticket that this one follows up")

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
