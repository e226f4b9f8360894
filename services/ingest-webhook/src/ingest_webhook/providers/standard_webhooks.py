"""Our own signed JSON for shop forms, chat widgets and other systems: Standard Webhooks 1.0 with the payload below.

Signing: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. Documented for senders in
docs/channels/standard-webhooks.md; a field added here is added there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from ingest_webhook.provider import Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.rejections import IgnoreReason, wrong_field
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.incoming import IncomingFile, IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.options import SourceOptions
from ticket_intake.signatures import StandardKeys, standard_keys, verify_standard_webhook

DOCUMENTATION = "docs/channels/standard-webhooks.md"

KINDS: Mapping[object, MessageKind] = {
    "message.created": MessageKind.CREATED,
    "message.edited": MessageKind.EDITED,
    "message.deleted": MessageKind.DELETED,
}
# What comes with a message, not a file transfer; the body limit ends it long before.
MAX_FILES = 20
# As `Name` in the contracts.
MAX_ID_LENGTH = 200
Name = Annotated[str, Meta(min_length=1, max_length=MAX_ID_LENGTH)]
# Takes more spellings of ISO 8601 than msgspec does: senders write theirs by hand.
_TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


class Sender(msgspec.Struct, frozen=True):
    """Who wrote. (kind, id) identifies the contact: the e-mail address, the number, or an id of the sending system."""

    id: Name
    kind: IdentityKind = IdentityKind.EXTERNAL
    name: Annotated[str, Meta(max_length=200)] = ""


class File(msgspec.Struct, frozen=True):
    """A small file, inside the request; its content is written in base64."""

    name: Annotated[str, Meta(max_length=255)]
    content: bytes
    media_type: Annotated[str, Meta(max_length=100)] = "application/octet-stream"


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """`data` of `message.created`.

    `id` names the message in the sending system (default: the `webhook-id`), `conversation_id` what the message belongs
    to (default: the message itself). `channel` overrides the source's.
    """

    id: Name | None = None
    conversation_id: Name | None = None
    channel: Channel | None = None
    sender: Sender
    subject: Annotated[str, Meta(max_length=1000)] = ""
    text: str = ""
    sent_at: object = None
    attachments: Annotated[tuple[File, ...], Meta(max_length=MAX_FILES)] = ()


class ChangeData(Data, frozen=True, kw_only=True):
    """`data` of `message.edited` and `message.deleted`: names the message that changed.

    `revision` tells one edit from the next (default: the `webhook-id`, which a repeated delivery keeps).
    """

    id: Name
    revision: Annotated[str, Meta(max_length=200)] = ""


class Created(msgspec.Struct, frozen=True):
    data: Data


class Changed(msgspec.Struct, frozen=True):
    data: ChangeData


class StandardOptions(SourceOptions):
    channel: Channel = Field(default=Channel.WEB, description="web, chat, phone or email, when a message names none")


class StandardWebhooks:
    """Provider `standard-webhooks`. Secrets: `whsec_…` for v1, `whpk_…` (a public key) for v1a."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: StandardOptions, keys: StandardKeys) -> None:
        self.time_trusted = options.time_trusted
        self._channel = options.channel
        self._keys = keys

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "StandardWebhooks":
        return cls(StandardOptions.model_validate(options), standard_keys(secrets))

    def verify(self, request: WebhookRequest) -> None:
        verify_standard_webhook(
            request.body,
            message_id=request.header(b"webhook-id"),
            timestamp=request.header(b"webhook-timestamp"),
            signatures=request.header(b"webhook-signature"),
            keys=self._keys,
            now=request.received_at.timestamp(),
        )

    def read(self, request: WebhookRequest) -> Reading:
        document = decode_object(request.body, DOCUMENTATION)
        event_type = document.get("type")
        kind = KINDS.get(event_type) if isinstance(event_type, str) else None
        if kind is None:
            # A sender may have one address for all its events; refusing those we do not know would disable it.
            return Ignored(IgnoreReason.UNKNOWN_TYPE)
        webhook_id = _webhook_id(request)
        if kind is MessageKind.CREATED:
            return Messages((self._message(kind, decode_model(Created, document, DOCUMENTATION).data, webhook_id, ""),))
        change = decode_model(Changed, document, DOCUMENTATION).data
        return Messages((self._message(kind, change, webhook_id, change.revision or webhook_id),))

    def _message(self, kind: MessageKind, data: Data, webhook_id: str, revision: str) -> IncomingMessage:
        provider_id = data.id or webhook_id
        return IncomingMessage(
            kind=kind,
            channel=data.channel or self._channel,
            provider_id=provider_id,
            revision=revision,
            conversation=data.conversation_id or provider_id,
            sender=_person(data.sender),
            subject=" ".join(data.subject.split()),  # one line: it becomes a header of mail one day
            text=data.text,
            sent_at=None if data.sent_at is None else _instant(data.sent_at),
            files=tuple(map(_incoming, data.attachments)),
        )


def _webhook_id(request: WebhookRequest) -> str:
    """It stands in for the message's id, so it has to keep the limits of one; it is signed and so not empty."""
    webhook_id = request.header(b"webhook-id").decode("latin-1")
    if len(webhook_id) > MAX_ID_LENGTH or not webhook_id.isprintable():
        raise wrong_field(
            "header.webhook-id",
            f"has more than {MAX_ID_LENGTH} characters, or some that cannot be printed",
            DOCUMENTATION,
        )
    return webhook_id


def _person(sender: Sender) -> Person:
    value = sender.id
    if sender.kind is IdentityKind.EMAIL:
        value = value.lower()
        if len(value) > MAX_ID_LENGTH:  # a few letters become two
            raise wrong_field(
                "body.data.sender.id", f"has more than {MAX_ID_LENGTH} characters in lower case", DOCUMENTATION
            )
    return Person(kind=sender.kind, value=value, name=sender.name)


def _instant(value: object) -> datetime:
    try:
        return _TIME.validate_python(value)
    except ValidationError as error:
        raise wrong_field("body.data.sent_at", "is no time of ISO 8601 with an offset", DOCUMENTATION) from error


def _incoming(file: File) -> IncomingFile:
    return IncomingFile(file.name, file.media_type, file.content)
