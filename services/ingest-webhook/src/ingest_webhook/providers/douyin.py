"""Douyin (抖音), private messages: developer.open-douyin.com, "接收私信消息事件" and "接收私信消息撤回事件".

Nothing is signed that tells the time, so a repeat (Douyin sends three) and a replay look the same: both have the
message's own id. Douyin may send events twice and in any order.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta
from pydantic import Field

from ingest_webhook.domain.douyin_signature import verify_douyin
from ingest_webhook.domain.json_documents import NotJson, decode_json
from ingest_webhook.provider import Handshake, Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.rejections import IgnoreReason, wrong_field
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line, shorten
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.options import SourceOptions
from ticket_intake.signatures import SecretMalformed

DOCUMENTATION = "docs/channels/douyin.md"
SUBJECT_LENGTH = 120
NAME_LENGTH = 200

# Ids are base64 of about ninety characters; two of the shorter ones make a conversation's key, which holds 200.
OpenId = Annotated[str, Meta(min_length=1, max_length=99)]
MessageId = Annotated[str, Meta(min_length=1, max_length=300)]
_SECRET = re.compile(r"[!-~]{16,128}")
# What a customer takes from the own album: all else Douyin shows in its app only (…/get-message-resources).
OWN_FILES = ("user_local_image", "user_local_video")
# Far more than any number that Douyin asks to be echoed, and still one that JSON can hold everywhere.
MAX_CHALLENGE = 2**53


class UserInfo(msgspec.Struct, frozen=True):
    open_id: str = ""
    nick_name: str | None = None


class SaidContent(msgspec.Struct, frozen=True):
    """`content` of `im_receive_msg`. `create_time` is in milliseconds."""

    server_message_id: MessageId
    message_type: Annotated[str, Meta(max_length=64)]
    create_time: Annotated[int, Meta(ge=0, lt=10**13)]
    conversation: Any = msgspec.field(name="conversation_short_id", default="")
    text: str = ""
    resource_url: str = ""
    item_id: str = ""
    user_infos: tuple[UserInfo, ...] | None = None


class RecalledContent(msgspec.Struct, frozen=True):
    server_message_id: MessageId


class Between(msgspec.Struct, frozen=True):
    """Who and whom; ids are one person's for one application."""

    from_user_id: OpenId
    to_user_id: OpenId


class Said(Between, frozen=True):
    content: SaidContent


class Recalled(Between, frozen=True):
    content: RecalledContent


class Challenge(msgspec.Struct, frozen=True):
    challenge: Any


class Verification(msgspec.Struct, frozen=True):
    content: Challenge


class DouyinOptions(SourceOptions):
    own_open_ids: frozenset[str] = Field(
        default=frozenset(), description="Open ids of our accounts: what these recall is no customer's message"
    )


class Douyin:
    """Provider `douyin`. Secrets: the application's client secret."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: DouyinOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._own = options.own_open_ids
        self._secrets = secrets

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Douyin":
        if not all(map(_SECRET.fullmatch, secrets)):
            raise SecretMalformed("is no client secret of Douyin: copy it from the application's page")
        return cls(DouyinOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_douyin(request.body, signature=request.header(b"x-douyin-signature"), secrets=self._secrets)

    def read(self, request: WebhookRequest) -> Reading:
        document = decode_object(request.body, DOCUMENTATION)
        match document.get("event"):
            case "im_receive_msg":
                return _read_message(decode_model(Said, _with_content(document), DOCUMENTATION))
            case "im_recall_msg":
                return self._read_recall(decode_model(Recalled, _with_content(document), DOCUMENTATION))
            case "im_send_msg":
                return Ignored(IgnoreReason.ECHO)
            case "im_message_read":
                # It names a place in the conversation (`index`), and neither a message nor a time.
                return Ignored(IgnoreReason.RECEIPT)
            case "verify_webhook":
                return _answer(decode_model(Verification, _with_content(document), DOCUMENTATION).content.challenge)
        return Ignored(IgnoreReason.UNKNOWN_TYPE)

    def _read_recall(self, recalled: Recalled) -> Reading:
        if recalled.from_user_id in self._own:
            return Ignored(IgnoreReason.ECHO)
        message = IncomingMessage(
            kind=MessageKind.DELETED,
            channel=Channel.SOCIAL,
            provider_id=recalled.content.server_message_id,
            conversation=_conversation(recalled),
            sender=Person(kind=IdentityKind.DOUYIN, value=recalled.from_user_id),
        )
        return Messages((message,))


def _with_content(document: dict[str, Any]) -> dict[str, Any]:
    """Read `content`, which is an object on some of Douyin's pages and a string holding one on others."""
    content = document.get("content")
    if isinstance(content, str):
        try:
            document["content"] = decode_json(content)
        except NotJson as error:
            raise wrong_field("body.content", str(error), DOCUMENTATION) from error
    return document


def _answer(challenge: object) -> Handshake:
    """Only a number is echoed: a text that is one would come back as something else."""
    if type(challenge) is not int or not 0 <= challenge <= MAX_CHALLENGE:
        raise wrong_field("body.content.challenge", f"is no number from 0 to {MAX_CHALLENGE}", DOCUMENTATION)
    return Handshake("application/json", msgspec.json.encode({"challenge": challenge}))


def _read_message(said: Said) -> Reading:
    content = said.content
    message = IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.SOCIAL,
        # Not the header `Msg-Id`: that names the notification, and a recall names the message by this.
        provider_id=content.server_message_id,
        conversation=_conversation(said),
        sender=Person(kind=IdentityKind.DOUYIN, value=said.from_user_id, name=_name(said)),
        subject=one_line(content.text, SUBJECT_LENGTH),
        text=content.text,
        sent_at=datetime.fromtimestamp(content.create_time / 1000, UTC),
        reading_problems=() if content.message_type == "text" else (_left_there(said),),
    )
    return Messages((message,))


def _name(said: Said) -> str:
    for info in said.content.user_infos or ():
        if info.open_id == said.from_user_id:
            return shorten(info.nick_name or "", NAME_LENGTH)
    return ""


def _conversation(between: Between) -> str:
    """Not `conversation_short_id`: a recall does not have it."""
    return f"{between.to_user_id}/{between.from_user_id}"


def _left_there(said: Said) -> str:
    content = said.content
    item = f"item {one_line(content.item_id, NAME_LENGTH)}, " if content.item_id else ""
    return left_behind(
        "Douyin",
        one_line(content.message_type, 64),
        f"{item}{content.resource_url or 'no link given'}",
        locator=content.resource_url or (_ids(said) if content.message_type in OWN_FILES else None),
    )


def _ids(said: Said) -> str | None:
    """What Douyin gives the file out for; the account is ours."""
    content, conversation = said.content, said.content.conversation
    if not isinstance(conversation, str) or not conversation:
        return None
    return urlencode({"account": said.to_user_id, "conversation": conversation, "message": content.server_message_id})
