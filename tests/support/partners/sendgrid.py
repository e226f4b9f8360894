"""SendGrid's Inbound Parse that posts whole mails, with a security policy that signs or without one."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.partners.mail_form import multipart_form
from tests.support.partners.signed_request import SignedRequest, Way

OLD_SECONDS = 5 * 86_400  # retries end after three days


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class SendGridSender:
    """Signs with its policy's key."""

    now: Callable[[], float]
    signs: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)
    next_key: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)
    _last: SignedRequest | None = None

    def public_keys(self) -> list[str]:
        """As the policies show them: base64 of the DER."""
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        keys = (self.key, self.next_key)
        return [base64.b64encode(key.public_key().public_bytes(encoding, form)).decode() for key in keys]

    def mail(self, raw: bytes, sender: str, recipient: str, way: Way = Way.GOOD) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        envelope = {"to": [recipient], "from": sender} if way is not Way.MALFORMED else {"to": "nobody"}
        fields = {"email": raw, "envelope": json.dumps(envelope).encode(), "SPF": b"pass", "sender_ip": b"203.0.113.7"}
        if way is Way.UNKNOWN_TYPE:  # mail comes parsed: "POST the raw, full MIME message" is off
            fields["text"] = fields.pop("email")
        content_type, body = multipart_form(fields)
        headers = {"content-type": content_type, "user-agent": "Sendlib/1.0"}
        if self.signs:
            headers |= self._signature(body, way)
        self._last = SignedRequest(headers, body)
        return self._last

    def _signature(self, body: bytes, way: Way) -> dict[str, str]:
        timestamp = str(int(self.now()) - (OLD_SECONDS if way is Way.STALE else 0))
        key = {Way.FORGED: _new_key(), Way.ROTATED: self.next_key}.get(way, self.key)
        signature = key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
            "x-twilio-email-event-webhook-timestamp": timestamp,
        }
