"""What 微信客服 says in an answer of `sync_msg`: developer.work.weixin.qq.com/document/path/94670."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field

from ticket_contracts.messages import RemoteFile
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import clean_text, one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person

FROM_CUSTOMER = 3
RECALLED = "user_recall_msg"
SUBJECT_LENGTH = 120
_ID_LENGTH = 128
# What stays at WeCom, which gives it out by its media id for three days.
_MEDIA = frozenset({"image", "voice", "video", "file"})


class ServiceMessage(BaseModel):
    """One entry of `msg_list`; what the kind says stands in a field of the kind's name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    msgid: str = Field(min_length=1, max_length=_ID_LENGTH)
    open_kfid: str = Field(default="", max_length=_ID_LENGTH)
    external_userid: str = Field(default="", max_length=_ID_LENGTH)
    send_time: int = Field(ge=0, lt=10**10)
    origin: int = 0
    msgtype: str = Field(max_length=64)

    def content(self) -> Mapping[str, Any]:
        found = (self.model_extra or {}).get(self.msgtype)
        return found if isinstance(found, dict) else {}


class Page(BaseModel):
    """An answer of `sync_msg`. An empty list says nothing: only `has_more` tells whether there is more."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    errcode: int = 0
    errmsg: str = ""
    next_cursor: str = ""
    has_more: int = 0
    msg_list: list[ServiceMessage] = Field(default_factory=list)


class _Wording(NamedTuple):
    text: str
    problems: tuple[str, ...] = ()
    file: RemoteFile | None = None


def read_message(message: ServiceMessage, corporation: str, *, fetches_files: bool = False) -> IncomingMessage | None:
    """Return what a customer said or took back; None for what agents and the system say.

    :param fetches_files: a file becomes one that is on its way, and is not told in words.
    """
    if message.msgtype == "event":
        return _recall(message, corporation)
    if message.origin != FROM_CUSTOMER:
        return None
    wording = _word(message)
    return replace(
        _message(message, corporation, MessageKind.CREATED, message.msgid, message.external_userid),
        subject=one_line(wording.text, SUBJECT_LENGTH),
        text=wording.text,
        reading_problems=() if fetches_files and wording.file else wording.problems,
        remote_files=(wording.file,) if fetches_files and wording.file else (),
    )


def _recall(message: ServiceMessage, corporation: str) -> IncomingMessage | None:
    event = message.content()
    recalled, customer = event.get("recall_msgid"), event.get("external_userid")
    if event.get("event_type") != RECALLED or not isinstance(recalled, str) or not isinstance(customer, str):
        return None
    account = str(event.get("open_kfid") or message.open_kfid)[:_ID_LENGTH]
    recalling = message.model_copy(update={"open_kfid": account})
    return _message(recalling, corporation, MessageKind.DELETED, recalled[:_ID_LENGTH], customer[:_ID_LENGTH])


def _message(
    message: ServiceMessage, corporation: str, kind: MessageKind, provider_id: str, customer: str
) -> IncomingMessage:
    return IncomingMessage(
        kind=kind,
        channel=Channel.CHAT,
        provider_id=provider_id,
        conversation=f"{message.open_kfid}/{customer}",
        # A customer's id is unique within the corporation that asks.
        sender=Person(kind=IdentityKind.WECOM, value=f"{corporation}/{customer}"),
        sent_at=datetime.fromtimestamp(message.send_time, UTC),
    )


def _word(message: ServiceMessage) -> _Wording:
    """Put a message of any kind into words. One of an unknown kind is a customer's word too: it is named."""
    content = message.content()
    match message.msgtype:
        case "text":
            return _Wording(_text(content, "content"))
        case "location":
            return _Wording(_lines(content, "name", "address", "latitude", "longitude"))
        case "link":
            return _Wording(_lines(content, "title", "desc", "url"))
        case "miniprogram":
            return _Wording(_lines(content, "title", "pagepath"))
    kind = one_line(message.msgtype, 64)
    media = one_line(_text(content, "media_id"), 200) if message.msgtype in _MEDIA else ""
    file = RemoteFile(number=0, name=kind, locator=media) if media else None
    return _Wording(_text(content, "title"), (f"The {kind} stays at WeCom: {media or 'no media id given'}",), file)


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name, "")
    return clean_text(str(value)) if isinstance(value, str | int | float) else ""


def _lines(content: Mapping[str, Any], *names: str) -> str:
    return "\n".join(filter(None, (_text(content, name) for name in names)))


def messages_of(page: Page, corporation: str, *, fetches_files: bool = False) -> Sequence[IncomingMessage]:
    read = (read_message(message, corporation, fetches_files=fetches_files) for message in page.msg_list)
    return [message for message in read if message is not None]
