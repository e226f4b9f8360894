"""The words of a WhatsApp message, whatever its type, and what of it stays at WhatsApp.

developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages and the pages below it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec

from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.left_behind import LeftBehind, left_behind
from ticket_intake.clean_text import one_line

DOCUMENTATION = "docs/channels/whatsapp.md"

MEDIA = ("image", "video", "audio", "document", "sticker")
# What no person said: a tapped emoji, a changed number, an opened chat.
NOT_SAID = ("reaction", "system", "request_welcome")
_DETAIL_LENGTH = 200


class Content(msgspec.Struct, frozen=True):
    text: str
    problems: tuple[str, ...] = ()


class _Text(msgspec.Struct, frozen=True):
    body: str = ""


class _Media(msgspec.Struct, frozen=True):
    id: str | None = None
    mime_type: str | None = None
    filename: str | None = None
    caption: str | None = None
    voice: bool = False


class _Location(msgspec.Struct, frozen=True):
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None
    url: str | None = None


class _Name(msgspec.Struct, frozen=True):
    formatted_name: str | None = None
    first_name: str | None = None


class _Phone(msgspec.Struct, frozen=True):
    phone: str | None = None


class _Card(msgspec.Struct, frozen=True):
    name: _Name = _Name()
    phones: tuple[_Phone, ...] = ()


class _Cards(msgspec.Struct, frozen=True):
    contacts: tuple[_Card, ...] = ()


class _Tapped(msgspec.Struct, frozen=True):
    """A button has a text, an answer of a list or of buttons a title, a filled form its body and its fields."""

    text: str | None = None
    title: str | None = None
    description: str | None = None
    body: str | None = None
    response_json: str | None = None


class _Interactive(msgspec.Struct, frozen=True):
    button_reply: _Tapped | None = None
    list_reply: _Tapped | None = None
    nfm_reply: _Tapped | None = None


class _Product(msgspec.Struct, frozen=True):
    product_retailer_id: str = "?"
    quantity: int | None = None
    item_price: float | None = None
    currency: str | None = None


class _Order(msgspec.Struct, frozen=True):
    text: str | None = None
    product_items: tuple[_Product, ...] = ()


class _Details(msgspec.Struct, frozen=True):
    details: str | None = None


class _Error(msgspec.Struct, frozen=True):
    title: str | None = None
    error_data: _Details = _Details()


class _Refused(msgspec.Struct, frozen=True):
    errors: Annotated[tuple[_Error, ...], msgspec.Meta(max_length=20)] = ()


def read_content(kind: str, message: Mapping[str, Any]) -> Content:
    """Read the part of a message that its type names; of a type yet to come it is told that it is not understood.

    :raises Undecodable:
    """
    if read := _READERS.get(kind):
        return read(message)
    if kind in MEDIA:
        return _media(kind, decode_model(_Media, message.get(kind), DOCUMENTATION))
    return Content("", (f"WhatsApp messages of the type {one_line(kind, _DETAIL_LENGTH)} are not understood here",))


def _media(kind: str, media: _Media) -> Content:
    what = "voice message" if media.voice else kind
    typed = f"{what} of type {one_line(media.mime_type, _DETAIL_LENGTH)}" if media.mime_type else what
    where = f"media id {media.id}" if media.id else "no id given"
    return Content(media.caption or "", (_left(media, typed, where),))


def _left(media: _Media, typed: str, where: str) -> LeftBehind:
    return left_behind("WhatsApp", typed, where, name=media.filename, locator=media.id, media_type=media.mime_type)


def _text(message: Mapping[str, Any]) -> Content:
    return Content(decode_model(_Text, message.get("text"), DOCUMENTATION).body)


def _location(message: Mapping[str, Any]) -> Content:
    place = decode_model(_Location, message.get("location"), DOCUMENTATION)
    return Content(_lines(place.name, place.address, f"{place.latitude}, {place.longitude}", place.url))


def _contacts(message: Mapping[str, Any]) -> Content:
    cards = decode_model(_Cards, {"contacts": message.get("contacts", [])}, DOCUMENTATION).contacts
    return Content(_lines(*(" ".join(_card(card)) for card in cards)))


def _card(card: _Card) -> Iterator[str]:
    yield card.name.formatted_name or card.name.first_name or "?"
    yield from (phone.phone for phone in card.phones if phone.phone)


def _button(message: Mapping[str, Any]) -> Content:
    return _tapped(decode_model(_Tapped, message.get("button"), DOCUMENTATION))


def _interactive(message: Mapping[str, Any]) -> Content:
    answer = decode_model(_Interactive, message.get("interactive"), DOCUMENTATION)
    return _tapped(answer.button_reply or answer.list_reply or answer.nfm_reply or _Tapped())


def _tapped(tapped: _Tapped) -> Content:
    return Content(_lines(tapped.text, tapped.title, tapped.description, tapped.body, tapped.response_json))


def _order(message: Mapping[str, Any]) -> Content:
    order = decode_model(_Order, message.get("order"), DOCUMENTATION)
    items = (
        " ".join(map(str, filter(None, (item.quantity, "×", item.product_retailer_id, item.item_price, item.currency))))
        for item in order.product_items
    )
    return Content(_lines(order.text, *items))


def _refused(message: Mapping[str, Any]) -> Content:
    errors = decode_model(_Refused, {"errors": message.get("errors", [])}, DOCUMENTATION).errors
    reasons = "; ".join(reason for error in errors if (reason := error.error_data.details or error.title))
    return Content("", (f"WhatsApp does not pass on this message: {reasons or 'no reason given'}",))


def _lines(*lines: str | None) -> str:
    return "\n".join(line for line in lines if line)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Content]] = {
    "text": _text,
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "interactive": _interactive,
    "order": _order,
    "unsupported": _refused,
    "unknown": _refused,
}
