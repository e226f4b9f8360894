"""The parts of a mail, transfer encodings undone: by the fast parser, or by the standard library where it gives up.

The fast parser (Rust, about ten times faster) is strict about base64, does not know uuencode, drops the body of a
multipart without a boundary, reads raw 8-bit names as Latin-1, and takes four times as long for twice as many encoded
words in one field: such mails take the second way.
"""

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from functools import lru_cache

from fast_mail_parser import ParseError, PyMimePart, parse_email_tree

from ingest_email.domain.header_text import decode_raw_bytes, unfolded
from ingest_email.reading_limits import ReadingLimits

# Whatever stands before a colon, and also without one: the fast parser takes names that RFC 5322 does not know.
_FIELD = re.compile(rb"^.*(?:\n[ \t].*)*", re.MULTILINE)
_MOST_PAIRS = 25_000_000
"""Of encoded words in one field, over all fields: 5,000 words in one take 0.1 s, and nothing could interrupt it."""
_TRANSFER_ENCODINGS = {"", "7bit", "8bit", "binary", "base64", "quoted-printable"}


class OutsideLimits(Exception):
    """The mail has more parts, or deeper ones, than are read."""


@dataclass(slots=True)
class Part:
    """One node; an embedded mail is a leaf with its bytes.

    `file_name`, `location` (Content-Location) and `base` (Content-Base) are as stated, perhaps still encoded words.
    """

    media_type: str
    charset: str | None = None
    file_name: str = ""
    content_id: str = ""
    location: str = ""
    base: str = ""
    disposition: str = ""
    content: bytes = b""
    parameters: dict[str, str] = field(default_factory=dict)
    children: list["Part"] = field(default_factory=list)


def read_tree(raw: bytes, limits: ReadingLimits) -> Part:
    """Return the root part.

    :raises OutsideLimits: too many parts, or too deep.
    """
    budget = [limits.parts]
    try:
        tree = None if _has_too_many_words(raw) else _fast_part(parse_email_tree(raw), 0, budget, limits)
    except ParseError:
        tree = None
    if tree is None:
        tree = _slow_part(message_from_bytes(raw), 0, [limits.parts], limits)
    return tree


def _has_too_many_words(raw: bytes) -> bool:
    if raw.count(b"=?") ** 2 <= _MOST_PAIRS:  # nearly every mail: a look at each byte is enough
        return False
    return sum(field[0].count(b"=?") ** 2 for field in _FIELD.finditer(raw)) > _MOST_PAIRS


def parameters_of(content_type: str) -> dict[str, str]:
    """Return the parameters of a Content-Type value, none when it is malformed."""
    return dict(_parameters(content_type))


@lru_cache(maxsize=256)  # mails of one program have the same few values, but for boundaries
def _parameters(content_type: str) -> tuple[tuple[str, str], ...]:
    carrier = Message()
    carrier["Content-Type"] = content_type
    return tuple(_stated_parameters(carrier).items())


def _count(depth: int, budget: list[int], limits: ReadingLimits) -> None:
    budget[0] -= 1
    if budget[0] < 0:
        raise OutsideLimits(f"more than {limits.parts} parts")
    if depth > limits.depth:
        raise OutsideLimits(f"parts nested deeper than {limits.depth}")


def _fast_part(node: PyMimePart, depth: int, budget: list[int], limits: ReadingLimits) -> Part | None:
    """Return the part, None when the fast parser cannot be relied on for this mail."""
    _count(depth, budget, limits)
    headers = {name.lower(): values for name, values in node.headers.items()}
    content_type = headers.get("content-type", [""])[0]
    is_multipart = node.content_type.startswith("multipart/")
    encoding = headers.get("content-transfer-encoding", [""])[0].strip().lower()
    if encoding not in _TRANSFER_ENCODINGS or (is_multipart and not node.children) or _is_latin_1_only(node.filename):
        return None
    part = Part(
        media_type=node.content_type.lower(),
        file_name=node.filename,
        content_id=node.content_id or "",
        location=headers.get("content-location", [""])[0],
        base=headers.get("content-base", [""])[0],
        disposition=(node.disposition or "").lower(),
        content=node.content or b"",
        parameters=parameters_of(content_type),
    )
    part.charset = part.parameters.get("charset")
    for child in () if node.is_message else node.children:
        read = _fast_part(child, depth + 1, budget, limits)
        if read is None:
            return None
        part.children.append(read)
    return part


def _is_latin_1_only(name: str) -> bool:
    """A name that may be raw bytes shown as Latin-1, in truth Chinese or UTF-8."""
    return not name.isascii() and all(ord(character) < 0x100 for character in name)


def _slow_part(node: "Message[str, str]", depth: int, budget: list[int], limits: ReadingLimits) -> Part:
    _count(depth, budget, limits)
    parameters = _stated_parameters(node)
    part = Part(
        media_type=_media_type(node),
        charset=parameters.get("charset"),
        file_name=_file_name(node, parameters),
        content_id=str(node.get("Content-ID", "")).strip().strip("<>"),
        location=str(node.get("Content-Location", "")),
        base=str(node.get("Content-Base", "")),
        disposition=str(node.get("Content-Disposition", "")).split(";")[0].strip().lower(),
        parameters=parameters,
    )
    payload = node.get_payload()
    if part.media_type.startswith("message/") and isinstance(payload, list):
        part.content = b"\r\n\r\n".join(child.as_bytes() for child in payload if isinstance(child, Message))
    elif isinstance(payload, list):
        part.children = [_slow_part(c, depth + 1, budget, limits) for c in payload if isinstance(c, Message)]
    else:
        decoded = node.get_payload(decode=True)
        part.content = decoded if isinstance(decoded, bytes) else b""
    return part


def _media_type(node: "Message[str, str]") -> str:
    try:
        media_type = node.get_content_type()
    except (IndexError, ValueError):  # python/cpython#151857
        media_type = str(node.get("Content-Type", "")).split(";")[0].strip().lower()
    is_leaf = not isinstance(node.get_payload(), list)
    if is_leaf and (media_type.startswith("multipart/") or media_type.count("/") != 1):
        return "text/plain"  # no boundary: what there is, is text
    return media_type


def _file_name(node: "Message[str, str]", parameters: dict[str, str]) -> str:
    """`get_filename` of a copy whose raw 8-bit bytes are decoded: the standard library would replace them."""
    copy = Message()
    for name, value in node.raw_items():
        if name.lower() in ("content-disposition", "content-type"):
            copy[name] = decode_raw_bytes(unfolded(str(value)), parameters.get("charset"))
    try:
        return copy.get_filename("")
    except (IndexError, ValueError, LookupError):
        return ""


def _stated_parameters(node: "Message[str, str]") -> dict[str, str]:
    try:
        stated = node.get_params([], "content-type")
    except (IndexError, ValueError):  # `name*` without a value: python/cpython#151857
        return _plain_parameters(str(node.get("Content-Type", "")))
    parameters: dict[str, str] = {}
    for name, value in (stated or [])[1:]:
        text = value[2] if isinstance(value, tuple) else value
        parameters.setdefault(name.lower().rstrip("*"), text)
    return parameters


def _plain_parameters(content_type: str) -> dict[str, str]:
    """The parameters that have a value and no RFC 2231 marks, of a value that the standard library cannot read."""
    pairs = (piece.partition("=") for piece in content_type.split(";")[1:])
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if value and "*" not in name}
