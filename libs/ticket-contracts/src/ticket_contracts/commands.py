"""Commands on `support.commands.v1`: what somebody asks of one ticket. The event id is the command id."""

from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from ticket_contracts.contract import Contract, Instant, Name, Payload, Words, canonical
from ticket_contracts.messages import MessageReceived
from ticket_contracts.vocabulary import ActorKind, Priority, Status


class Actor(Contract):
    """Who caused something; `id` is a contact id, an agent name or a machine's name such as `router`."""

    kind: ActorKind
    id: Name
    name: str = ""


class RuleTrace(Contract):
    """One routing rule that matched, and what it set."""

    rule: Name
    effect: str


class Routing(Contract):
    """Where the router puts a ticket, and why; kept with the ticket."""

    team: Name
    assignee: str | None = None
    priority: Priority | None = None
    tags: tuple[str, ...] = ()
    spam: bool = Field(default=False, description="recorded, but it starts no clock (rule 27)")
    trace: tuple[RuleTrace, ...] = ()
    reason: str = Field(default="", description="why it went to triage, when it did")


class Command(Payload):
    """What all commands carry. `expected_version` is the caller's `If-Match`; `not_after` the end of its patience."""

    ticket_id: UUID
    actor: Actor
    not_after: Instant | None = None
    expected_version: int | None = Field(default=None, ge=1)

    def fingerprint(self) -> bytes:
        """Return the 32 bytes that are the same for a caller's retry: all of the command but its patience.

        Stored with the outcome, so that one `Idempotency-Key` with two different bodies is found out. Service and
        engine work it out each by itself, perhaps in different versions.
        """
        return command_fingerprint(self, {"not_after"})


def command_fingerprint(command: Command, leave_out: AbstractSet[str]) -> bytes:
    """Return the SHA-256 of a command's type and content without these fields: the same in every version."""
    return sha256(command.event_type.encode() + b"\n" + canonical(command, leave_out)).digest()


class ReceiveMessage(Command):
    """Everything it takes to open the ticket or to add to it; the first to arrive opens."""

    event_type: ClassVar[str] = "firebreak.command.receive-message.v1"

    message: MessageReceived
    contact_id: UUID
    contact_name: str = ""
    routing: Routing
    previous_ticket_id: UUID | None = Field(default=None, description="the closed ticket this one follows up")
    hops: int = Field(default=0, ge=0, description="how often the engine forwarded it from ticket to ticket")


class SetStatus(Command):
    """Ask for another status: by category, or by one of the organisation's own names of it.

    `resolution_code` and `cause` go with `solved` and come from the taxonomy.
    """

    event_type: ClassVar[str] = "firebreak.command.set-status.v1"

    status: Status
    status_name: Name | None = None
    resolution_code: Name | None = None
    cause: Name | None = None


class SetPriority(Command):
    """Ask for another priority."""

    event_type: ClassVar[str] = "firebreak.command.set-priority.v1"

    priority: Priority


class Assign(Command):
    """Ask for another team or assignee; an assignee of None puts the ticket back into the team's queue."""

    event_type: ClassVar[str] = "firebreak.command.assign.v1"

    team: Name | None = Field(default=None, description="None keeps the team")
    assignee: str | None = None


class AddNote(Command):
    """A private note; customers never see it."""

    event_type: ClassVar[str] = "firebreak.command.add-note.v1"

    text: Words = Field(min_length=1)


class Reply(Command):
    """A public answer of an agent, recorded; whoever sends it knows how the channel calls it."""

    event_type: ClassVar[str] = "firebreak.command.reply.v1"

    text: Words = Field(min_length=1)
    author: Literal["agent", "machine"] = "agent"
    provider_id: str = Field(
        default="", max_length=1000, description="the id that the channel gave it: what its receipts refer to"
    )


CORE_COMMANDS = (ReceiveMessage, SetStatus, SetPriority, Assign, AddNote, Reply)
