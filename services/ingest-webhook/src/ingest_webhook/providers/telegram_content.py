"""What stands in a Telegram message, in words, and what of it stays there: core.telegram.org/bots/api#message."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.left_behind import left_behind

_DOCUMENTATION = "docs/channels/telegram.md"

FILES = ("animation", "audio", "document", "sticker", "video", "video_note", "voice")
# What makes a message one that somebody wrote; the others tell about the chat.
SAID = frozenset(
    ("text", "caption", "photo", "location", "venue", "contact", "poll", "dice", "story", "paid_media", *FILES)
)


class TelegramPart(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _File(TelegramPart):
    file_id: str = ""
    file_name: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    emoji: str | None = None


class _Location(TelegramPart):
    latitude: float
    longitude: float


class _Venue(TelegramPart):
    title: str = ""
    address: str = ""


class _Contact(TelegramPart):
    phone_number: str = ""
    first_name: str = ""
    last_name: str = ""


class _Option(TelegramPart):
    text: str = ""


class _Poll(TelegramPart):
    question: str = ""
    options: tuple[_Option, ...] = ()


class _Dice(TelegramPart):
    emoji: str = ""
    value: int = 0


class _Said(TelegramPart):
    text: str | None = None
    caption: str | None = None
    photo: tuple[_File, ...] = Field(default=(), description="one picture in several sizes, the largest last")
    animation: _File | None = None
    audio: _File | None = None
    document: _File | None = None
    sticker: _File | None = None
    video: _File | None = None
    video_note: _File | None = None
    voice: _File | None = None
    location: _Location | None = None
    venue: _Venue | None = None
    contact: _Contact | None = None
    poll: _Poll | None = None
    dice: _Dice | None = None
    story: dict[str, object] | None = None
    paid_media: dict[str, object] | None = None


class Content(NamedTuple):
    text: str
    problems: tuple[str, ...]
    is_place: bool


def has_content(document: object) -> bool:
    return isinstance(document, dict) and not SAID.isdisjoint(document)


def read_content(document: object) -> Content:
    """Read what was said.

    :raises Undecodable:
    """
    said = decode_model(_Said, document, _DOCUMENTATION)
    return Content("\n".join(filter(None, _lines(said))), tuple(_problems(said)), said.location is not None)


def _lines(said: _Said) -> Iterator[str | None]:
    yield said.text
    yield said.caption
    if said.venue:
        yield f"{said.venue.title}\n{said.venue.address}".strip()
    if said.location:
        yield f"{said.location.latitude}, {said.location.longitude}"
    if said.contact:
        contact = said.contact
        yield " ".join(filter(None, (contact.first_name, contact.last_name, contact.phone_number)))
    if said.poll:
        yield "\n".join((said.poll.question, *(f"- {option.text}" for option in said.poll.options)))
    if said.dice:
        yield f"{said.dice.emoji} {said.dice.value}"
    if said.sticker:
        yield said.sticker.emoji


def _problems(said: _Said) -> Iterator[str]:
    if said.photo:
        yield _left(said.photo[-1], "photo")
    for kind in FILES:
        file = getattr(said, kind)
        if file and not (kind == "document" and said.animation):  # an animation is told as a document as well
            yield _left(file, kind.replace("_", " "))

    if said.story is not None or said.paid_media is not None:
        yield "Telegram does not pass on stories and paid media; look at it in Telegram"


def _left(file: _File, kind: str) -> str:
    return left_behind(
        "Telegram",
        kind,
        f"file id {file.file_id}",
        name=file.file_name,
        size=file.file_size,
        locator=file.file_id,
        media_type=file.mime_type,
    )
