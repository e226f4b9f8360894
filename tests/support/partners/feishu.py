"""A Feishu tenant that pushes an application's events, written from Feishu's page and not from our code."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way

# Beyond the eight hours that a source of Feishu allows, because its repeats go on for seven.
STALE_SECONDS = 9 * 3600
# A sender takes a random one; a fixed one makes a test repeat itself exactly.
IV = b"0123456789abcdef"


def seal(content: bytes, encrypt_key: str) -> str:
    padding = 16 - len(content) % 16
    cipher = Cipher(algorithms.AES256(sha256(encrypt_key.encode()).digest()), modes.CBC(IV)).encryptor()
    return base64.b64encode(IV + cipher.update(content + bytes([padding]) * padding) + cipher.finalize()).decode()


@dataclass
class FeishuSender:
    """`secret` is `ENCRYPT_KEY:VERIFICATION_TOKEN`."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "nextEncryptKeyWhileRotated0123456:nextVerificationToken0123456789ab"
    chat: str = "oc_5ad11d72b830411d72b836c20"
    user: str = "ou_84aad35d084aa403a838cf73ee18467"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def message(self, text: str, way: Way = Way.GOOD, **fields: Any) -> SignedRequest:
        """Somebody writes to the robot; `fields` add to or replace fields of the message."""
        if way is Way.UNKNOWN_TYPE:
            return self.event("contact.user.created_v3", {}, way)
        if way is Way.OVERSIZED:
            text = "x" * OVERSIZED_BYTES
        message = {
            "message_id": f"om_{next(self._numbers):024d}",
            "create_time": str(int(self.now() * 1000)),
            "chat_id": self.chat,
            "chat_type": "p2p",
            "message_type": "text",
            "content": json.dumps({"text": text}),
            **fields,
        }
        sender = {"sender_id": {"open_id": self.user}, "sender_type": "user", "tenant_key": "736588c9260f175e"}
        return self.event("im.message.receive_v1", {"sender": sender, "message": message}, way)

    def receipt(self, *message_ids: str, **reader: Any) -> SignedRequest:
        """The person has read what the robot wrote."""
        known = {"reader_id": {"open_id": self.user}, "read_time": str(int(self.now() * 1000))}
        event = {"reader": {**known, **reader}, "message_id_list": message_ids}
        return self.event("im.message.message_read_v1", event)

    def event(self, event_type: str, event: dict[str, Any], way: Way = Way.GOOD) -> SignedRequest:
        """Any event of version 2.0, in its envelope."""
        header = {
            "event_id": f"5e3702a84e847582be8db7fb7328{next(self._numbers):04d}",
            "event_type": event_type,
            "create_time": str(int(self.now() * 1000)),
            "token": self.secret.rpartition(":")[2],
            "app_id": "cli_9f5343c580712544",
            "tenant_key": "736588c9260f175e",
        }
        return self.document(json.dumps({"schema": "2.0", "header": header, "event": event}).encode(), way)

    def verification(self, challenge: str, way: Way = Way.GOOD, **fields: Any) -> SignedRequest:
        """The question whether the address is ours: encrypted, and never signed."""
        encrypt_key, _, token = self._secret(way).rpartition(":")
        question = {"challenge": challenge, "token": token, "type": "url_verification", **fields}
        body = json.dumps({"encrypt": seal(json.dumps(question).encode(), encrypt_key)}).encode()
        return SignedRequest({"content-type": "application/json;charset=utf-8"}, body)

    def document(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """Any content, encrypted and signed."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            content = self._last
        if way is Way.MALFORMED:
            content = b'{"schema": '
        self._last = content
        body = json.dumps({"encrypt": seal(content, self._secret(way).rpartition(":")[0])}).encode()
        return self.sign(body, way)

    def sign(self, body: bytes, way: Way = Way.GOOD) -> SignedRequest:
        timestamp = str(int(self.now()) - (STALE_SECONDS if way is Way.STALE else 0))
        nonce = str(next(self._numbers))
        encrypt_key = self._secret(way).rpartition(":")[0]
        headers = {
            "content-type": "application/json;charset=utf-8",
            "x-lark-request-timestamp": timestamp,
            "x-lark-request-nonce": nonce,
            "x-lark-signature": sha256(f"{timestamp}{nonce}{encrypt_key}".encode() + body).hexdigest(),
        }
        return SignedRequest(headers, body)

    def _secret(self, way: Way) -> str:
        return {Way.FORGED: "guessed:guessedToken", Way.ROTATED: self.next_secret}.get(way, self.secret)
