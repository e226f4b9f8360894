"""A Twilio account that calls the webhooks of a number: messages and calls."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from urllib.parse import urlencode

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class TwilioSender:
    """`public_url` is our address as the account knows it. SIDs are made from a counter, so each is unique."""

    token: str
    public_url: str
    next_token: str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    customer: str = "+8613800138000"
    number: str = "+864008001234"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: SignedRequest | None = None

    def sms(self, text: str, way: Way = Way.GOOD, **fields: str) -> SignedRequest:
        """Somebody writes to the number; `fields` adds to or replaces what Twilio says about it."""
        said = {"MessageSid": self._sid("SM"), "SmsStatus": "received", "NumMedia": "0", "Body": text}
        if way is Way.UNKNOWN_TYPE:
            said["SmsStatus"] = "a-status-of-tomorrow"
        return self._request(said | fields, way, "Body")

    def receipt(self, sid: str, status: str = "delivered", **fields: str) -> SignedRequest:
        """What became of a message that the number sent: there `From` is the number."""
        told = {"MessageSid": sid, "MessageStatus": status, "SmsStatus": status}
        return self._request({**told, "From": self.number, "To": self.customer, **fields}, Way.GOOD, "To")

    def call(self, way: Way = Way.GOOD, *, talked: int = 0, **fields: str) -> SignedRequest:
        """The last status callback of a call: nobody picked up, unless `talked` seconds."""
        said = {
            "CallSid": self._sid("CA"),
            "Direction": "inbound",
            "CallStatus": "completed" if talked else "no-answer",
            "CallDuration": str(talked),
            "Timestamp": "Mon, 23 Nov 2026 11:59:30 +0000",
            "SequenceNumber": "0",
            "CallbackSource": "call-progress-events",
        }
        if way is Way.UNKNOWN_TYPE:
            said["CallStatus"] = "a-status-of-tomorrow"
        return self._request(said | fields, way, "CallerName")

    def sign(
        self, body: bytes, way: Way = Way.GOOD, query: str = "", fields: Mapping[str, str] | None = None
    ) -> SignedRequest:
        """Sign any body: by `fields` when it is a form of them, else by its digest, as Twilio does with JSON."""
        if fields is None:
            query = "&".join(filter(None, (query, f"bodySHA256={sha256(body).hexdigest()}")))
        url = f"{self.public_url}?{query}" if query else self.public_url
        signed = url + "".join(name + value for name, value in sorted((fields or {}).items()))
        token = {Way.FORGED: "0" * 32, Way.ROTATED: self.next_token}.get(way, self.token)
        signature = base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()
        kind = "application/json" if fields is None else "application/x-www-form-urlencoded"
        headers = {
            "content-type": f"{kind}; charset=UTF-8",
            "user-agent": "TwilioProxy/1.1",
            "x-twilio-signature": signature,
        }
        return SignedRequest(headers, body, query)

    def _request(self, said: Mapping[str, str], way: Way, long_field: str) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        fields = {"AccountSid": "AC" + "1" * 32, "From": self.customer, "To": self.number, **said}
        if way is Way.OVERSIZED:
            fields[long_field] = "x" * OVERSIZED_BYTES
        if way is Way.MALFORMED:
            fields = {name: "" if name.endswith("Sid") else value for name, value in fields.items()}
        self._last = self.sign(urlencode(fields).encode(), way, fields=fields)
        return self._last

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):032x}"
