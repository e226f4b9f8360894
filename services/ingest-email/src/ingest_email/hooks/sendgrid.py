"""SendGrid Inbound Parse with "POST the raw, full MIME message".

https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/securing-your-parse-webhooks: a security policy signs
time and body by ECDSA (P-256, SHA-256); older settings sign nothing, and then basic authentication or a secret in the
address has to say who sends. 5xx is tried again for up to three days, 4xx is not.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from http import HTTPStatus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ingest_email.hooks.form import form_fields
from ingest_email.hooks.provider import SIGNATURE_WRONG, HookMail, HookRejected, HookRequest, malformed, unauthorised

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"

OLDEST_SECONDS, NEWEST_SECONDS = 4 * 86_400, 300
"""Whether a retry is signed anew is not documented; a repeated mail is recognised as such anyway."""


class KeyMalformed(ValueError):
    """It is not the public key of a SendGrid security policy."""


class SendGrid:
    """`keys` are public keys of security policies, base64 as SendGrid shows them; none: requests are not signed."""

    refused = HTTPStatus.NOT_ACCEPTABLE

    def __init__(self, keys: Sequence[str]) -> None:
        """:raises KeyMalformed: one is no key."""
        self._keys = [public_key(key) for key in keys]

    async def read(self, request: HookRequest) -> HookMail | None:
        if self._keys:
            self._check(request)
        fields = form_fields(request)
        raw = fields.get("email")
        if raw is None:
            raise HookRejected(
                HTTPStatus.UNPROCESSABLE_ENTITY, 'no email field: switch on "POST the raw, full MIME message"'
            )
        sender, recipients = _envelope(fields.get("envelope", b""))
        return HookMail(raw, sender, recipients)

    def _check(self, request: HookRequest) -> None:
        timestamp = request.headers.get(TIMESTAMP, "")
        if not is_signed(self._keys, timestamp, request.body, request.headers.get(SIGNATURE, "")):
            raise unauthorised(SIGNATURE_WRONG)
        age = request.now.timestamp() - int(timestamp[:12]) if timestamp.isdecimal() and timestamp.isascii() else None
        if age is None or not -NEWEST_SECONDS <= age <= OLDEST_SECONDS:
            raise unauthorised("the signature is too old, or our clock is wrong")


def is_signed(keys: Sequence[ec.EllipticCurvePublicKey], timestamp: str, body: bytes, signature: str) -> bool:
    """Whether one of the keys signed time and raw body."""
    try:
        stated = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    for key in keys:
        try:
            key.verify(stated, timestamp.encode("utf-8", "replace") + body, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            continue
        return True
    return False


def public_key(text: str) -> ec.EllipticCurvePublicKey:
    """:raises KeyMalformed:"""
    try:
        key = load_der_public_key(base64.b64decode(text))
    except ValueError as error:
        raise KeyMalformed("is not a public key as SendGrid shows it") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyMalformed("is not a public key of an elliptic curve")
    return key


def _envelope(stated: bytes) -> tuple[str, list[str]]:
    try:
        envelope = json.loads(stated)
        sender, recipients = envelope.get("from", ""), envelope["to"]
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise malformed("no envelope") from error
    if not isinstance(sender, str) or not isinstance(recipients, list):
        raise malformed("the envelope is not one")
    return sender, [recipient for recipient in recipients if isinstance(recipient, str)]
