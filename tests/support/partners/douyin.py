"""Douyin, sending an application the private messages of an account that authorised it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha1
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class DouyinSender:
    """Nothing of the time is signed, so there is no STALE."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "next0client0secret0of0the0application"
    account: str = "_000bfeGRgbkwDMMksxyg4auRqXAPGIZk1pl"
    user: str = "_000f9pF8lTroNtA9pfLjPohf1qIUzLdiWRs"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def message(self, text: str, way: Way = Way.GOOD, **content: Any) -> SignedRequest:
        """Somebody writes; `content` adds to or replaces fields of the content."""
        if way is Way.UNKNOWN_TYPE:
            return self.event("im_enter_direct_msg", {"conversation_type": 1}, way)
        if way is Way.OVERSIZED:
            text = "x" * OVERSIZED_BYTES
        said = {
            "conversation_short_id": "@4F8A0vXKXctkaiPzY485F6f81WSGOvmFOJB3rwivKFMQaPT00HDnemIujgn96zUF==",
            "server_message_id": f"@9VwNxuKKBZ03MXG7M8ooWM791mzu{next(self._numbers):04d}==",
            "conversation_type": 1,
            "message_type": "text",
            "text": text,
            "create_time": int(self.now() * 1000),
            "user_infos": [{"open_id": self.user, "nick_name": "李伟", "avatar": "https://p.example.com/1"}],
            **content,
        }
        return self.event("im_receive_msg", said, way)

    def event(self, name: str, content: object, way: Way = Way.GOOD, **fields: Any) -> SignedRequest:
        """Any event; `content` as an object or, as on some pages of Douyin, as a string."""
        document = {
            "event": name,
            "client_key": "ttddf8ab4542c7d76601",
            "from_user_id": self.user,
            "to_user_id": self.account,
            "content": content,
            "log_id": f"2022120516373301015903714833{next(self._numbers):04d}",
            **fields,
        }
        return self.document(json.dumps(document, ensure_ascii=False).encode(), way)

    def document(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """Any body, signed."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            content = self._last
        if way is Way.MALFORMED:
            content = b'{"event": '
        self._last = content
        secret = {Way.FORGED: "guessed", Way.ROTATED: self.next_secret}.get(way, self.secret)
        signature = sha1(secret.encode() + content).hexdigest()
        headers = {"content-type": "application/json", "x-douyin-signature": signature, "msg-id": "3292f6c3e9fba93e"}
        return SignedRequest(headers, content)
