"""What stands in a Telegram message, in words, and what of it stays there: core.telegram.org/bots/api#message."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.left_behind import left_behind

_DOCUMENTATION = "docs/channels/telegram.md"

FILES = ("animation", "audio", "document", "sticker", "video", "video_note", "voice")
# What makes a message one that somebody wrote; the others tell about the chat.
SAID = frozenset(
    ("text", "caption", "photo", "location", "venue", "contact", "poll", "dice", "story", "paid_media", *FILES)
)
_TEXT_ALONE = {"text"}


class _File(msgspec.Struct, frozen=True):
    file_id: str = ""
    file_name: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    emoji: str | None = None


class _Location(msgspec.Struct, frozen=True):
    latitude: float
    longitude: float


class _Venue(msgspec.Struct, frozen=True):
    title: str = ""
    address: str = ""


class _Contact(msgspec.Struct, frozen=True):
    phone_number: str = ""
    first_name: str = ""
    last_name: str = ""


class _Option(msgspec.Struct, frozen=True):
    text: str = ""


class _Poll(msgspec.Struct, frozen=True):
    question: str = ""
    options: tuple[_Option, ...] = ()


class _Dice(msgspec.Struct, frozen=True):
    emoji: str = ""
    value: int = 0


class _Said(msgspec.Struct, frozen=True):
    text: str | None = None
    caption: str | None = None
    photo: tuple[_File, ...] = ()  # one picture in several sizes, the largest last
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


class Content(msgspec.Struct, frozen=True):
    text: str
    problems: tuple[str, ...]
    is_place: bool


def read_content(message: Mapping[str, Any]) -> Content | None:
    """Read what was said; None where nothing was, because somebody joined or a message was pinned.

    :raises Undecodable:
    """
    parts = SAID.intersection(message)
    if not parts:
        return None
    said = decode_model(_Said, message, _DOCUMENTATION)
    if parts == _TEXT_ALONE:
        return Content(said.text or "", (), is_place=False)
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
