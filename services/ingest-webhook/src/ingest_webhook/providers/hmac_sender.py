"""Any system that signs its JSON with HMAC: scheme and meaning of the fields stand in the sources file.

A sender that can choose should choose `standard-webhooks`: that signs its id and time, and has libraries.
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingest_webhook.domain.hmac_scheme import Algorithm, Encoding, HmacScheme, known_template, verify_hmac
from ingest_webhook.provider import Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.decode_model import decode_object
from ingest_webhook.providers.mapped_fields import MAX_ID_LENGTH, FieldMap, JsonPointer, MappedDocument
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.keyed_hmac import signing_keys
from ticket_intake.message_data import Person
from ticket_intake.phone_calls import NumberOptions, spelled
from ticket_intake.signatures import TOLERANCE_SECONDS

DOCUMENTATION = "docs/channels/hmac.md"
SUBJECT_LENGTH = 1000  # as in the contracts
# A day: a longer window is none.
MAX_TOLERANCE_SECONDS = 86_400

HeaderName = Field(pattern=r"^[A-Za-z0-9-]{1,100}$")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Signing(_Part):
    """How the sender signs."""

    header: str = HeaderName
    algorithm: Algorithm = "sha256"
    prefix: str = Field(default="", max_length=50, description="What stands before the signature, e.g. sha256=")
    encoding: Encoding = "hex"
    signed: str = Field(default="{body}", max_length=200, description="e.g. {timestamp}.{body}")
    timestamp_header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,100}$")
    tolerance_seconds: int = Field(default=TOLERANCE_SECONDS, ge=1, le=MAX_TOLERANCE_SECONDS)

    @model_validator(mode="after")
    def _time_is_signed(self) -> "Signing":
        known_template(self.signed)
        if self.scheme.signs_time != (self.timestamp_header is not None):
            raise ValueError(
                "`{timestamp}` in `signed` and `timestamp_header` belong together: a time proves only if signed"
            )
        return self

    @property
    def scheme(self) -> HmacScheme:
        return HmacScheme(self.algorithm, self.prefix, self.encoding, self.signed)


class Events(_Part):
    """What kind of message a request tells of; every value that no list names is acknowledged and ignored."""

    header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,100}$")
    field: JsonPointer | None = None
    created: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_place(self) -> "Events":
        if (self.header is None) == (self.field is None):
            raise ValueError("name either the `header` or the `field` in which the event's name stands")
        return self

    @property
    def kinds(self) -> dict[str, MessageKind]:
        lists = ((MessageKind.CREATED, self.created), (MessageKind.EDITED, self.edited))
        return {name: kind for kind, names in (*lists, (MessageKind.DELETED, self.deleted)) for name in names}


class HmacOptions(NumberOptions):
    signing: Signing
    fields: FieldMap
    events: Events | None = Field(default=None, description="default: every request is a new message")
    channel: Channel = Channel.WEB
    identity: IdentityKind = Field(
        default=IdentityKind.EXTERNAL, description="email, phone or external: what `sender` is"
    )

    @model_validator(mode="after")
    def _edits_are_told_apart(self) -> "HmacOptions":
        if self.events is not None and self.events.edited and self.fields.revision is None:
            raise ValueError("edits need `fields.revision`: without it every edit but the first counts as a repeat")
        return self


class HmacSender:
    """Provider `hmac`. Secrets: the shared keys, as text."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: HmacOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._options = options
        self._scheme = options.signing.scheme
        self._signature_header = _header_name(options.signing.header)
        self._timestamp_header = _header_name(options.signing.timestamp_header)
        self._event_header = _header_name(options.events.header if options.events else None)
        self._kinds = options.events.kinds if options.events else {}
        self._keys = signing_keys(secrets, options.signing.scheme.algorithm)

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "HmacSender":
        return cls(HmacOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_hmac(
            request.body,
            signature=request.header(self._signature_header),
            timestamp=request.header(self._timestamp_header),
            scheme=self._scheme,
            keys=self._keys,
            now=request.received_at.timestamp(),
            tolerance_seconds=self._options.signing.tolerance_seconds,
        )

    def read(self, request: WebhookRequest) -> Reading:
        document = MappedDocument(decode_object(request.body, DOCUMENTATION), DOCUMENTATION)
        kind = self._kind(request, document)
        if kind is None:
            return Ignored(IgnoreReason.UNKNOWN_TYPE)
        return Messages((self._message(kind, document),))

    def _kind(self, request: WebhookRequest, document: MappedDocument) -> MessageKind | None:
        events = self._options.events
        if events is None:
            return MessageKind.CREATED
        if events.field is None:
            return self._kinds.get(request.header(self._event_header).decode("latin-1"))
        return self._kinds.get(document.words(events.field))

    def _message(self, kind: MessageKind, document: MappedDocument) -> IncomingMessage:
        fields = self._options.fields
        provider_id = document.identifier(fields.id)
        return IncomingMessage(
            kind=kind,
            channel=self._options.channel,
            provider_id=provider_id,
            revision=document.identifier(fields.revision) if kind is MessageKind.EDITED and fields.revision else "",
            conversation=document.optional_identifier(fields.conversation) or provider_id,
            sender=self._person(document),
            subject=one_line(document.words(fields.subject), SUBJECT_LENGTH),
            text=document.words(fields.text),
            sent_at=document.instant(fields.sent_at),
        )

    def _person(self, document: MappedDocument) -> Person:
        fields, kind = self._options.fields, self._options.identity
        value = document.identifier(fields.sender)
        if kind is IdentityKind.EMAIL:
            value = value.lower()[:MAX_ID_LENGTH]
        elif kind is IdentityKind.PHONE:
            value = spelled(value, self._options.region) or value
        name = document.words(fields.sender_name)
        return Person(kind=kind, value=value, name=one_line(name, MAX_ID_LENGTH))


def _header_name(name: str | None) -> bytes:
    """Return a header's name as requests have it; no header has an empty one."""
    return name.lower().encode() if name else b""
