"""Who sent this? Each check works on the raw bytes as they came, before any parsing, with the time passed in."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hmac import HMAC

from ticket_intake.keyed_hmac import keyed_digest, signing_keys

# Both schemes recommend five minutes, and so do their own libraries: long enough for clocks that differ a little.
TOLERANCE_SECONDS = 300
# A sender in rotation signs with two keys. The rest is room; an endless list must not buy endless Ed25519 checks.
MAX_SIGNATURES = 10
# Unix seconds have ten digits until the year 2286.
_TIMESTAMP_DIGITS = 12

_SYMMETRIC_PREFIX, _PUBLIC_PREFIX = "whsec_", "whpk_"
# Standard Webhooks, "Signature scheme": a secret has between 24 and 64 bytes.
_SECRET_BYTES = range(24, 65)


class SignatureInvalid(Exception):
    """None of the source's secrets made this signature."""


class SignatureStale(Exception):
    """Rightly signed, but too long ago or in the future: a replay, or a clock that is wrong."""


class SecretMalformed(ValueError):
    """A configured secret cannot be one of this scheme. The message never contains it."""


@dataclass(frozen=True, slots=True)
class StandardKeys:
    """The active keys of a Standard Webhooks source: shared secrets (v1) and public keys (v1a)."""

    shared: tuple[HMAC, ...]
    public: tuple[Ed25519PublicKey, ...]


def standard_keys(secrets: Sequence[str]) -> StandardKeys:
    """Read `whsec_…` (or bare base64) and `whpk_…`.

    :raises SecretMalformed: a secret is not base64 or has the wrong length.
    """
    shared, public = [], []
    for secret in secrets:
        if secret.startswith(_PUBLIC_PREFIX):
            public.append(_public_key(secret.removeprefix(_PUBLIC_PREFIX)))
            continue
        key = _decode_base64(secret.removeprefix(_SYMMETRIC_PREFIX))
        if len(key) not in _SECRET_BYTES:
            raise SecretMalformed(f"holds {len(key)} bytes; a Standard Webhooks secret has 24 to 64 bytes, in base64")
        shared.append(key)
    return StandardKeys(signing_keys(shared), tuple(public))


def verify_standard_webhook(
    body: bytes, *, message_id: bytes, timestamp: bytes, signatures: bytes, keys: StandardKeys, now: float
) -> None:
    """Check Standard Webhooks 1.0: one of the space-separated signatures must be made by one of the active keys.

    :raises SignatureInvalid: or SignatureStale.
    """
    signed = b".".join((message_id, timestamp, body))
    given = signatures.split(b" ", MAX_SIGNATURES)[:MAX_SIGNATURES]
    if not message_id or not (
        _matches_shared(signed, given, keys.shared) or _matches_public(signed, given, keys.public)
    ):
        raise SignatureInvalid
    _check_age(timestamp, now)


def verify_slack(body: bytes, *, timestamp: bytes, signature: bytes, keys: Sequence[HMAC], now: float) -> None:
    """Check Slack's v0 signature (api.slack.com/authentication/verifying-requests-from-slack).

    :raises SignatureInvalid: or SignatureStale.
    """
    signed = b":".join((b"v0", timestamp, body))
    check_signature(signature, [slack_signature(key, signed) for key in keys])
    _check_age(timestamp, now)


def slack_signature(key: HMAC, signed: bytes) -> bytes:
    return b"v0=" + binascii.hexlify(keyed_digest(key, signed))


def check_signature(given: bytes, allowed: Sequence[bytes]) -> None:
    """Compare what a sender gave with what each of the active secrets makes of the request.

    :raises SignatureInvalid:
    """
    # All are compared, so that the time of the answer does not tell which one was nearly right.
    matches = False
    for one in allowed:
        matches |= hmac.compare_digest(given, one)
    if not matches:
        raise SignatureInvalid


def verify_basic_credentials(authorization: bytes, credentials: Sequence[bytes]) -> None:
    """Check HTTP basic authentication (RFC 7617); `credentials` are `user:password`. Nothing here can be stale.

    :raises SignatureInvalid:
    """
    scheme, _, encoded = authorization.partition(b" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error as error:
        raise SignatureInvalid from error
    # All are compared, so that the time of the answer does not tell which one was nearly right.
    matches = [hmac.compare_digest(given, expected) for expected in credentials]
    if scheme.lower() != b"basic" or not any(matches):
        raise SignatureInvalid


def _matches_shared(signed: bytes, given: Sequence[bytes], keys: Sequence[HMAC]) -> bool:
    for key in keys:
        expected = b"v1," + binascii.b2a_base64(keyed_digest(key, signed), newline=False)
        for signature in given:
            if hmac.compare_digest(expected, signature):
                return True
    return False


def _matches_public(signed: bytes, given: Sequence[bytes], keys: Sequence[Ed25519PublicKey]) -> bool:
    encoded = [signature.removeprefix(b"v1a,") for signature in given if signature.startswith(b"v1a,")]
    return any(_verifies(key, signature, signed) for key in keys for signature in encoded)


def _verifies(key: Ed25519PublicKey, encoded: bytes, signed: bytes) -> bool:
    try:
        key.verify(base64.b64decode(encoded, validate=True), signed)
    except (InvalidSignature, binascii.Error):
        return False
    return True


def _check_age(timestamp: bytes, now: float) -> None:
    if not timestamp.isdigit() or len(timestamp) > _TIMESTAMP_DIGITS:
        raise SignatureInvalid  # signed, so by somebody with the secret, but no time at all
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureStale


def _public_key(encoded: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(_decode_base64(encoded))
    except ValueError as error:
        raise SecretMalformed("is no Ed25519 public key: `whpk_` is followed by its 32 bytes in base64") from error


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # some senders leave the padding out
    except ValueError as error:
        raise SecretMalformed("is not base64 after its `whsec_` or `whpk_`") from error
