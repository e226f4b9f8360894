"""What tickets ask of each other: links, merges, splits and follow-ups, as exchanges of commands (architecture §4).

Every ticket has one partition and one order, two tickets have none together. So a merge is a conversation: the source
asks, the target absorbs or refuses, the source closes. Each step is a recorded state, so that a step delivered twice
changes nothing and a step that never comes leaves a ticket that says what it waits for.
"""

from typing import ClassVar
from uuid import UUID, uuid5

from pydantic import Field

from ticket_contracts.commands import Command, Routing
from ticket_contracts.contract import Contract, Instant, Name
from ticket_contracts.messages import Party
from ticket_contracts.openings import NotedCall
from ticket_contracts.tickets import MessageEntry, TicketFact
from ticket_contracts.vocabulary import Channel, LinkKind, Priority

MOST_RELATED = 1_000
"""Links of a ticket; and other tickets that are part of it; and messages that moved out of it. All stand in its state,
which is written with each of its facts. A problem of more tickets is counted by a tag or a field."""

MOST_FOLLOW_UP_TEXT = 40_000
"""Characters. With all that a closed ticket hands on (its summary, whose tags stand in the opening twice) they fit an
event in any script; a reply that carries nothing along may be longer."""


class LinkTickets(Command):
    """Link another ticket; the engine asks the other one for the reverse (`mirrored`), which has no room or agrees."""

    event_type: ClassVar[str] = "firebreak.command.link-tickets.v1"

    other_id: UUID
    kind: LinkKind
    mirrored: bool = False
    since: Instant | None = Field(default=None, description="of a mirrored one: when the link was asked for")


class UnlinkTickets(Command):
    """Remove a link on both sides. Also how a ticket answers that has no room for a link it was asked for."""

    event_type: ClassVar[str] = "firebreak.command.unlink-tickets.v1"

    other_id: UUID
    kind: LinkKind
    mirrored: bool = False
    until: Instant | None = Field(default=None, description="of a mirrored one: links that were asked for later stay")
    reason: str = Field(default="", description="of a mirrored one: why the other ticket does not have the link")


class Merge(Command):
    """To the source: become part of another ticket (rule 25)."""

    event_type: ClassVar[str] = "firebreak.command.merge.v1"

    target_id: UUID


class AbsorbMerged(Command):
    """To the target, from the source that is `merging`: take me in. `chain` are tickets it has taken in itself.

    A target that was merged on sends it along with one more hop; one that is merging into the source decides by id.
    """

    event_type: ClassVar[str] = "firebreak.command.absorb-merged.v1"

    source_id: UUID
    merge_id: str = Field(max_length=200, description="the id of the Merge command: one undo belongs to one merge")
    number: int
    subject: str = ""
    hops: int = Field(default=0, ge=0)


class FinishMerge(Command):
    """To the source, from the target: `target_id` took it in, or None: `reason` tells why not, and it stays open."""

    event_type: ClassVar[str] = "firebreak.command.finish-merge.v1"

    merge_id: str = Field(max_length=200)
    target_id: UUID | None = None
    reason: str = ""


class UndoMerge(Command):
    """To the source, within a day: stand alone again."""

    event_type: ClassVar[str] = "firebreak.command.undo-merge.v1"


class ReleaseMerged(Command):
    """To the target, from the source whose merge was undone."""

    event_type: ClassVar[str] = "firebreak.command.release-merged.v1"

    source_id: UUID
    merge_id: str = Field(max_length=200)


class Split(Command):
    """Move messages of a ticket into a new one, whose id follows from this command's."""

    event_type: ClassVar[str] = "firebreak.command.split.v1"

    message_ids: tuple[UUID, ...] = Field(min_length=1, max_length=50)
    subject: str = Field(default="", max_length=1000)
    team: Name | None = None


class SplitOrigin(Contract):
    """Where a split ticket comes from: everything its opening needs."""

    source_id: UUID
    split_id: str = Field(max_length=200, description="the id of the Split command")
    brand: Name
    channel: Channel
    contact_id: UUID
    contact: Party
    priority: Priority | None = None


class OpenSplit(Command):
    """To the new ticket: open with these entries. Its clocks count from the oldest customer's message among them."""

    event_type: ClassVar[str] = "firebreak.command.open-split.v1"

    origin: SplitOrigin
    subject: str = ""
    entries: tuple[MessageEntry, ...] = Field(min_length=1)
    routing: Routing


class FollowUp(Command):
    """To a closed ticket: open its follow-up with an agent's words. A customer's message does so by itself (rule 23).

    What is not said is as the closed ticket has it, but for the assignee: without one it stands in the team's queue.
    """

    event_type: ClassVar[str] = "firebreak.command.follow-up.v1"

    text: str = Field(min_length=1, max_length=MOST_FOLLOW_UP_TEXT)
    public: bool = Field(description="a message to the customer; false: a note that customers never see")
    call: NotedCall | None = Field(default=None, description="the call that the note is about")
    subject: str = Field(default="", max_length=1000)
    team: Name | None = None
    assignee: Name | None = None
    priority: Priority | None = None


def follow_up_id(ticket_id: UUID) -> UUID:
    """Return the id of a closed ticket's follow-up: derived, so that whatever comes for it finds the same one."""
    return uuid5(ticket_id, "follow-up")


def asked_command_id(ticket_id: UUID, asking: str, event_type: str) -> UUID:
    """Return the id of the command to this ticket that the command `asking` to another one has led to."""
    return uuid5(ticket_id, f"{asking} {event_type}")


class LinkAdded(TicketFact):
    """`since` is when the link was asked for, on whichever side; None for the two sides of a split."""

    event_type: ClassVar[str] = "firebreak.ticket.link-added.v1"

    other_id: UUID
    kind: LinkKind
    since: Instant | None = None


class LinkRemoved(TicketFact):
    """`until` is when that was asked for, on whichever side; `reason` why the other ticket does not have the link."""

    event_type: ClassVar[str] = "firebreak.ticket.link-removed.v1"

    other_id: UUID
    kind: LinkKind
    until: Instant | None = None
    reason: str = ""


class MergeBegun(TicketFact):
    """The source waits for the target's answer."""

    event_type: ClassVar[str] = "firebreak.ticket.merge-begun.v1"

    target_id: UUID
    merge_id: str


class MergeRefused(TicketFact):
    """The source stays a ticket of its own."""

    event_type: ClassVar[str] = "firebreak.ticket.merge-refused.v1"

    merge_id: str
    reason: str


class TicketMerged(TicketFact):
    """The source is closed; `ticket.merged_into` holds the target, to which all that still arrives is forwarded."""

    event_type: ClassVar[str] = "firebreak.ticket.merged.v1"

    target_id: UUID
    merge_id: str


class TicketAbsorbed(TicketFact):
    """The target took another ticket in."""

    event_type: ClassVar[str] = "firebreak.ticket.absorbed.v1"

    source_id: UUID
    merge_id: str
    number: int


class MergeUndone(TicketFact):
    """The source stands alone again."""

    event_type: ClassVar[str] = "firebreak.ticket.merge-undone.v1"

    merge_id: str


class TicketReleased(TicketFact):
    """The target gave a ticket back."""

    event_type: ClassVar[str] = "firebreak.ticket.released.v1"

    source_id: UUID
    merge_id: str


class MessagesMoved(TicketFact):
    """Entries of this ticket now stand in another one; they stay readable here, marked as moved."""

    event_type: ClassVar[str] = "firebreak.ticket.messages-moved.v1"

    other_id: UUID
    message_ids: tuple[UUID, ...]


EXCHANGE_COMMANDS = (
    LinkTickets,
    UnlinkTickets,
    Merge,
    AbsorbMerged,
    FinishMerge,
    UndoMerge,
    ReleaseMerged,
    Split,
    OpenSplit,
    FollowUp,
)

EXCHANGE_FACTS = (
    LinkAdded,
    LinkRemoved,
    MergeBegun,
    MergeRefused,
    TicketMerged,
    TicketAbsorbed,
    MergeUndone,
    TicketReleased,
    MessagesMoved,
)
