"""What the API answers: closed models, so that nothing leaves the tables by accident (OWASP API3:2023)."""

from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ticket_contracts.commands import Actor
from ticket_contracts.contract import FieldValue
from ticket_contracts.messages import CallRecord, Party, RemoteFile, StoredObject
from ticket_contracts.vocabulary import (
    Automation,
    Channel,
    Danger,
    DeliveryState,
    FileState,
    Grade,
    LinkKind,
    MessageKind,
    Priority,
    Scan,
    Status,
)


class Response(BaseModel):
    """Base of all answers; a field that is not declared cannot be sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TicketLink(Response):
    """What another ticket is to this one."""

    other_id: UUID
    kind: LinkKind


class TicketView(Response):
    """One ticket's present state. `version` is also its ETag."""

    ticket_id: UUID
    number: int
    version: int
    brand: str
    channel: Channel
    subject: str
    contact_id: UUID
    contact_name: str = Field(description="empty when the channel told none")
    status: Status
    priority: Priority | None
    team: str
    assignee: str | None
    tags: list[str]
    opened_at: AwareDatetime
    updated_at: AwareDatetime
    first_response_due_at: AwareDatetime | None
    next_due_at: AwareDatetime | None = Field(description="the earliest due time of the open clocks")
    successor_id: UUID | None = Field(description="the follow-up that took over when this ticket was closed")
    status_name: str | None = Field(description="the organisation's own name of the status")
    impact: Grade | None
    urgency: Grade | None
    fields: dict[str, FieldValue] = Field(description="custom fields that are set")
    watchers: list[str]
    snoozed_until: AwareDatetime | None
    resolution_code: str | None
    cause: str | None
    spam: bool
    merged_into: UUID | None = Field(description="the ticket that this one is part of")
    merging_into: UUID | None = Field(description="the ticket that was asked to take this one in, until it answers")
    links: list[TicketLink]


class TicketPage(Response):
    """Tickets, the newest first; `next_cursor` is null on the last page."""

    items: list[TicketView]
    next_cursor: str | None


class Relation(StrEnum):
    """What the other ticket is to this one: a link that somebody made, or what became of merges, splits and ends."""

    DUPLICATE_OF = LinkKind.DUPLICATE_OF
    DUPLICATED_BY = LinkKind.DUPLICATED_BY
    RELATED = LinkKind.RELATED
    PROBLEM = LinkKind.PROBLEM
    INCIDENT = LinkKind.INCIDENT
    MERGED_INTO = "merged-into"  # this ticket is part of the other one
    MERGED_FROM = "merged-from"  # the other one is part of this ticket
    SPLIT_INTO = "split-into"  # messages of this ticket have moved there
    SPLIT_FROM = "split-from"
    FOLLOWED_BY = "followed-by"  # this ticket is closed; what comes for it goes there
    FOLLOWS = "follows"


class LinkedTicket(Response):
    """Another ticket, and what it is to this one."""

    other_id: UUID
    relation: Relation
    number: int
    brand: str
    subject: str
    status: Status
    priority: Priority | None
    team: str
    assignee: str | None
    opened_at: AwareDatetime
    updated_at: AwareDatetime


class LinkList(Response):
    """All tickets that one knows of, the oldest first."""

    items: list[LinkedTicket]


class TimelineEntry(Response):
    """One fact of the ticket's history, as it was published."""

    version: int
    event_id: str
    type: str
    at: AwareDatetime = Field(description="event time: what the SLA counts")
    recorded_at: AwareDatetime
    actor: Actor
    causation_id: str = Field(description="the event that caused this one")
    data: dict[str, Any]


class TimelinePage(Response):
    """Facts in order of version. A page of long ones ends before `limit`."""

    items: list[TimelineEntry]
    next_cursor: str | None


class AttachmentView(Response):
    """A file that came inside a message. `content` says where it is stored, and only of one that may be opened."""

    name: str
    size: int = Field(description="bytes")
    media_type: str
    inline_id: str | None = Field(description="Content-ID when the text shows it in place")
    danger: Danger | None = Field(description="why opening it may do harm")
    state: FileState = Field(description="`pending` and `failed`: not scanned; `infected`: see `reason`")
    reason: str = Field(description="why it was not scanned, or what the scanner found")
    scan: Scan | None = Field(description="absent where no scanner was configured")
    content: StoredObject | None


class DeliveryView(Response):
    """What the channel told of an answer on its way to the customer. `failed`: and neither delivered nor read."""

    state: DeliveryState
    delivered_at: AwareDatetime | None
    read_at: AwareDatetime | None
    failed_at: AwareDatetime | None
    reason: str = Field(description="why it failed: the channel's code and words")


class MessageView(Response):
    """One entry of the conversation. A private note has `public` false."""

    message_id: UUID
    version: int
    kind: MessageKind = Field(
        description="`edited`, `deleted`, `attachment` and `status` tell of another message, see `provider_id`"
    )
    provider_id: str = Field(
        description="the channel's own id of the message; of an answer, when whoever sent it told the id"
    )
    author: Actor
    public: bool
    at: AwareDatetime
    text: str
    quoted_text: str = Field(
        description="what stands below the text: a signature, and what only repeats earlier messages"
    )
    channel: Channel | None
    sender: Party | None
    subject: str
    automation: Automation
    text_object: StoredObject | None
    html: StoredObject | None
    raw: StoredObject | None = Field(description="the mail as it came; only while all of `attachments` are `stored`")
    attachments: list[AttachmentView]
    files: list[RemoteFile] = Field(
        description="files that the provider kept, each in its newest state: pending, stored, failed or infected"
    )
    call: CallRecord | None
    reading_problems: list[str]
    delivery: DeliveryView | None = Field(
        description="of an answer, once the channel told of its `provider_id`; of the kind `status`, what it tells"
    )


class MessagePage(Response):
    """The conversation, the oldest first. A page of long entries ends before `limit`."""

    items: list[MessageView]
    next_cursor: str | None


class CommandView(Response):
    """What became of a command. `pending`: not decided yet; ask again at `url`."""

    command_id: UUID
    ticket_id: UUID
    outcome: Literal["applied", "no-op", "pending"]
    reason: str
    version: int | None = Field(description="of the ticket afterwards")
    url: str


class DecidedCommand(Response):
    """A recorded outcome, whatever it was; kept for 7 days."""

    command_id: UUID
    ticket_id: UUID
    outcome: Literal["applied", "no-op", "rejected", "conflict", "expired", "failed"]
    reason: str
    version: int | None
    decided_at: AwareDatetime
