"""A token for a form in a browser, which can keep no secret: short-lived, for one form, and of use once.

It does not say who writes; it makes a stranger's script ask us before each message, and names the message: whatever is
sent with the same token again is a repeat of the first.
"""

import hmac
from collections.abc import Sequence

from ticket_intake.signatures import SignatureInvalid
from ticket_intake.signed_time import check_signed_time

_DOMAIN = b"firebreak form token"  # the same secret used elsewhere makes no token


def form_token(secret: bytes, form: str, issued_at: int, nonce: str) -> str:
    """Return `<issued>.<nonce>.<signature>`; `nonce` is unguessable and never given twice."""
    return f"{issued_at}.{nonce}.{_signature(secret, form, str(issued_at), nonce)}"


def verify_form_token(token: str, *, form: str, secrets: Sequence[bytes], now: float, valid_seconds: int) -> None:
    """Check a token.

    :raises SignatureInvalid: or SignatureStale.
    """
    issued_at, nonce, signature = _parts(token)
    expected = [_signature(secret, form, issued_at, nonce) for secret in secrets]
    if not nonce or not any(hmac.compare_digest(one.encode(), signature.encode()) for one in expected):
        raise SignatureInvalid
    check_signed_time(issued_at.encode(), now, valid_seconds)


def nonce_of(token: str) -> str:
    return _parts(token)[1]


def _parts(token: str) -> tuple[str, str, str]:
    issued_at, _, rest = token.partition(".")
    nonce, _, signature = rest.partition(".")
    return issued_at, nonce, signature


def _signature(secret: bytes, form: str, issued_at: str, nonce: str) -> str:
    signed = b"\0".join((_DOMAIN, form.encode(), issued_at.encode(), nonce.encode()))
    return hmac.digest(secret, signed, "sha256").hex()
