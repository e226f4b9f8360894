"""The request that opens a ticket: whom it is about, the agent's first words, and where it goes."""

from hashlib import sha256
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from crm_api.action_requests import Names, Value
from crm_api.requests import CommandEnvelope, Label, Moment, Request, Text
from ticket_contracts import openings
from ticket_contracts.contract import canonical
from ticket_contracts.messages import Party
from ticket_contracts.openings import OpenTicket
from ticket_contracts.vocabulary import Channel, IdentityKind, Priority

Address = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$")]
Number = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{4,14}$")]
"""E.164, as the telephone channels write numbers: another spelling would be another person."""


class Whom(Request):
    """The customer: a contact by its id, or by an e-mail address or a telephone number in E.164."""

    contact_id: UUID | None = None
    email: Address | None = None
    phone: Number | None = None
    name: Label | None = Field(default=None, description="how they are called, beside an address or a number")

    @model_validator(mode="after")
    def _one_of_three(self) -> "Whom":
        if sum(each is not None for each in (self.contact_id, self.email, self.phone)) != 1:
            raise ValueError("one of contact_id, email and phone, and no more than one")
        if self.contact_id is not None and self.name is not None:
            raise ValueError("no name beside contact_id: the contact has its own")
        return self

    @property
    def identity(self) -> tuple[IdentityKind, str] | None:
        """What the person is known by, None when it is an id. Mail addresses are compared without case."""
        if self.email is not None:
            return IdentityKind.EMAIL, self.email.lower()
        return None if self.phone is None else (IdentityKind.PHONE, self.phone)


class NotedCall(Request):
    """The telephone call that a note is about. A missed inbound call is a customer's message of its time (rule 8)."""

    direction: Literal["inbound", "outbound"]
    answered: bool
    started_at: Moment
    seconds: Annotated[int, Field(ge=0, le=7 * 24 * 3600)] = 0

    def noted(self) -> openings.NotedCall:
        """Return it as commands carry it."""
        return openings.NotedCall(**dict(self))


class AgentsWords(Request):
    """What an agent opens a ticket with."""

    text: Text = Field(description="the first entry of the conversation")
    public: bool = Field(description="true: a message to the customer; false: a note that customers never see")
    call: NotedCall | None = None

    @model_validator(mode="after")
    def _calls_are_noted_in_private(self) -> Self:
        if self.public and self.call is not None:
            raise ValueError("a call is noted in private: public is false beside call")
        return self


class NewTicket(AgentsWords):
    """Open a ticket. Its first clocks start with the customer's first message, or with a missed call that is noted."""

    brand: Label
    channel: Channel
    contact: Whom
    subject: Annotated[Text, Field(max_length=1000)]
    team: Label
    assignee: Label | None = None
    priority: Priority | None = Field(default=None, description="without one no clock starts")
    tags: Names = ()
    fields: Annotated[dict[Label, Value], Field(max_length=50)] = Field(default_factory=dict)

    def digest(self) -> str:
        """Return the SHA-256 of the request, in hex: what a caller that repeats it writes again, to any version."""
        return sha256(canonical(self)).hexdigest()

    def command(self, envelope: CommandEnvelope, command_id: UUID, contact_id: UUID, contact: Party) -> OpenTicket:
        """Return the command; `contact` is whom `contact_id` names."""
        return OpenTicket(
            **envelope.fields(),
            brand=self.brand,
            channel=self.channel,
            contact_id=contact_id,
            contact=contact,
            subject=self.subject,
            text=self.text,
            public=self.public,
            call=self.call and self.call.noted().record(str(command_id), contact),
            team=self.team,
            assignee=self.assignee,
            priority=self.priority,
            tags=self.tags,
            fields=self.fields,
            asked=self.digest(),
        )
