"""A DingTalk organisation: people who talk to a robot, and a subscription that sends encrypted events."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

from tests.support.partners.sealed_callback import seal, signature_of
from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way

# Beyond the hour that DingTalk itself names for robots, and so beyond the five minutes of events.
STALE_SECONDS = 3700


@dataclass
class DingtalkSender:
    """`secret` is the robot's AppSecret, `callback` the subscription's `TOKEN:ENCODING_AES_KEY`."""

    secret: str
    now: Callable[[], float]
    callback: str = "mryue:Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7"
    next_secret: str = "next-AppSecret_of_the_robot_while_it_is_rotated"
    receiver_id: str = "dingkp6ccabc44d2c8d38b"
    conversation: str = "cidKt0GfQxBJlqPnyVUxS9pEg=="
    user: str = "manager4711"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def message(self, text: str, way: Way = Way.GOOD, **fields: Any) -> SignedRequest:
        """Somebody talks to the robot; `fields` add to or replace fields of the message."""
        if way is Way.UNKNOWN_TYPE:
            return self.event({"EventType": "user_add_org", "CorpId": "ding1"}, way)
        if way is Way.OVERSIZED:
            text = "x" * OVERSIZED_BYTES
        said = {
            "conversationId": self.conversation,
            "conversationType": "1",
            "msgId": f"msg{next(self._numbers):08d}==",
            "msgtype": "text",
            "text": {"content": f" {text}"},
            "senderStaffId": self.user,
            "senderId": "$:LWCP_v1:$Ff09GIxxxxx",
            "senderNick": "李伟",
            "createAt": int(self.now() * 1000),
            "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=xxxxx",
            **fields,
        }
        return self.document(json.dumps(said, ensure_ascii=False).encode(), way)

    def document(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """Any body sent as the robot's; its headers do not depend on it."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            content = self._last
        if way is Way.MALFORMED:
            content = b'{"msgtype": '
        self._last = content
        secret = {Way.FORGED: "guessed-AppSecret", Way.ROTATED: self.next_secret}.get(way, self.secret).encode()
        timestamp = str(self._milliseconds(way))
        sign = base64.b64encode(hmac.digest(secret, f"{timestamp}\n".encode() + secret, "sha256")).decode()
        headers = {"content-type": "application/json; charset=utf-8", "timestamp": timestamp, "sign": sign}
        return SignedRequest(headers, content)

    def event(self, document: dict[str, Any], way: Way = Way.GOOD) -> SignedRequest:
        """An event of the subscription, e.g. `check_url`."""
        return self.sealed(json.dumps(document).encode(), way)

    def sealed(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest:
        token, _, key = self.callback.partition(":")
        if way is Way.FORGED:
            token = "guessed"
        encrypted = seal(content, key, self.receiver_id)
        timestamp, nonce = str(self._milliseconds(way)), f"WL4PK{next(self._numbers)}"
        signature = signature_of(token, timestamp, nonce, encrypted)
        parameters = {"msg_signature": signature, "signature": signature, "timestamp": timestamp, "nonce": nonce}
        body = json.dumps({"encrypt": encrypted}).encode()
        return SignedRequest({"content-type": "application/json"}, body, urlencode(parameters))

    def _milliseconds(self, way: Way) -> int:
        return int((self.now() - (STALE_SECONDS if way is Way.STALE else 0)) * 1000)
