"""Opaque page cursors: the last key of a page, so that pages stay right while rows are added."""

import base64
import binascii


class BadCursor(ValueError):
    """The cursor was not one of ours."""


def encode_cursor(key: int) -> str:
    """Return the cursor after the row with this key."""
    return base64.urlsafe_b64encode(f"after:{key}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Return the key of a cursor.

    :raises BadCursor: it was not made by `encode_cursor`.
    """
    try:
        word, _, key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(":")
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise BadCursor(cursor) from error
    if word != "after" or not key.isdecimal() or len(key) > 18:  # 18 digits always fit a bigint
        raise BadCursor(cursor)
    return int(key)
