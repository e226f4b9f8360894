"""Telegram, delivering what people write to our bot."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class TelegramSender:
    """`now` gives Unix seconds. Ids are numbered, so each message is another one."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "the-next_secret-token-0123456789"
    person: int = 5_123_456_789
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def message(self, text: str, /, way: Way = Way.GOOD, **message: Any) -> SignedRequest:
        """Somebody writes; `message` adds to or replaces fields of the message, None takes one away."""
        if way is Way.UNKNOWN_TYPE:
            return self.update(way, my_chat_member={"chat": {"id": self.person}, "date": int(self.now())})
        return self.update(way, message=self.said("x" * OVERSIZED_BYTES if way is Way.OVERSIZED else text, **message))

    def said(self, text: str, /, **message: Any) -> dict[str, Any]:
        """One message as it stands in an update."""
        person = {"id": self.person, "first_name": "Wei", "last_name": "Li"}
        common = {
            "message_id": next(self._numbers),
            "from": {**person, "is_bot": False},
            "chat": {**person, "type": "private"},
            "date": int(self.now()),
            "text": text,
        }
        return {name: value for name, value in (common | message).items() if value is not None}

    def update(self, way: Way = Way.GOOD, **update: Any) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
        else:
            document = {"update_id": 800_000_000 + next(self._numbers), **update}
            self._last = json.dumps(document, ensure_ascii=False).encode()
        return self.sign(self._last[: len(self._last) // 2] if way is Way.MALFORMED else self._last, way)

    def sign(self, body: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """There is no signature: the token says who sends, whatever is sent."""
        secret = {Way.FORGED: "guessed", Way.ROTATED: self.next_secret}.get(way, self.secret)
        return SignedRequest(
            {"content-type": "application/json", "x-telegram-bot-api-secret-token": secret},
            body,
        )
