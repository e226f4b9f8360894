"""JSON from outside, read within limits and cleaned."""

import json
import re
from typing import Any, Literal, NoReturn

import msgspec

from ticket_intake.clean_text import clean_text

# Slack's deepest blocks reach about fifteen levels; a document deeper than this is an attack on recursive code.
MAX_DEPTH = 40


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity: Python reads them, JSON has none


# Made once: `json.loads` makes a new decoder for each call with an argument of its own.
_STRICT = json.JSONDecoder(parse_constant=_refuse_constant)
_LENIENT = json.JSONDecoder(parse_constant=_refuse_constant, strict=False)
# What may become a control character: these escapes, and DEL, which JSON allows bare.
_UNCLEAN = re.compile(rb"\\(?:b|f|u00[017])")
_BACKSLASH, _DELETE = b"\\\x7f"
# Half a surrogate is among what msgspec refuses; the long way replaces it, and knows the reason for the rest.
_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class NotJson(ValueError):
    """The text is no JSON document within our limits; the message says why and holds nothing of the content."""


def decode_json_bytes(body: bytes, errors: Literal["strict", "replace"] = "strict") -> Any:
    """Decode UTF-8 (a byte order mark is tolerated) and read the document.

    :param errors: what becomes of bytes that are not UTF-8.
    :raises NotJson:
    """
    if _is_clean(body):
        try:
            return _decode_clean(body)
        except _REFUSED:
            pass
    try:
        text = body.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start}") from error
    return _decode_any(text, _STRICT)


def decode_json(text: str, *, strict: bool = True) -> Any:
    """Read one document; every string in it, names included, comes back clean.

    :param strict: refuse raw control characters inside strings, as the standard demands.
    :raises NotJson:
    """
    body = text.encode("utf-8", "surrogatepass")
    if _is_clean(body):
        try:
            return _decode_clean(body)
        except _REFUSED:
            pass
    return _decode_any(text, _STRICT if strict else _LENIENT)


def _is_clean(body: bytes) -> bool:
    """Whether a body holds nothing to clean; nearly every one is like that."""
    return _DELETE not in body and not (_BACKSLASH in body and _UNCLEAN.search(body))


def _decode_clean(body: bytes) -> Any:
    document = msgspec.json.decode(body)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:  # with fewer it cannot be deep
        _check_levels(document, MAX_DEPTH)
    return document


def _decode_any(text: str, decoder: json.JSONDecoder) -> Any:
    try:
        document = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise NotJson("a number that is not JSON or has too many digits") from error
    return _clean(document, MAX_DEPTH)


def _clean(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        _check_depth(levels)
        return {clean_text(name): _clean(item, levels - 1) for name, item in value.items()}
    if isinstance(value, list):
        _check_depth(levels)
        return [_clean(item, levels - 1) for item in value]
    return value


def _check_levels(value: Any, levels: int) -> None:
    if isinstance(value, dict | list):
        _check_depth(levels)
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, dict | list):
                _check_levels(item, levels - 1)


def _check_depth(levels: int) -> None:
    if levels == 0:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
