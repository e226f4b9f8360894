"""HMAC as most systems do it: which hash, in which header, spelled how, over which text. All of it is configuration."""

import base64
import hmac
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from ticket_intake.signatures import SignatureInvalid
from ticket_intake.signed_time import check_signed_time

# SHA-1 is no choice for a new sender; as HMAC's hash it is not broken, and some have nothing else.
Algorithm = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]

_PLACE = re.compile(r"\{(\w*)\}")
_BODY, _TIMESTAMP = "body", "timestamp"


class HmacScheme(NamedTuple):
    """`signed` is literal text with the places `{body}` and `{timestamp}`, e.g. `v0:{timestamp}:{body}`."""

    algorithm: Algorithm
    prefix: str
    encoding: Encoding
    signed: str

    @property
    def signs_time(self) -> bool:
        return _TIMESTAMP in _PLACE.findall(self.signed)


# docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
GITHUB = HmacScheme("sha256", "sha256=", "hex", "{body}")


def known_template(template: str) -> str:
    """Check a template.

    :raises ValueError: it does not sign the body, or names a place that does not exist.
    """
    places = _PLACE.findall(template)
    if places.count(_BODY) != 1 or set(places) - {_BODY, _TIMESTAMP}:
        raise ValueError("must have {body} once, and at most {timestamp} besides, e.g. {timestamp}.{body}")
    return template


def verify_hmac(
    body: bytes,
    *,
    signature: bytes,
    timestamp: bytes,
    scheme: HmacScheme,
    secrets: Sequence[bytes],
    now: float,
    tolerance_seconds: float,
) -> None:
    """Check one signature, and the signed time where the scheme has one.

    :raises SignatureInvalid: or SignatureStale.
    """
    given = signature.lower() if scheme.encoding == "hex" else signature  # hexadecimal digits have two spellings
    signed = _signed(scheme.signed, body, timestamp)
    if not any(hmac.compare_digest(_spelled(scheme, secret, signed), given) for secret in secrets):
        raise SignatureInvalid
    if scheme.signs_time:
        check_signed_time(timestamp, now, tolerance_seconds)


def hmac_signature(scheme: HmacScheme, secret: bytes, body: bytes, timestamp: bytes = b"") -> bytes:
    """Return the signature as the sender spells it."""
    return _spelled(scheme, secret, _signed(scheme.signed, body, timestamp))


def _signed(template: str, body: bytes, timestamp: bytes) -> bytes:
    """Fill the template in one pass, so that a `{timestamp}` within the body stays what it is."""
    values = {_BODY: body, _TIMESTAMP: timestamp}
    parts = _PLACE.split(template)  # literal, place, literal, place, … literal
    return b"".join(values[part] if index % 2 else part.encode() for index, part in enumerate(parts))


def _spelled(scheme: HmacScheme, secret: bytes, signed: bytes) -> bytes:
    digest = hmac.digest(secret, signed, scheme.algorithm)
    if scheme.encoding == "hex":
        return scheme.prefix.lower().encode() + digest.hex().encode()
    return scheme.prefix.encode() + base64.b64encode(digest)
