"""Signatures over the whole raw body with HMAC-SHA256: Meta, LINE and X, each in its own spelling.

None of the three signs a time, so nothing can be stale; that a repeat is harmless rests on the message's identity.
"""

import binascii
from collections.abc import Sequence

from cryptography.hazmat.primitives.hmac import HMAC

from ticket_intake.keyed_hmac import keyed_digest
from ticket_intake.signatures import check_signature


def verify_meta(body: bytes, *, signature: bytes, keys: Sequence[HMAC]) -> None:
    """Check `X-Hub-Signature-256` (developers.facebook.com/docs/graph-api/webhooks/getting-started).

    Meta signs the body with its non-ASCII letters escaped, exactly as it sends it.

    :raises SignatureInvalid:
    """
    check_signature(signature, [meta_signature(body, key) for key in keys])


def verify_line(body: bytes, *, signature: bytes, keys: Sequence[HMAC]) -> None:
    """Check `x-line-signature` (developers.line.biz/en/docs/messaging-api/verify-webhook-signature).

    :raises SignatureInvalid:
    """
    check_signature(signature, [line_signature(body, key) for key in keys])


def verify_x(body: bytes, *, signature: bytes, keys: Sequence[HMAC]) -> None:
    """Check `x-twitter-webhooks-signature` (docs.x.com/x-api/webhooks/quickstart).

    :raises SignatureInvalid:
    """
    check_signature(signature, [x_signature(body, key) for key in keys])


def verify_shared_token(given: bytes, tokens: Sequence[bytes]) -> None:
    """Check a token that is sent as it is: it proves the sender and says nothing about the body.

    :raises SignatureInvalid:
    """
    check_signature(given, tokens)


def meta_signature(body: bytes, key: HMAC) -> bytes:
    return b"sha256=" + binascii.hexlify(keyed_digest(key, body))


def line_signature(body: bytes, key: HMAC) -> bytes:
    return binascii.b2a_base64(keyed_digest(key, body), newline=False)


def x_signature(body: bytes, key: HMAC) -> bytes:
    return b"sha256=" + line_signature(body, key)
