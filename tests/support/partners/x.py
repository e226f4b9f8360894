"""X, delivering what happens around an account of ours, in the shapes of its older and its newer interface."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class XSender:
    """`now` gives Unix seconds. Ids are numbered, so each message is another one."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "q7Wm2ZxYb9KcVn4TjHs6LpRd8FgUe3Ao1QiXw5EyBkMvNtCzSh"
    account: str = "2244994945"
    person: str = "1518312749"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def new_id(self) -> str:
        return str(2_090_000_000_000_000_000 + next(self._numbers))

    def check(self, token: str = "OGUwNTEzZDMtYWI5ZC00ZjQz") -> SignedRequest:
        """The question by which X checks, every hour, that an address is ours."""
        return SignedRequest({}, b"", urlencode({"crc_token": token}), method="GET")

    def message(self, text: str, /, way: Way = Way.GOOD, **message: Any) -> SignedRequest:
        """Somebody sends a direct message; `message` adds to or replaces fields of `message_create`."""
        if way is Way.UNKNOWN_TYPE:
            return self.older(way, follow_events=[{"type": "follow"}])
        body = "x" * OVERSIZED_BYTES if way is Way.OVERSIZED else text
        return self.older(way, **self.direct(body, **message))

    def direct(self, text: str, /, **message: Any) -> dict[str, Any]:
        """A direct message, as both interfaces put it."""
        target = {"recipient_id": self.account}
        create = {"sender_id": self.person, "target": target, "message_data": {"text": text}, **message}
        event = {
            "type": "message_create",
            "id": self.new_id(),
            "created_timestamp": str(int(self.now() * 1000)),
            "message_create": create,
        }
        users = {self.person: {"id": self.person, "name": "Li Wei", "screen_name": "liwei"}}
        return {"direct_message_events": [event], "users": users}

    def receipt(self, message_id: str, **told: Any) -> SignedRequest:
        """The person has read what the account sent, as far as this message."""
        return self.older(**self.has_read(message_id, **told))

    def has_read(self, message_id: str, **told: Any) -> dict[str, Any]:
        """Who has read, as the older interface puts it."""
        known = {"sender_id": self.person, "target": {"recipient_id": self.account}, "last_read_event_id": message_id}
        event = {**known, "created_timestamp": str(int(self.now() * 1000)), **told}
        return {"direct_message_mark_read_events": [event], "users": {}}

    def older_post(self, text: str, /, **post: Any) -> dict[str, Any]:
        """A post as the Account Activity API tells it."""
        moment = datetime.fromtimestamp(self.now(), UTC)
        common = {
            "created_at": moment.strftime("%a %b %d %H:%M:%S +0000 %Y"),
            "id_str": self.new_id(),
            "text": text,
            "user": {"id_str": self.person, "name": "Li Wei", "screen_name": "liwei"},
        }
        return common | post

    def newer_post(self, text: str, /, **post: Any) -> dict[str, Any]:
        """A post as the X Activity API tells it."""
        post_id = self.new_id()
        created_at = datetime.fromtimestamp(self.now(), UTC).isoformat().replace("+00:00", ".000Z")
        common = {"id": post_id, "edit_history_tweet_ids": [post_id], "author_id": self.person, "text": text}
        return {**common, "created_at": created_at, "conversation_id": post_id, **post}

    def older(self, way: Way = Way.GOOD, **told: Any) -> SignedRequest:
        """A notification of the Account Activity API."""
        return self.notification({"for_user_id": self.account, **told}, way)

    def newer(self, event_type: str, payload: dict[str, Any], way: Way = Way.GOOD) -> SignedRequest:
        """A notification of the X Activity API."""
        data = {
            "event_uuid": self.new_id(),
            "filter": {"user_id": self.account},
            "event_type": event_type,
            "payload": payload,
            "includes": {"users": [{"id": self.person, "name": "Li Wei", "username": "liwei"}]},
        }
        return self.notification({"data": data}, way)

    def notification(self, document: dict[str, Any], way: Way = Way.GOOD) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
        else:
            self._last = json.dumps(document).encode()
        return self.sign(self._last[: len(self._last) // 2] if way is Way.MALFORMED else self._last, way)

    def sign(self, body: bytes, way: Way = Way.GOOD) -> SignedRequest:
        secret = {Way.FORGED: "0" * 50, Way.ROTATED: self.next_secret}.get(way, self.secret)
        digest = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
        headers = {"content-type": "application/json", "x-twitter-webhooks-signature": f"sha256={digest}"}
        return SignedRequest(headers, body)
