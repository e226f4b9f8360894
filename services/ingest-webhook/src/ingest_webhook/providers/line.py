"""LINE Messaging API: developers.line.biz/en/reference/messaging-api and github.com/line/line-openapi, webhook.yml.

`webhookEventId` names the notification; what makes a repeat recognisable is the message's own id, because that is what
an edit and an unsending refer to.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest_webhook.domain.body_signatures import verify_line
from ingest_webhook.provider import Handshake, Reading, WebhookRequest
from ingest_webhook.providers.batches import Item, read_batch
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.keyed_hmac import signing_keys
from ticket_intake.message_data import Person
from ticket_intake.options import SourceOptions
from ticket_intake.signatures import SecretMalformed

DOCUMENTATION = "docs/channels/line.md"

SUBJECT_LENGTH = 120
FILES = ("image", "video", "audio", "file")
# 2286-11-20: what a date can still hold.
_MAX_MILLISECONDS = 9_999_999_999_999

MessageId = Annotated[str, Meta(min_length=1, max_length=100)]
"""About twenty digits; LINE asks to treat them as text."""
EventId = Annotated[str, Meta(min_length=1, max_length=100)]
LineId = Annotated[str, Meta(min_length=1, max_length=64)]
"""Of a person, a group, a room, an account: a letter and 32 digits."""


class Source(msgspec.Struct, frozen=True):
    """Where something was said. In a group `userId` is told only of people who agreed to it."""

    user: LineId | None = msgspec.field(name="userId", default=None)
    group: LineId | None = msgspec.field(name="groupId", default=None)
    room: LineId | None = msgspec.field(name="roomId", default=None)


class ContentProvider(msgspec.Struct, frozen=True):
    original_url: str | None = msgspec.field(name="originalContentUrl", default=None)


class Said(msgspec.Struct, frozen=True):
    id: MessageId
    type: Annotated[str, Meta(max_length=100)]
    text: str | None = None
    file_name: str | None = msgspec.field(name="fileName", default=None)
    file_size: int | None = msgspec.field(name="fileSize", default=None)
    content: ContentProvider = msgspec.field(name="contentProvider", default=ContentProvider())
    title: str | None = None
    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    keywords: tuple[str, ...] = ()


class Unsent(msgspec.Struct, frozen=True):
    id: MessageId = msgspec.field(name="messageId")


class Event(msgspec.Struct, frozen=True):
    event_id: EventId = msgspec.field(name="webhookEventId")
    timestamp: Annotated[int, Meta(ge=0, le=_MAX_MILLISECONDS)]
    source: Source = Source()
    message: Said | None = None
    unsend: Unsent | None = None


class Notification(msgspec.Struct, frozen=True):
    """`destination` is our own account's id. LINE checks an address with a notification of no event."""

    destination: LineId
    events: tuple[dict[str, Any], ...]


class Line:
    """Provider `line`. Secrets: the channel secret."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: SourceOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._keys = signing_keys(secrets)

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Line":
        if not all(secret.isascii() and secret.isalnum() for secret in secrets):
            raise SecretMalformed("is no channel secret: copy it from the LINE Developers Console, Basic settings")
        return cls(SourceOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_line(request.body, signature=request.header(b"x-line-signature"), keys=self._keys)

    def read(self, request: WebhookRequest) -> Reading:
        document = decode_object(request.body, DOCUMENTATION)
        notification = decode_model(Notification, document, DOCUMENTATION)
        if not notification.events:
            return Handshake("text/plain; charset=utf-8", b"")
        return read_batch([_read_event(notification.destination, event) for event in notification.events])


def _read_event(account: str, document: dict[str, Any]) -> Item:
    match document.get("type"):
        case "message" | "messageEdited" | "unsend":
            event = decode_model(Event, document, DOCUMENTATION)
        case "delivery":
            # Of a notification message: it tells a hashed telephone number or a tag, and neither message nor person.
            return IgnoreReason.RECEIPT
        case _:
            return IgnoreReason.UNKNOWN_TYPE
    place = event.source.group or event.source.room or event.source.user
    if place is None:
        return IgnoreReason.NO_SENDER
    if event.unsend:
        return _compose(MessageKind.DELETED, account, place, event, event.unsend.id)
    if event.message is None:
        return IgnoreReason.UNKNOWN_TYPE
    kind = MessageKind.EDITED if document["type"] == "messageEdited" else MessageKind.CREATED
    return _compose(kind, account, place, event, event.message.id, event.message)


def _compose(
    kind: MessageKind, account: str, place: str, event: Event, provider_id: str, said: Said | None = None
) -> IncomingMessage:
    text = _text(said) if said else ""
    return IncomingMessage(
        kind=kind,
        channel=Channel.CHAT,
        provider_id=provider_id,
        revision=event.event_id if kind is MessageKind.EDITED else "",
        conversation=f"{account}/{place}",
        # Who in a group did not agree to be told apart speaks as the group.
        sender=Person(kind=IdentityKind.LINE, value=event.source.user or place),
        subject=one_line(text, SUBJECT_LENGTH),
        text=text,
        sent_at=datetime.fromtimestamp(event.timestamp / 1000, UTC),
        reading_problems=_problems(said) if said else (),
    )


def _text(said: Said) -> str:
    if said.text is not None:
        return said.text
    where = f"{said.latitude}, {said.longitude}" if said.latitude is not None else None
    return "\n".join(line for line in (said.title, said.address, where, ", ".join(said.keywords)) if line)


def _problems(said: Said) -> tuple[str, ...]:
    if said.type in ("text", "location"):
        return ()
    if said.type in FILES:
        link = said.content.original_url
        where, locator = link or f"message id {said.id}", link or said.id
        return (left_behind("LINE", said.type, where, name=said.file_name, size=said.file_size, locator=locator),)
    if said.type == "sticker":
        return (left_behind("LINE", "sticker", f"message id {said.id}"),)
    return (f"LINE messages of the type {said.type} are not understood here",)
