"""Feishu and Lark (飞书), events of version 2.0: open.feishu.cn/document/server-docs/event-subscription-guide/overview.

An Encrypt Key is demanded: without one Feishu signs nothing. `url_verification`, sent when the address is entered, is
never signed (so it is in Feishu's own SDK); it is proved by its encryption and its Verification Token, and all it can
bring about is its own echo.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from pydantic import Field

from ingest_webhook.domain.feishu_cipher import FeishuKey, NotEncrypted, decrypt_feishu, feishu_keys, signing_key
from ingest_webhook.provider import Handshake, Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.callback_options import MAX_TOLERANCE_SECONDS, SignedTimeOptions
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.feishu_message import ReadByUser, Received, word
from ingest_webhook.providers.receipts import receipt
from ingest_webhook.rejections import IgnoreReason, Rejected, Undecodable, wrong_field
from service_kit.problems import FieldProblem
from ticket_contracts.vocabulary import Channel, DeliveryState, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.signatures import SignatureInvalid
from ticket_intake.signed_time import check_signed_time

DOCUMENTATION = "docs/channels/feishu.md"
SUBJECT_LENGTH = 120

# Feishu repeats after 15 seconds, 5 minutes, 1 hour and 6 hours, and does not say whether a repeat is signed anew. A
# window that ends before the last one could lose a message; repeats themselves are recognised by their message id.
TOLERANCE_SECONDS = 8 * 3600

_UNENCRYPTED = FieldProblem(
    field="body.encrypt",
    message="is missing: the application has no Encrypt Key, so Feishu neither signs nor encrypts",
    fix=f"Set an Encrypt Key under 事件与回调 → 加密策略; see {DOCUMENTATION}",
)


class FeishuOptions(SignedTimeOptions):
    tolerance_seconds: int = Field(default=TOLERANCE_SECONDS, ge=1, le=MAX_TOLERANCE_SECONDS)


class Verification(msgspec.Struct, frozen=True):
    challenge: Annotated[str, msgspec.Meta(max_length=1000)]


class Header(msgspec.Struct, frozen=True):
    event_type: str = ""


class Event(msgspec.Struct, frozen=True):
    header: Header = Header()
    event: dict[str, Any] = msgspec.field(default_factory=dict)


class Feishu:
    """Provider `feishu`. Secrets: `ENCRYPT_KEY:VERIFICATION_TOKEN`."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: FeishuOptions, keys: tuple[FeishuKey, ...]) -> None:
        self.time_trusted = options.time_trusted
        self._tolerance = options.tolerance_seconds
        self._keys = keys

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Feishu":
        return cls(FeishuOptions.model_validate(options), feishu_keys(secrets))

    def verify(self, request: WebhookRequest) -> None:
        """As every provider; what comes unencrypted is told so, once it has proved to know the Verification Token.

        :raises Undecodable: not encrypted.
        """
        if not request.header(b"x-lark-signature"):
            self._unsigned_verification(request.body)
            return
        if self._signing_key(request) is None:
            raise SignatureInvalid
        check_signed_time(request.header(b"x-lark-request-timestamp"), request.received_at.timestamp(), self._tolerance)

    def read(self, request: WebhookRequest) -> Reading:
        key = self._signing_key(request) if request.header(b"x-lark-signature") else None
        document = self._unsigned_verification(request.body) if key is None else _decrypted(request.body, key)
        if document.get("type") == "url_verification":
            challenge = decode_model(Verification, document, DOCUMENTATION).challenge
            return Handshake("application/json", msgspec.json.encode({"challenge": challenge}))
        event = decode_model(Event, document, DOCUMENTATION)
        event_type = event.header.event_type
        if event_type == "im.message.receive_v1":
            return _read_message(decode_model(Received, event.event, DOCUMENTATION))
        if event_type == "im.message.recalled_v1":
            # It names the message and the chat, and nobody: whose message is gone cannot be said.
            return Ignored(IgnoreReason.NO_SENDER)
        if event_type == "im.message.message_read_v1":
            return _read_receipt(event.event)
        return Ignored(IgnoreReason.UNKNOWN_TYPE)

    def _signing_key(self, request: WebhookRequest) -> FeishuKey | None:
        return signing_key(
            request.body,
            timestamp=request.header(b"x-lark-request-timestamp"),
            nonce=request.header(b"x-lark-request-nonce"),
            signature=request.header(b"x-lark-signature"),
            keys=self._keys,
        )

    def _unsigned_verification(self, body: bytes) -> dict[str, Any]:
        """Return the one document that comes without a signature. Every other failure looks the same to the sender."""
        try:
            document = decode_object(body, DOCUMENTATION)
        except Rejected as error:
            raise SignatureInvalid from error
        if "encrypt" not in document:
            if any(_verifies(document, key) for key in self._keys):
                raise Undecodable(_UNENCRYPTED)
            raise SignatureInvalid
        for key in self._keys:
            try:
                inner = _decrypted(body, key)
            except Rejected:
                continue
            if inner.get("type") == "url_verification" and _verifies(inner, key):
                return inner
        raise SignatureInvalid


def _verifies(document: dict[str, Any], key: FeishuKey) -> bool:
    token = document.get("token")
    return isinstance(token, str) and hmac.compare_digest(token.encode(), key.verification_token.encode())


def _decrypted(body: bytes, key: FeishuKey) -> dict[str, Any]:
    encrypted = decode_object(body, DOCUMENTATION).get("encrypt")
    if not isinstance(encrypted, str):
        raise Undecodable(_UNENCRYPTED)
    try:
        content = decrypt_feishu(encrypted, key.encrypt_key)
    except NotEncrypted as error:
        raise wrong_field("body.encrypt", "cannot be decrypted", DOCUMENTATION) from error
    return decode_object(content, DOCUMENTATION)


def _read_message(received: Received) -> Reading:
    sender, message = received.sender, received.message
    if sender.sender_type != "user":  # robots, our own too
        return Ignored(IgnoreReason.BOT)
    if sender.sender_id is None:
        return Ignored(IgnoreReason.NO_SENDER)
    wording = word(message)
    incoming = IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.CHAT,
        # Not `event_id`: that names the notification, and Feishu may tell of a message in two.
        provider_id=message.message_id,
        conversation=message.conversation,
        # An open id is one person's name for one application only, and unique over all of them.
        sender=Person(kind=IdentityKind.FEISHU, value=sender.sender_id.open_id),
        subject=one_line(wording.text, SUBJECT_LENGTH),
        text=wording.text,
        sent_at=datetime.fromtimestamp(message.create_time / 1000, UTC),
        reading_problems=wording.problems,
    )
    return Messages((incoming,))


def _read_receipt(event: dict[str, Any]) -> Reading:
    """It names the reader and no chat: a conversation of its own, which only keeps one person's receipts in order."""
    try:
        told = decode_model(ReadByUser, event, DOCUMENTATION)
    except Undecodable:
        return Ignored(IgnoreReason.UNREADABLE_RECEIPT)
    reader = told.reader.reader_id
    if reader is None or not told.message_id_list:
        return Ignored(IgnoreReason.RECEIPT)
    at = None if told.reader.read_time is None else datetime.fromtimestamp(told.reader.read_time / 1000, UTC)
    customer = Person(kind=IdentityKind.FEISHU, value=reader.open_id)
    conversation = f"reader/{reader.open_id}"
    return Messages(
        tuple(
            receipt(
                DeliveryState.READ,
                message_id,
                channel=Channel.CHAT,
                conversation=conversation,
                customer=customer,
                at=at,
            )
            for message_id in told.message_id_list
        )
    )
