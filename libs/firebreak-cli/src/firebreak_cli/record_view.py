"""A dead letter's record for an operator's eyes: without secrets, and without people's words unless asked for."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from service_kit.redaction import REDACTED, is_secret, redact_text

# Fields that logs hide because people wrote them, not because they open anything.
PEOPLES_WORDS = frozenset({"text", "body"})


def header_view(headers: list[tuple[str, bytes | None]]) -> list[tuple[str, str]]:
    """Return names and values that can be shown."""
    return [(name, REDACTED if is_secret(name) else _decoded(value)) for name, value in headers]


def value_view(value: bytes | None, with_words: bool) -> Any:
    """Return the value without secrets: JSON as it is built, else a description.

    What is no JSON has no names by which a secret could be told from the rest, so it shows only when asked for.
    """
    if value is None:
        return None
    try:
        return _clean(json.loads(value), with_words)
    except (ValueError, RecursionError):
        if with_words:
            return redact_text(value.decode("utf-8", errors="backslashreplace"))
        return f"{len(value)} bytes that are no JSON, SHA-256 {hashlib.sha256(value).hexdigest()}"


def _clean(value: Any, with_words: bool) -> Any:
    if isinstance(value, Mapping):
        return {name: _field(name, item, with_words) for name, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, with_words) for item in value]
    return redact_text(value) if isinstance(value, str) else value


def _field(name: str, item: Any, with_words: bool) -> Any:
    hidden = is_secret(name) and not (with_words and name.lower() in PEOPLES_WORDS)
    return REDACTED if hidden else _clean(item, with_words)


def _decoded(value: bytes | None) -> str:
    return "–" if value is None else redact_text(value.decode("utf-8", errors="backslashreplace"))
