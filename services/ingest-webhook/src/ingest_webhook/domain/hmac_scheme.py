"""HMAC as most systems do it: which hash, in which header, spelled how, over which text. All of it is configuration."""

import binascii
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from cryptography.hazmat.primitives.hmac import HMAC

from ticket_intake.keyed_hmac import keyed_digest, signing_keys
from ticket_intake.signatures import check_signature
from ticket_intake.signed_time import check_signed_time

# SHA-1 is no choice for a new sender; as HMAC's hash it is not broken, and some have nothing else.
Algorithm = Literal["sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]

_PLACE = re.compile(r"\{(\w*)\}")
_BODY, _TIMESTAMP = "body", "timestamp"
_BODY_PLACE, _TIMESTAMP_PLACE = b"{body}", b"{timestamp}"


class HmacScheme(NamedTuple):
    """`signed` is literal text with the places `{body}` and `{timestamp}`, e.g. `v0:{timestamp}:{body}`."""

    algorithm: Algorithm
    prefix: str
    encoding: Encoding
    signed: str

    @property
    def signs_time(self) -> bool:
        return "{timestamp}" in self.signed


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
    keys: Sequence[HMAC],
    now: float,
    tolerance_seconds: float,
) -> None:
    """Check one signature, and the signed time where the scheme has one. `keys` are of the scheme's algorithm.

    :raises SignatureInvalid: or SignatureStale.
    """
    given = signature.lower() if scheme.encoding == "hex" else signature  # hexadecimal digits have two spellings
    signed = _signed(scheme.signed, body, timestamp)
    check_signature(given, [_spelled(scheme, key, signed) for key in keys])
    if scheme.signs_time:
        check_signed_time(timestamp, now, tolerance_seconds)


def hmac_signature(scheme: HmacScheme, secret: bytes, body: bytes, timestamp: bytes = b"") -> bytes:
    """Return the signature as the sender spells it."""
    [key] = signing_keys([secret], scheme.algorithm)
    return _spelled(scheme, key, _signed(scheme.signed, body, timestamp))


def _signed(template: str, body: bytes, timestamp: bytes) -> bytes:
    """Fill the template around the body, so that a `{timestamp}` within it stays what it is."""
    before, _, after = template.encode().partition(_BODY_PLACE)
    return before.replace(_TIMESTAMP_PLACE, timestamp) + body + after.replace(_TIMESTAMP_PLACE, timestamp)


def _spelled(scheme: HmacScheme, key: HMAC, signed: bytes) -> bytes:
    digest = keyed_digest(key, signed)
    if scheme.encoding == "hex":
        return scheme.prefix.lower().encode() + binascii.hexlify(digest)
    return scheme.prefix.encode() + binascii.b2a_base64(digest, newline=False)
