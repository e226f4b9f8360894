"""Who sent this, when the proof stands in the body itself: a shared token (Aircall) or a signed one (Dialpad)."""

import base64
import hmac
from collections.abc import Sequence

from ingest_webhook.domain.json_documents import NotJson, decode_json_bytes
from ticket_intake.signatures import SignatureInvalid


def verify_token_in_body(body: bytes, name: str, tokens: Sequence[bytes]) -> None:
    """Check that the body is a JSON object with one of the tokens as its member `name`. The rest is not signed.

    :raises SignatureInvalid: also for what is no JSON, since then nobody has proved anything.
    """
    try:
        document = decode_json_bytes(body)
    except NotJson as error:
        raise SignatureInvalid from error
    given = document.get(name) if isinstance(document, dict) else None
    if not isinstance(given, str):
        raise SignatureInvalid
    # All are compared, so that the time of the answer does not tell which one was nearly right.
    matches = [hmac.compare_digest(given.encode(), token) for token in tokens]
    if not any(matches):
        raise SignatureInvalid


def verify_jwt(body: bytes, secrets: Sequence[bytes]) -> None:
    """Check a body that is one JSON Web Token signed with HS256 (RFC 7515, compact serialization).

    :raises SignatureInvalid:
    """
    signed, _, signature = body.strip().rpartition(b".")
    header, _, _ = signed.partition(b".")
    # The token may not choose how it is checked: `none` and public-key algorithms are no option.
    if signed.count(b".") != 1 or _algorithm(header) != "HS256":
        raise SignatureInvalid
    if not any(hmac.compare_digest(jwt_signature(secret, signed), signature) for secret in secrets):
        raise SignatureInvalid


def jwt_signature(secret: bytes, signed: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")


def jwt_payload(body: bytes) -> bytes:
    """Return the payload's bytes of a verified token.

    :raises NotJson: it is not base64.
    """
    try:
        return _decode(body.strip().split(b".")[1])
    except ValueError as error:
        raise NotJson("the payload of the token is not base64") from error


def _algorithm(header: bytes) -> object:
    try:
        document = decode_json_bytes(_decode(header))
    except ValueError as error:  # not base64, or not JSON
        raise SignatureInvalid from error
    return document.get("alg") if isinstance(document, dict) else None


def _decode(encoded: bytes) -> bytes:
    return base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
