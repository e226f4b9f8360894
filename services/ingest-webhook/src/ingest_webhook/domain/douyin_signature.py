"""Douyin signs SHA-1 over the secret and the body: developer.open-douyin.com, "Webhooks 概述". No time is signed."""

import hashlib
from collections.abc import Sequence

from ticket_intake.signatures import check_signature


def douyin_signature(secret: bytes, body: bytes) -> bytes:
    """Return 40 hex digits."""
    return hashlib.sha1(secret + body).hexdigest().encode()  # noqa: S324 - Douyin offers no other


def verify_douyin(body: bytes, *, signature: bytes, secrets: Sequence[bytes]) -> None:
    """Check `X-Douyin-Signature`.

    :raises SignatureInvalid:
    """
    check_signature(signature, [douyin_signature(secret, body) for secret in secrets])
