"""What the senders of Meta's three products have in common; their own modules know what an entry says."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.support.partners.signed_request import SignedRequest, Way


@dataclass
class MetaSender:
    """`now` gives Unix seconds. Ids are numbered, so each message is another one."""

    secret: str
    now: Callable[[], float]
    verify_token: str = "a-verify-token-of-our-own"
    next_secret: str = "9d1c3ab04be7432cb1c6d27e8c31c0de"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def milliseconds(self) -> int:
        return int(self.now() * 1000)

    def ask(self, *, token: str | None = None, challenge: str = "1158201444", mode: str = "subscribe") -> SignedRequest:
        """The question by which Meta checks an address before it sends anything to it."""
        token = self.verify_token if token is None else token
        query = urlencode({"hub.mode": mode, "hub.challenge": challenge, "hub.verify_token": token})
        return SignedRequest({"user-agent": "facebookplatform/1.0"}, b"", query, method="GET")

    def notification(self, about: str, entries: list[dict[str, Any]], way: Way = Way.GOOD) -> SignedRequest:
        """Entries of one or more pages or accounts."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self.sign(self._last, way)
        document = {"object": about, "entry": entries}
        # Meta escapes what is not ASCII, and slashes, and signs what it sends.
        self._last = json.dumps(document, separators=(",", ":")).replace("/", r"\/").encode()
        return self.sign(self._last[: len(self._last) // 2] if way is Way.MALFORMED else self._last, way)

    def sign(self, body: bytes, way: Way = Way.GOOD) -> SignedRequest:
        secret = {Way.FORGED: "0" * 32, Way.ROTATED: self.next_secret}.get(way, self.secret)
        signature = hmac.digest(secret.encode(), body, "sha256").hex()
        headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
        return SignedRequest(headers, body)
