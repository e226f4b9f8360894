"""A message inside Feishu's `im.message.receive_v1`, and its content in words.

open.feishu.cn/document/server-docs/im-v1/message/events/receive and …/message/intro, "message content".
"""

import re
from typing import Annotated, Any

import msgspec

from ingest_webhook.domain.json_documents import NotJson, decode_json_bytes
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.providers.wording import Wording
from ticket_intake.clean_text import one_line

MAX_ID_LENGTH = 64
# Longer than any name, and short enough that a text of nothing but mentions stays a text.
MENTION_LENGTH = 40
KEY_LENGTH = 200
# Of what the message itself holds, Feishu gives out these (im-v1/message-resource/get): by an image's key, or a file's.
IMAGES, FILES = ("image", "img"), ("file", "audio", "media", "video")
# A rich text nests its paragraphs twice; the rest is room for tables and quotes.
MAX_DEPTH = 8

_MENTION = re.compile(r"@_user_[0-9]{1,6}")


Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_LENGTH)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, lt=10**13)]
"""Since 1970, and until 2286: what a date can still hold."""


class UserId(msgspec.Struct, frozen=True):
    open_id: Id


class Sender(msgspec.Struct, frozen=True):
    """`sender_id` is empty for applications and anonymous writers."""

    sender_id: UserId | None = None
    sender_type: str = ""


class Mention(msgspec.Struct, frozen=True):
    """Stands in a text as its `key`, `@_user_1`."""

    key: str = ""
    name: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    message_id: Id
    root_id: Annotated[str, msgspec.Meta(max_length=MAX_ID_LENGTH)] | None = None
    create_time: Milliseconds
    chat_id: Id
    chat_type: str = ""
    message_type: Annotated[str, msgspec.Meta(max_length=MAX_ID_LENGTH)]
    content: str = ""
    mentions: tuple[Mention, ...] | None = None

    @property
    def conversation(self) -> str:
        """One for all that a person writes to the robot; in a group, one for each message and what answers it."""
        return self.chat_id if self.chat_type == "p2p" else f"{self.chat_id}/{self.root_id or self.message_id}"


class Received(msgspec.Struct, frozen=True):
    """`event` of `im.message.receive_v1`."""

    sender: Sender
    message: Message


class Reader(msgspec.Struct, frozen=True):
    reader_id: UserId | None = None
    read_time: Milliseconds | None = None


class ReadByUser(msgspec.Struct, frozen=True):
    """`event` of `im.message.message_read_v1`: a person has read what the robot wrote to her alone."""

    reader: Reader = Reader()
    message_id_list: tuple[Id, ...] = ()


def word(message: Message) -> Wording:
    """Put a message of any kind into words; what stays at Feishu is named."""
    content = _content(message)
    match message.message_type:
        case "text":
            return Wording(_with_names(_string(content, "text"), message))
        case "post":
            lines: list[str] = [_string(content, "title")]
            problems: list[str] = []
            _collect(message, content.get("content"), lines, problems, MAX_DEPTH)
            return Wording(_with_names("\n".join(filter(None, lines)), message), tuple(problems))
        case "location":
            place = f"{_string(content, 'latitude')}, {_string(content, 'longitude')}"
            return Wording("\n".join(filter(None, (_string(content, "name"), place))))
    left = _left_there(message, message.message_type, content)
    return Wording(_string(content, "text") or _string(content, "title"), (left,))


def _content(message: Message) -> dict[str, Any]:
    """A kind that is yet to come may hold anything; what a person wrote must not be lost for that."""
    try:
        content = decode_json_bytes(message.content.encode())
    except NotJson:
        return {}
    return content if isinstance(content, dict) else {}


def _collect(message: Message, part: object, lines: list[str], problems: list[str], levels: int) -> None:
    """Walk through paragraphs: a list of them, each a list of elements, in whatever nesting."""
    if not isinstance(part, list) or levels == 0:
        return
    words: list[str] = []
    for element in part:
        if isinstance(element, dict):
            words.append(_element(message, element, problems))
        else:
            _collect(message, element, lines, problems, levels - 1)
    lines.append("".join(words))


def _element(message: Message, element: dict[str, Any], problems: list[str]) -> str:
    match element.get("tag"):
        case "a":
            label, target = _string(element, "text"), _string(element, "href")
            return f"{label} ({target})" if label and target and label != target else label or target
        case "at":
            return f"@{_string(element, 'user_name') or _string(element, 'user_id')}"
        case "img" | "media":
            problems.append(_left_there(message, _string(element, "tag"), element))
            return ""
    return _string(element, "text")


def _with_names(text: str, message: Message) -> str:
    if not message.mentions and "@" not in text:
        return text
    names = {mention.key: one_line(mention.name or "", MENTION_LENGTH) for mention in message.mentions or ()}
    return _MENTION.sub(lambda found: f"@{names.get(found[0]) or found[0][2:]}", text)


def _left_there(message: Message, kind: str, content: dict[str, Any]) -> str:
    file, image = _string(content, "file_key"), _string(content, "image_key")
    key = image if kind in IMAGES else file or image
    which = "image" if kind in IMAGES else "file"
    known = kind in IMAGES + FILES and key
    return left_behind(
        "Feishu",
        one_line(kind, MAX_ID_LENGTH),
        f"key {one_line(key, KEY_LENGTH)}" if key else "no key given",
        name=_string(content, "file_name") or None,
        locator=f"{message.message_id}/resources/{key}?type={which}" if known else None,
    )


def _string(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
