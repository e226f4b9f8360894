"""A Dialpad company whose call event subscription has a secret."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class DialpadSender:
    """`now` gives Unix seconds; ids of calls come from a counter."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "the-next-dialpad-secret"
    _numbers: "count[int]" = field(default_factory=lambda: count(5_635_304_278_851_584))
    _last: SignedRequest | None = None

    def call(self, way: Way = Way.GOOD, *, talked: int = 0, **event: Any) -> SignedRequest:
        """A call is over, missed unless `talked` seconds; `event` adds to or replaces fields of the event."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        ended = int(self.now()) * 1000
        said: dict[str, Any] = {
            "call_id": next(self._numbers),
            "state": "hangup",
            "direction": "inbound",
            "date_started": ended - 20_000 - talked * 1000,
            "date_connected": ended - talked * 1000 if talked else None,
            "date_ended": ended,
            "external_number": "+8613800138000",
            "internal_number": "+864008001234",
            "is_internal": False,
            "contact": {"id": 1, "type": "local", "name": "Li Wei", "phone": "+8613800138000"},
            "target": {"id": 2, "type": "user", "name": "Agent"},
            "entry_point_call_id": None,
            "master_call_id": None,
            "operator_call_id": None,
            "voicemail_link": None,
            "event_timestamp": ended,
            **event,
        }
        if way is Way.UNKNOWN_TYPE:
            said["state"] = "a_state_of_tomorrow"
        if way is Way.OVERSIZED:
            said["transcription_text"] = "x" * OVERSIZED_BYTES
        if way is Way.MALFORMED:
            said["date_started"] = "yesterday"
        self._last = self.sign(json.dumps(said).encode(), way)
        return self._last

    def sign(
        self, payload: bytes, way: Way = Way.GOOD, header: bytes = b'{"alg":"HS256","typ":"JWT"}'
    ) -> SignedRequest:
        """Put any payload into a token."""
        secret = {Way.FORGED: "guessed", Way.ROTATED: self.next_secret}.get(way, self.secret)
        signed = _encode(header) + b"." + _encode(payload)
        signature = _encode(hmac.digest(secret.encode(), signed, "sha256"))
        return SignedRequest({"content-type": "text/plain"}, signed + b"." + signature)


def _encode(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
