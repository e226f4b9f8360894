"""Weibo's 粉丝服务, handing a verified account what its followers write."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.support.partners.sealed_callback import signature_of
from tests.support.partners.signed_request import OVERSIZED_BYTES, STALE_SECONDS, SignedRequest, Way


@dataclass
class WeiboSender:
    """The signature covers time and nonce only; the body is whatever comes with it."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "fedcba98765432100123456789abcdef"
    account: int = 1902538057
    user: int = 2489518277
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def message(self, text: str, way: Way = Way.GOOD, **fields: Any) -> SignedRequest:
        """A follower writes; `fields` add to or replace fields of the message. Each has its own second."""
        if way is Way.UNKNOWN_TYPE:
            fields = {"type": "event", "data": {"subtype": "follow"}}
        if way is Way.OVERSIZED:
            text = "x" * OVERSIZED_BYTES
        second = datetime.fromtimestamp(self.now() + next(self._numbers), UTC)
        said = {
            "type": "text",
            "receiver_id": self.account,
            "sender_id": self.user,
            "created_at": second.strftime("%a %b %d %H:%M:%S +0000 %Y"),
            "text": text,
            "data": {},
            **fields,
        }
        return self.document(json.dumps(said, ensure_ascii=False).encode(), way)

    def document(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """Any body."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            content = self._last
        if way is Way.MALFORMED:
            content = b'{"type": '
        self._last = content
        return SignedRequest({"content-type": "application/json"}, content, urlencode(self._signed(way)))

    def challenge(self, content: str, way: Way = Way.GOOD) -> SignedRequest:
        """The question whether the address is ours."""
        return SignedRequest({}, b"", urlencode({**self._signed(way), "echostr": content}), "GET")

    def _signed(self, way: Way) -> dict[str, str]:
        secret = {Way.FORGED: "0" * 32, Way.ROTATED: self.next_secret}.get(way, self.secret)
        timestamp = str(int((self.now() - (STALE_SECONDS if way is Way.STALE else 0)) * 1000))
        nonce = str(57155157 + next(self._numbers))
        return {"signature": signature_of(secret, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
