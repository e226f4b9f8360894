"""What a person says to a DingTalk robot: open.dingtalk.com/document/orgapp/receive-message."""

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.providers.wording import Wording
from ticket_intake.clean_text import one_line

WORD_LENGTH = 200
# A robot's rich text has a handful of parts; the body limit would allow a hundred thousand.
MAX_PARTS = 1000
_ANYTHING = (("text", dict), ("content", dict), ("robotCode", str))


Id = Annotated[str, Meta(min_length=1, max_length=200)]
SenderId = Annotated[str, Meta(max_length=100)]


class Text(msgspec.Struct, frozen=True):
    content: str = ""


class RichPart(msgspec.Struct, frozen=True, rename="camel"):
    """A piece of rich text: words, or a picture that a download code stands for."""

    text: str = ""
    download_code: str = ""


class Content(msgspec.Struct, frozen=True, rename="camel"):
    """What `content` holds for everything that is not text."""

    rich_text: Annotated[tuple[RichPart, ...], Meta(max_length=MAX_PARTS)] = ()
    download_code: str = ""
    file_name: str = ""
    recognition: str = ""


class RobotMessage(msgspec.Struct, frozen=True):
    """One message. `senderStaffId` is missing when the writer belongs to another organisation."""

    message_id: Id = msgspec.field(name="msgId")
    kind: Annotated[str, Meta(max_length=64)] = msgspec.field(name="msgtype")
    conversation_id: Id = msgspec.field(name="conversationId")
    created: Annotated[int, Meta(ge=0, lt=10**13)] = msgspec.field(name="createAt")
    sender_id: SenderId | None = msgspec.field(name="senderId", default=None)
    staff_id: SenderId | None = msgspec.field(name="senderStaffId", default=None)
    # Which robot heard it; `normal` is what old robots say of themselves.
    robot: str = msgspec.field(name="robotCode", default="")
    nick: str | None = msgspec.field(name="senderNick", default=None)
    text: Text = Text()
    content: Content = Content()


def read_robot_message(document: dict[str, Any], documentation: str) -> RobotMessage:
    """Read one message. Of a kind that is yet to come these may hold anything: its words must not be lost for that.

    :raises Undecodable:
    """
    for name, kind in _ANYTHING:
        if name in document and not isinstance(document[name], kind):
            del document[name]
    return decode_model(RobotMessage, document, documentation)


def is_robot_message(document: dict[str, Any]) -> bool:
    return "msgtype" in document and "conversationId" in document


def word(message: RobotMessage) -> Wording:
    """Put a message of any kind into words; what stays at DingTalk is named."""
    content = message.content
    match message.kind:
        case "text":
            return Wording(message.text.content.strip())  # what follows the name of the robot begins with a space
        case "richText":
            pictures = [part for part in content.rich_text if part.download_code]
            text = "".join(part.text for part in content.rich_text).strip()
            return Wording(text, tuple(_left_there(message, "picture", "", part.download_code) for part in pictures))
    left = _left_there(message, message.kind, content.file_name, content.download_code)
    return Wording(content.recognition, (left,))


def _left_there(message: RobotMessage, kind: str, name: str, code: str) -> str:
    robot = "" if message.robot == "normal" else message.robot
    return left_behind(
        "DingTalk",
        one_line(kind, WORD_LENGTH),
        f"download code {one_line(code, WORD_LENGTH)}" if code else "no download code given",
        name=name or None,
        locator=urlencode({"code": code} | ({"robot": robot} if robot else {})) if code else None,
    )
