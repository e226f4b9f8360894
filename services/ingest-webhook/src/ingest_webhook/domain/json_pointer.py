"""JSON Pointer (RFC 6901): where in somebody's document a value stands, as an administrator writes it."""

import re
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"(?:[^~/]|~[01])*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")

Pointer = tuple[str, ...]


@lru_cache(1024)  # the same few of a sources file, for each request
def parse_pointer(text: str) -> Pointer:
    """Return the steps of `/ticket/id`; the empty text points at the whole document.

    :raises ValueError: it does not start with a slash, or has a tilde that escapes nothing.
    """
    if text == "":
        return ()
    start, *steps = text.split("/")
    if start or not all(_STEP.fullmatch(step) for step in steps):
        raise ValueError("is no JSON pointer: it starts with /, e.g. /ticket/id; ~1 stands for / and ~0 for ~")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def resolve_pointer(document: Any, pointer: Pointer) -> Any:
    """Return the value, or None where nothing stands: to a mapping of fields, absent and null are the same."""
    for step in pointer:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and _INDEX.fullmatch(step):
            document = document[int(step)] if int(step) < len(document) else None
        else:
            return None
    return document
