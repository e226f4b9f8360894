"""Finds the pictures that stand beside a page in its multipart/related, by their Content-Location."""

from collections.abc import Iterator, Mapping

from ingest_email.domain.header_text import clean, readable
from ingest_email.domain.html_pages import LONGEST_PICTURE_ID
from ingest_email.domain.picture_places import LONGEST_PLACE, PicturePlaces, absolute, invented_id, key_of
from ingest_email.mime_tree import Part


def leaves_with_places(
    part: Part, base: str = "", ids: Mapping[str, str] | None = None
) -> Iterator[tuple[Part, PicturePlaces]]:
    """Yield each leaf with the pictures that it may show; a picture without a Content-ID is given one."""
    inner = _base_of(part, base)
    if ids is None and part.media_type == "multipart/related":
        ids = _named(part, base)
    if not part.children:
        yield part, PicturePlaces(ids or {}, inner)
    for child in part.children:
        yield from leaves_with_places(child, inner, ids)


def _named(related: Part, base: str) -> dict[str, str]:
    """The Content-IDs of the pictures below a part by their places; of two at one place the first."""
    ids: dict[str, str] = {}
    for part, outer in _leaves_with_base(related, base):
        place = _stated(part.location)
        if not place or not part.media_type.startswith("image/"):
            continue
        key = key_of(absolute(place, absolute(_stated(part.base), outer) or outer))
        if key and key not in ids:
            part.content_id = clean(part.content_id)[:LONGEST_PICTURE_ID] or invented_id(key)
            ids[key] = part.content_id
    return ids


def _leaves_with_base(part: Part, base: str) -> Iterator[tuple[Part, str]]:
    if not part.children:
        yield part, base
    for child in part.children:
        yield from _leaves_with_base(child, _base_of(part, base))


def _base_of(part: Part, outer: str) -> str:
    """What makes relative places below a part absolute: Content-Base (RFC 2110), its own place, what is around it."""
    for stated in (part.base, part.location):
        if place := absolute(_stated(stated), outer):
            return place
    return outer


def _stated(value: str) -> str:
    """A place as the header says it: unfolded, encoded words decoded; empty when it is longer than any is."""
    if not value or len(value) > 4 * LONGEST_PLACE:  # encoded words take three characters for one, and some more
        return ""
    return readable(value, longest=LONGEST_PLACE + 1)
