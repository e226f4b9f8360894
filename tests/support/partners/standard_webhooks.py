"""A system that sends Standard Webhooks with our payload."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, STALE_SECONDS, SignedRequest, Way


def whsec(key: bytes) -> str:
    """Write a key as the scheme does."""
    return "whsec_" + base64.b64encode(key).decode()


@dataclass
class StandardWebhooksSender:
    """`now` gives Unix seconds; `name` keeps the ids of several senders apart."""

    secret: str
    now: Callable[[], float]
    next_secret: str = whsec(b"the-next-secret-of-this-source!!")
    name: str = "shop"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: tuple[str, bytes] | None = None

    def message(self, text: str, way: Way = Way.GOOD, **data: Any) -> SignedRequest:
        """A new message; `data` adds to or replaces fields of the payload's `data`."""
        sender = {"kind": "email", "id": "li.wei@example.com", "name": "Li Wei"}
        return self.event("message.created", {"sender": sender, "text": text, **data}, way)

    def event(self, event_type: str, data: dict[str, Any], way: Way = Way.GOOD) -> SignedRequest:
        """Any event."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self.sign(*self._last, way)
        if way is Way.UNKNOWN_TYPE:
            event_type = "invoice.paid"
        if way is Way.OVERSIZED:
            data = {**data, "text": "x" * OVERSIZED_BYTES}
        body = b'{"type": ' if way is Way.MALFORMED else _encode(event_type, data)
        message_id = f"msg_{self.name}_{next(self._numbers)}"
        self._last = (message_id, body)
        return self.sign(message_id, body, way)

    def sign(self, message_id: str, body: bytes, way: Way) -> SignedRequest:
        timestamp = int(self.now()) - (STALE_SECONDS if way is Way.STALE else 0)
        secret = {Way.FORGED: whsec(b"somebody-else's-secret-entirely!"), Way.ROTATED: self.next_secret}
        key = base64.b64decode(secret.get(way, self.secret).removeprefix("whsec_"))
        signed = f"{message_id}.{timestamp}.".encode() + body
        signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": f"v1,{signature}",
        }
        return SignedRequest(headers, body)


def _encode(event_type: str, data: dict[str, Any]) -> bytes:
    return json.dumps({"type": event_type, "data": data}, ensure_ascii=False).encode()
