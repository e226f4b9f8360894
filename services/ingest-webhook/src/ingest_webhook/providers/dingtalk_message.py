"""What a person says to a DingTalk robot: open.dingtalk.com/document/orgapp/receive-message."""

from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.providers.wording import Wording
from ticket_intake.clean_text import one_line

WORD_LENGTH = 200
# A robot's rich text has a handful of parts; the body limit would allow a hundred thousand.
MAX_PARTS = 1000


def _object_or_empty(value: object) -> object:
    """Kinds of messages that are yet to come may hold anything here; what a person wrote must not be lost for that."""
    return value if isinstance(value, dict) else {}


def _text_or_empty(value: object) -> object:
    return value if isinstance(value, str) else ""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Text(_Part):
    content: str = ""


class RichPart(_Part):
    """A piece of rich text: words, or a picture that a download code stands for."""

    text: str = ""
    download_code: str = Field(default="", alias="downloadCode")


class Content(_Part):
    """What `content` holds for everything that is not text."""

    rich_text: tuple[RichPart, ...] = Field(default=(), alias="richText", max_length=MAX_PARTS)
    download_code: str = Field(default="", alias="downloadCode")
    file_name: str = Field(default="", alias="fileName")
    recognition: str = ""


class RobotMessage(_Part):
    """One message. `senderStaffId` is missing when the writer belongs to another organisation."""

    message_id: str = Field(alias="msgId", min_length=1, max_length=200)
    kind: str = Field(alias="msgtype", max_length=64)
    conversation_id: str = Field(alias="conversationId", min_length=1, max_length=200)
    sender_id: str | None = Field(default=None, alias="senderId", max_length=100)
    staff_id: str | None = Field(default=None, alias="senderStaffId", max_length=100)
    # Which robot heard it; `normal` is what old robots say of themselves.
    robot: Annotated[str, BeforeValidator(_text_or_empty)] = Field(default="", alias="robotCode")
    nick: str | None = Field(default=None, alias="senderNick")
    created: int = Field(alias="createAt", ge=0, lt=10**13)
    text: Annotated[Text, BeforeValidator(_object_or_empty)] = Text()
    content: Annotated[Content, BeforeValidator(_object_or_empty)] = Content()


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
