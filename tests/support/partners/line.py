"""A LINE official account to which people write."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class LineSender:
    """`now` gives Unix seconds. Ids are numbered, so each message is another one."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "1f0e2d3c4b5a69788796a5b4c3d2e1f0"
    account: str = "U8e742f61d673b39c7fff3cecb7536ef0"
    person: str = "U4af4980629f4a0a5b9f1c6d8e7b2a3c1"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: dict[str, Any] | None = None

    def message(self, text: str, /, way: Way = Way.GOOD, **message: Any) -> SignedRequest:
        """Somebody writes; `message` adds to or replaces fields of the message."""
        if way is Way.UNKNOWN_TYPE:
            return self.notification([self.event("follow", follow={"isUnblocked": False})], way)
        body = "x" * OVERSIZED_BYTES if way is Way.OVERSIZED else text
        said = {"id": f"46886{next(self._numbers):013d}", "type": "text", "text": body, **message}
        return self.notification([self.event("message", message=said)], way)

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        """One event, as it stands among others in a notification."""
        common = {
            "type": kind,
            "mode": "active",
            "timestamp": int(self.now() * 1000),
            "source": {"type": "user", "userId": self.person},
            "webhookEventId": f"01KARQ{next(self._numbers):020d}",
            "deliveryContext": {"isRedelivery": False},
            "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA",
        }
        return common | fields

    def notification(self, events: list[dict[str, Any]], way: Way = Way.GOOD) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            again = {"deliveryContext": {"isRedelivery": True}}
            self._last = self._last | {"events": [event | again for event in self._last["events"]]}
        else:
            self._last = {"destination": self.account, "events": events}
        body = json.dumps(self._last, ensure_ascii=False).encode()
        return self.sign(body[: len(body) // 2] if way is Way.MALFORMED else body, way)

    def sign(self, body: bytes, way: Way = Way.GOOD) -> SignedRequest:
        secret = {Way.FORGED: "0" * 32, Way.ROTATED: self.next_secret}.get(way, self.secret)
        signature = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
        headers = {"content-type": "application/json; charset=utf-8", "x-line-signature": signature}
        return SignedRequest(headers, body)
