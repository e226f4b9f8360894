"""Who sent a mail, where the envelope is gone: the server that delivered it wrote `Return-Path` (RFC 5321 §4.4)."""

import re

UNKNOWN = "-"
"""Neither an address nor the empty sender of bounces."""

_RETURN_PATH = re.compile(rb"^Return-Path:[ \t]*<([^<>\r\n]{0,320})>", re.IGNORECASE | re.MULTILINE)
_HEADERS = 1024 * 1024  # bytes; as many as are read of a mail's headers


def stated_envelope_sender(raw: bytes) -> str:
    """Return the first Return-Path: "" for a bounce's, and `UNKNOWN` when there is none."""
    found = _RETURN_PATH.search(header_block(raw))
    return found[1].decode("ascii", "replace") if found else UNKNOWN


def header_block(raw: bytes) -> bytes:
    """Return what stands above the first blank line, or all of a beginning without one."""
    beginning = raw[:_HEADERS]
    ends = [at for mark in (b"\r\n\r\n", b"\n\n") if (at := beginning.find(mark)) >= 0]
    return beginning[: min(ends)] if ends else beginning
