"""An Aircall line whose webhook tells of its calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class AircallSender:
    """`now` gives Unix seconds; ids of calls come from a counter."""

    token: str
    now: Callable[[], float]
    next_token: str = "7d3f9b1c5e8a4d2f8c6b0a9e7d5c3b1a"
    _numbers: "count[int]" = field(default_factory=lambda: count(812_000_001))
    _last: SignedRequest | None = None

    def call(self, way: Way = Way.GOOD, *, talked: int = 0, event: str = "call.ended", **data: Any) -> SignedRequest:
        """A call is over, missed unless `talked` seconds; `data` adds to or replaces what is said about it."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        ended = int(self.now())
        said: dict[str, Any] = {
            "id": next(self._numbers),
            "direction": "inbound",
            "status": "done",
            "missed_call_reason": None if talked else "agents_did_not_answer",
            "started_at": ended - 20 - talked,
            "answered_at": ended - talked if talked else None,
            "ended_at": ended,
            "duration": 20 + talked,
            "raw_digits": "+86 138 0013 8000",
            "voicemail": None,
            "contact": {"first_name": "Wei", "last_name": "Li"},
            "number": {"id": 1, "name": "Support", "digits": "+86 400 800 1234"},
            **data,
        }
        if way is Way.OVERSIZED:
            said["comments"] = ["x" * OVERSIZED_BYTES]
        if way is Way.MALFORMED:
            said["started_at"] = "yesterday"
        self._last = self.notify("user.opened" if way is Way.UNKNOWN_TYPE else event, said, way)
        return self._last

    def notify(self, event: str, data: object, way: Way = Way.GOOD) -> SignedRequest:
        """Any event, in the envelope that Aircall puts around it."""
        token = {Way.FORGED: "0" * 32, Way.ROTATED: self.next_token}.get(way, self.token)
        envelope = {"resource": "call", "event": event, "timestamp": int(self.now()), "token": token, "data": data}
        return SignedRequest({"content-type": "application/json"}, json.dumps(envelope).encode())
