"""Message events on `support.messages.v1`: what a customer said, as the edge received it."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ticket_contracts.contract import Contract, Instant, Name, Payload, Words, event_types
from ticket_contracts.vocabulary import (
    AuthenticationResult,
    Automation,
    Channel,
    Danger,
    DeliveryState,
    FileState,
    IdentityKind,
    MessageKind,
    Scan,
)


class StoredObject(Contract):
    """A reference into object storage. `key` is `sha256/<hex>`: the content names itself, so a repeat is one object."""

    key: Name
    size: int = Field(ge=0, description="bytes")
    media_type: str = "application/octet-stream"


class Attachment(Contract):
    """A file that came with a message. `name` is what the sender called it and never a path."""

    name: str = Field(max_length=255)
    content: StoredObject
    inline_id: str | None = Field(default=None, description="Content-ID when the text shows it in place")
    danger: Danger | None = Field(default=None, description="why opening it may do harm")
    state: FileState = Field(
        default=FileState.STORED,
        description="`pending`: wait for a message of kind `attachment` with its `attachment_key` before giving it out",
    )


class RemoteFile(Contract):
    """A file that the provider keeps. `locator` is its address or id there, of use only to who fetches it.

    A message of kind `attachment` brings the file's next state, with the same `number`. It also tells what a scanner
    said of files that came inside a message: those have an `attachment_key`.
    """

    number: int = Field(ge=0, description="its place among the files of its message")
    name: str = Field(max_length=255)
    locator: str = Field(default="", max_length=2000)
    media_type: str = Field(default="", max_length=200)
    size: int | None = Field(default=None, ge=0, description="bytes, as the provider says")
    state: FileState = FileState.PENDING
    reason: str = Field(default="", max_length=1000, description="why it failed, or what the scanner found")
    content: StoredObject | None = None
    danger: Danger | None = Field(default=None, description="why opening it may do harm")
    scan: Scan | None = Field(default=None, description="absent where no scanner is configured")
    attachment_key: str | None = Field(
        default=None, max_length=200, description="`content.key` of the attachment that this tells about"
    )


class Party(Contract):
    """Somebody as a channel knows them; (kind, value) identifies a contact. Addresses are lower-cased."""

    kind: IdentityKind
    value: Name
    name: str = Field(default="", max_length=200)


class Conversation(Contract):
    """How messages find their ticket. Keys are opaque, unique within (brand, account), e.g. `<id@host>` of an e-mail.

    `key` is what later messages will refer to; `refers_to` what this one refers to, the strongest first.
    A channel whose messages carry a conversation id has that id as `key` and nothing in `refers_to`.
    `ticket_id` decides before both: the message came to an address that we made for this ticket and signed.
    """

    key: Name
    refers_to: tuple[str, ...] = ()
    ticket_id: UUID | None = None


class Authentication(Contract):
    """What the mail server that we trust says about a mail's sender. What it did not check is absent."""

    dmarc: AuthenticationResult | None = None
    spf: AuthenticationResult | None = None
    dkim: AuthenticationResult | None = None


class CallRecord(Contract):
    """One telephone call, whatever the number of its legs."""

    call_id: Name
    direction: str = Field(description="inbound | outbound, seen from us")
    answered: bool
    caller: str
    callee: str
    started_at: Instant
    seconds: int = Field(ge=0, description="talking time; 0 when unanswered")
    hangup_cause: str = ""


class Delivery(Contract):
    """What became of the message of ours with this `provider_id`, and with `up_to` of all that were sent until then.

    Some platforms name a time in place of messages; then the `provider_id` is empty.
    """

    state: DeliveryState
    reason: str = Field(default="", max_length=1000, description="why it failed: the platform's code and words")
    up_to: Instant | None = None


class MessageReceived(Payload):
    """One message as one delivery brought it; the router recognises repeats by `identity`.

    `received_at` is our edge's clock and what every SLA counts from, unless the source is trusted for time
    (`time_trusted`), then `sent_at`, never later than receipt. Of the kind `status`, `provider_id` is the id of our own
    message, `sender` the customer whom it went to, and `sent_at` when it arrived, was read or failed.
    """

    event_type: ClassVar[str] = "firebreak.message.received.v1"

    message_id: UUID
    identity: str = Field(pattern="^[0-9a-f]{64}$", description="hash of account, provider id, kind and revision")
    kind: MessageKind = MessageKind.CREATED
    channel: Channel
    source: Name
    brand: Name
    account: Name
    provider_id: str = Field(max_length=1000)
    conversation: Conversation
    sender: Party
    recipients: tuple[Party, ...] = ()
    subject: str = Field(default="", max_length=1000)
    text: Words = ""
    quoted_text: Words = Field(
        default="", description="what stands below `text`: a signature, and what only repeats earlier messages"
    )
    text_object: StoredObject | None = Field(default=None, description="the whole text when `text` is its beginning")
    html: StoredObject | None = None
    raw: StoredObject | None = None
    attachments: tuple[Attachment, ...] = ()
    files: tuple[RemoteFile, ...] = Field(default=(), description="files that the provider keeps, to be fetched")
    received_at: Instant
    sent_at: Instant | None = None
    time_trusted: bool = False
    automation: Automation = Automation.HUMAN
    may_auto_answer: bool = Field(default=True, description="false for lists, bulk and machines (RFC 3834 §2)")
    authentication: Authentication | None = Field(default=None, description="e-mail: absent without a trusted server")
    call: CallRecord | None = None
    reading_problems: tuple[str, ...] = Field(default=(), description="what could not be read, for the agent")
    delivery: Delivery | None = Field(default=None, description="of the kind `status`")


MESSAGE_EVENTS = event_types(MessageReceived)
