"""A Slack workspace that sends events to an app."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, STALE_SECONDS, SignedRequest, Way


@dataclass
class SlackSender:
    """`now` gives Unix seconds; message time stamps are made from it and a counter, so each is unique."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "b2f5ff47436671b6e533d8dc3614845d"
    team: str = "T0WORKSPACE"
    channel: str = "C0SUPPORT"
    user: str = "U0CUSTOMER"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def new_ts(self) -> str:
        """The time stamp that is a message's id within its channel."""
        return f"{int(self.now())}.{next(self._numbers):06d}"

    def message(self, text: str, way: Way = Way.GOOD, **event: Any) -> SignedRequest:
        """Somebody says something; `event` adds to or replaces fields of the message event."""
        said = {"channel": self.channel, "channel_type": "channel", "user": self.user, "text": text}
        return self.event({"type": "message", "ts": self.new_ts(), **said, **event}, way)

    def edit(self, ts: str, text: str, **message: Any) -> SignedRequest:
        """The writer changes the text of the message with this time stamp."""
        edited = {"user": self.user, "ts": self.new_ts()}
        new = {"type": "message", "user": self.user, "text": text, "ts": ts, "edited": edited, **message}
        return self._change("message_changed", message=new)

    def delete(self, ts: str, **message: Any) -> SignedRequest:
        """The writer deletes the message with this time stamp."""
        old = {"type": "message", "user": self.user, "text": "gone", "ts": ts, **message}
        return self._change("message_deleted", deleted_ts=ts, previous_message=old)

    def _change(self, subtype: str, **fields: Any) -> SignedRequest:
        event = {"type": "message", "subtype": subtype, "channel": self.channel, "ts": self.new_ts(), **fields}
        return self.event(event)

    def event(self, event: dict[str, Any], way: Way = Way.GOOD) -> SignedRequest:
        """Any event, in the envelope that Slack puts around it."""
        if way is Way.UNKNOWN_TYPE:
            event = {"type": "reaction_added", "user": self.user}
        if way is Way.OVERSIZED:
            event = {**event, "text": "x" * OVERSIZED_BYTES}
        envelope = {
            "type": "event_callback",
            "team_id": self.team,
            "api_app_id": "A0APP",
            "event_id": f"Ev{next(self._numbers):08d}",
            "event_time": int(self.now()),
            "event": event,
        }
        return self.notification(envelope, way)

    def notification(self, document: dict[str, Any], way: Way = Way.GOOD) -> SignedRequest:
        """Anything Slack sends, e.g. `url_verification` or `app_rate_limited`."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            body = self._last
        else:
            body = b'{"type": ' if way is Way.MALFORMED else json.dumps(document).encode()
        self._last = body
        return self.sign(body, way)

    def sign(self, body: bytes, way: Way) -> SignedRequest:
        timestamp = int(self.now()) - (STALE_SECONDS if way is Way.STALE else 0)
        secret = {Way.FORGED: "0" * 32, Way.ROTATED: self.next_secret}.get(way, self.secret)
        signature = hmac.digest(secret.encode(), f"v0:{timestamp}:".encode() + body, "sha256").hex()
        headers = {
            "content-type": "application/json",
            "x-slack-request-timestamp": str(timestamp),
            "x-slack-signature": f"v0={signature}",
        }
        if way is Way.REPEATED:
            headers |= {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
        return SignedRequest(headers, body)
