"""LINE Messaging API: developers.line.biz/en/reference/messaging-api and github.com/line/line-openapi, webhook.yml.

`webhookEventId` names the notification; what makes a repeat recognisable is the message's own id, because that is what
an edit and an unsending refer to.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ingest_webhook.domain.body_signatures import verify_line
from ingest_webhook.provider import Handshake, Reading, WebhookRequest
from ingest_webhook.providers.batches import Item, read_batch
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.options import SourceOptions
from ticket_intake.signatures import SecretMalformed

DOCUMENTATION = "docs/channels/line.md"

SUBJECT_LENGTH = 120
FILES = ("image", "video", "audio", "file")
# 2286-11-20: what a date can still hold.
_MAX_MILLISECONDS = 9_999_999_999_999

MessageId = Field(min_length=1, max_length=100)
"""About twenty digits; LINE asks to treat them as text."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Source(_Part):
    """Where something was said. In a group `userId` is told only of people who agreed to it."""

    user: str | None = Field(default=None, alias="userId", min_length=1, max_length=64)
    group: str | None = Field(default=None, alias="groupId", min_length=1, max_length=64)
    room: str | None = Field(default=None, alias="roomId", min_length=1, max_length=64)


class ContentProvider(_Part):
    original_url: str | None = Field(default=None, alias="originalContentUrl")


class Said(_Part):
    id: str = MessageId
    type: str = Field(max_length=100)
    text: str | None = None
    file_name: str | None = Field(default=None, alias="fileName")
    file_size: int | None = Field(default=None, alias="fileSize")
    content: ContentProvider = Field(default=ContentProvider(), alias="contentProvider")
    title: str | None = None
    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    keywords: tuple[str, ...] = ()


class Unsent(_Part):
    id: str = Field(alias="messageId", min_length=1, max_length=100)


class Event(_Part):
    event_id: str = Field(alias="webhookEventId", min_length=1, max_length=100)
    timestamp: int = Field(ge=0, le=_MAX_MILLISECONDS)
    source: Source = Source()
    message: Said | None = None
    unsend: Unsent | None = None


class Notification(_Part):
    """`destination` is our own account's id. LINE checks an address with a notification of no event."""

    destination: str = Field(min_length=1, max_length=64)
    events: tuple[dict[str, Any], ...]


class Line:
    """Provider `line`. Secrets: the channel secret."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: SourceOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._secrets = secrets

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Line":
        if not all(secret.isascii() and secret.isalnum() for secret in secrets):
            raise SecretMalformed("is no channel secret: copy it from the LINE Developers Console, Basic settings")
        return cls(SourceOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_line(request.body, signature=request.header(b"x-line-signature"), secrets=self._secrets)

    def read(self, request: WebhookRequest) -> Reading:
        document = decode_object(request.body, DOCUMENTATION)
        notification = decode_model(Notification, document, DOCUMENTATION)
        if not notification.events:
            return Handshake("text/plain; charset=utf-8", b"")
        return read_batch(_read_event(notification.destination, event) for event in notification.events)


def _read_event(account: str, document: dict[str, Any]) -> Item:
    match document.get("type"):
        case "message" | "messageEdited" | "unsend":
            event = decode_model(Event, document, DOCUMENTATION)
        case "delivery":
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
        reading_problems=tuple(_problems(said)) if said else (),
    )


def _text(said: Said) -> str:
    if said.text is not None:
        return said.text
    where = f"{said.latitude}, {said.longitude}" if said.latitude is not None else None
    return "\n".join(line for line in (said.title, said.address, where, ", ".join(said.keywords)) if line)


def _problems(said: Said) -> Iterator[str]:
    if said.type in FILES:
        where = said.content.original_url or f"message id {said.id}"
        yield left_behind(
            "LINE",
            said.type,
            where,
            name=said.file_name,
            size=said.file_size,
            locator=said.content.original_url or said.id,
        )
    elif said.type == "sticker":
        yield left_behind("LINE", "sticker", f"message id {said.id}")
    elif said.type not in ("text", "location"):
        yield f"LINE messages of the type {said.type} are not understood here"
