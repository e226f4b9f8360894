"""Weibo 粉丝服务 (messages to a verified account): open.weibo.com/wiki, "Receive_General_Message".

Weibo signs the time, not the body, and gives a message no id; its page tells repeats by sender and second. A digest of
the content is added here, because two messages in one second are no rarity.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic import Field

from ingest_webhook.domain.weibo_time import weibo_time
from ingest_webhook.provider import Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.callback_options import SignedTimeOptions
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.echostr import echo
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.rejections import IgnoreReason, Undecodable, wrong_field
from service_kit.problems import FieldProblem
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.query_strings import query_values
from ticket_intake.signatures import SecretMalformed, SignatureInvalid
from ticket_intake.signed_time import check_signed_time
from ticket_intake.sorted_digest import matches_sorted_digest

DOCUMENTATION = "docs/channels/weibo.md"
SUBJECT_LENGTH = 120
ID_LENGTH = 64
# Enough that two contents of one second never meet, short enough to read.
DIGEST_LENGTH = 16

_SECRET = re.compile(r"[0-9a-f]{32}")
UserId = Annotated[int, Meta(gt=0, le=2**63 - 1)]


class Said(msgspec.Struct, frozen=True):
    """`text` holds words of Weibo itself where the writer sent none: 发了一个语音消息."""

    kind: Annotated[str, Meta(max_length=ID_LENGTH)] = msgspec.field(name="type")
    receiver_id: UserId
    sender_id: UserId
    created_at: str
    text: str = ""
    data: Any = None


class WeiboOptions(SignedTimeOptions):
    receiver_id: int = Field(gt=0, description="The user id of our account; what is for another is refused")


class Weibo:
    """Provider `weibo`. Secrets: the application's App Secret."""

    methods = ("GET", "POST")
    challenge = None

    def __init__(self, options: WeiboOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._options = options
        self._secrets = secrets

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Weibo":
        if not all(map(_SECRET.fullmatch, secrets)):
            raise SecretMalformed("is no App Secret of Weibo: it has 32 digits and letters a to f")
        return cls(WeiboOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        values = query_values(request.query)
        timestamp = values.get(b"timestamp", b"")
        self._verify_signature(values.get(b"signature", b""), timestamp, values.get(b"nonce", b""))
        check_signed_time(timestamp, request.received_at.timestamp(), self._options.tolerance_seconds)

    def _verify_signature(self, signature: bytes, timestamp: bytes, nonce: bytes) -> None:
        for secret in self._secrets:
            if matches_sorted_digest(signature, secret, timestamp, nonce):
                return
        raise SignatureInvalid

    def read(self, request: WebhookRequest) -> Reading:
        if request.method == "GET":
            return echo(query_values(request.query).get(b"echostr", b""), DOCUMENTATION)
        document = decode_object(request.body, DOCUMENTATION)
        if document.get("type") == "event":  # follow, subscribe, scan, a menu, a mention without its words
            return Ignored(IgnoreReason.UNKNOWN_TYPE)
        said = decode_model(Said, document, DOCUMENTATION)
        if said.receiver_id != self._options.receiver_id:
            fix = "Set `receiver_id` in the source's options"
            raise Undecodable(FieldProblem(field="body.receiver_id", message="is another account", fix=fix))
        return Messages((_message(said),))


def _message(said: Said) -> IncomingMessage:
    content = msgspec.json.encode((said.kind, said.text, said.data), order="sorted")
    sent_at = _sent_at(said)
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.SOCIAL,
        provider_id=f"{said.sender_id}/{int(sent_at.timestamp())}/{sha256(content).hexdigest()[:DIGEST_LENGTH]}",
        conversation=f"{said.receiver_id}/{said.sender_id}",
        sender=Person(kind=IdentityKind.WEIBO, value=str(said.sender_id)),
        subject=one_line(said.text, SUBJECT_LENGTH),
        text=_with_place(said) if said.kind == "position" else said.text,
        sent_at=sent_at,
        reading_problems=() if said.kind in ("text", "position") else (_left_there(said),),
    )


def _sent_at(said: Said) -> datetime:
    try:
        return weibo_time(said.created_at)
    except ValueError as error:
        raise wrong_field("body.created_at", str(error), DOCUMENTATION) from error


def _with_place(said: Said) -> str:
    return f"{said.text}\n{_value(said, 'latitude')}, {_value(said, 'longitude')}"


def _left_there(said: Said) -> str:
    file = one_line(_value(said, "tovfid") or _value(said, "vfid"), ID_LENGTH)
    where = f"file id {file}" if file else "no file id given"
    return left_behind("Weibo", one_line(said.kind, ID_LENGTH), where, locator=file)


def _value(said: Said, name: str) -> str:
    value = said.data.get(name) if isinstance(said.data, dict) else None
    return str(value) if isinstance(value, str | int) else ""
