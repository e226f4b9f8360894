"""Keeps secrets and what people wrote out of the logs, whoever logged them."""

import re
from collections.abc import Mapping
from typing import Any

# The last word of a field name decides, so `api_key`, `smtp_password` and `x-auth-token` are caught with one list.
SECRET_WORDS = frozenset({"authorization", "secret", "password", "token", "key", "body", "text"})
REDACTED = "[redacted]"
# Deeper than any event we log; guards against structures that contain themselves.
MAX_DEPTH = 8

_WORD_SEPARATOR = re.compile(r"[_\-. ]")
_URL_PASSWORD = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
# Our own API keys carry a prefix exactly so that they can be recognised in the middle of any text.
_API_KEY = re.compile(r"\bfb_[0-9A-Za-z]{36}\b")


def redact(value: Any, depth: int = 0) -> Any:
    """The same structure with secret fields, passwords in URLs and raw bytes replaced."""
    if depth > MAX_DEPTH:
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, Mapping):
        return {name: REDACTED if is_secret(name) else redact(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth + 1) for item in value]
    return value


def is_secret(field_name: object) -> bool:
    return isinstance(field_name, str) and _WORD_SEPARATOR.split(field_name.lower())[-1] in SECRET_WORDS


def redact_text(text: str) -> str:
    return _API_KEY.sub(REDACTED, _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text))
