"""Our own signed JSON for shop forms, chat widgets and other systems: Standard Webhooks 1.0 with the payload below.

Signing: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. Documented for senders in
docs/channels/standard-webhooks.md; a field added here is added there.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from ingest_webhook.provider import Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.rejections import IgnoreReason, Undecodable
from service_kit.problems import FieldProblem
from ticket_contracts.contract import Name
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


def _from_base64(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("must be a base64 text")  # noqa: TRY004 - pydantic turns only ValueError into a field error
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("is not base64") from error


class _Part(BaseModel):
    """Fields that a later version may add are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Sender(_Part):
    """Who wrote. (kind, id) identifies the contact: the e-mail address, the number, or an id of the sending system."""

    kind: IdentityKind = IdentityKind.EXTERNAL
    id: Name
    name: str = Field(default="", max_length=200)

    @field_validator("id")
    @classmethod
    def _in_one_spelling(cls, value: str, info: ValidationInfo) -> str:
        spelled = value.lower() if info.data.get("kind") is IdentityKind.EMAIL else value
        if len(spelled) > MAX_ID_LENGTH:  # a few letters become two
            raise ValueError(f"has more than {MAX_ID_LENGTH} characters in lower case")
        return spelled


class File(_Part):
    """A small file, inside the request."""

    name: str = Field(max_length=255)
    media_type: str = Field(default="application/octet-stream", max_length=100)
    content: Annotated[bytes, BeforeValidator(_from_base64)]


class Data(_Part):
    """`data` of `message.created`.

    `id` names the message in the sending system (default: the `webhook-id`), `conversation_id` what the message belongs
    to (default: the message itself). `channel` overrides the source's.
    """

    id: Name | None = None
    conversation_id: Name | None = None
    channel: Channel | None = None
    sender: Sender
    subject: str = Field(default="", max_length=1000)
    text: str = ""
    sent_at: AwareDatetime | None = None
    attachments: tuple[File, ...] = Field(default=(), max_length=MAX_FILES)


class ChangeData(Data):
    """`data` of `message.edited` and `message.deleted`: names the message that changed.

    `revision` tells one edit from the next (default: the `webhook-id`, which a repeated delivery keeps).
    """

    id: Name
    revision: str = Field(default="", max_length=200)


class Created(_Part):
    data: Data


class Changed(_Part):
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
            sender=_party(data.sender),
            subject=" ".join(data.subject.split()),  # one line: it becomes a header of mail one day
            text=data.text,
            sent_at=data.sent_at,
            files=tuple(IncomingFile(file.name, file.media_type, file.content) for file in data.attachments),
        )


def _webhook_id(request: WebhookRequest) -> str:
    """It stands in for the message's id, so it has to keep the limits of one; it is signed and so not empty."""
    webhook_id = request.header(b"webhook-id").decode("latin-1")
    if len(webhook_id) > MAX_ID_LENGTH or not webhook_id.isprintable():
        message = f"has more than {MAX_ID_LENGTH} characters, or some that cannot be printed"
        raise Undecodable(FieldProblem(field="header.webhook-id", message=message, fix=f"See {DOCUMENTATION}"))
    return webhook_id


def _party(sender: Sender) -> Person:
    return Person(kind=sender.kind, value=sender.id, name=sender.name)
