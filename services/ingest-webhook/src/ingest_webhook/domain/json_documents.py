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
# What may become a control character or a surrogate: these escapes, and DEL, which JSON allows bare.
_UNCLEAN = re.compile(rb"\\u(?:00[01789]|[dD][89a-fA-F])")
_BACKSLASH, _DELETE = b"\\\x7f"


class NotJson(ValueError):
    """The text is no JSON document within our limits; the message says why and holds nothing of the content."""


def decode_json_bytes(body: bytes, errors: Literal["strict", "replace"] = "strict") -> Any:
    """Decode UTF-8 (a byte order mark is tolerated) and read the document.

    :param errors: what becomes of bytes that are not UTF-8.
    :raises NotJson:
    """
    if _is_plain(body):
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass  # it takes less than the long way below, which also knows the reason
    try:
        text = body.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start}") from error
    return decode_json(text)


def decode_json(text: str, *, strict: bool = True) -> Any:
    """Read one document; every string in it, names included, comes back clean.

    :param strict: refuse raw control characters inside strings, as the standard demands.
    :raises NotJson:
    """
    try:
        document = (_STRICT if strict else _LENIENT).decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"not JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise NotJson("a number that is not JSON or has too many digits") from error
    few_brackets = text.count("{") + text.count("[") <= MAX_DEPTH
    if few_brackets and text.isprintable() and "\\u" not in text:
        return document  # it cannot be deep, and nothing in it is to be cleaned
    return _clean(document, MAX_DEPTH)


def _is_plain(body: bytes) -> bool:
    """Whether a body has too few brackets to be deep and holds nothing to clean; nearly every one is like that."""
    return (
        body.count(b"{") + body.count(b"[") <= MAX_DEPTH
        and _DELETE not in body
        and not (_BACKSLASH in body and _UNCLEAN.search(body))
    )


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


def _check_depth(levels: int) -> None:
    if levels == 0:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
