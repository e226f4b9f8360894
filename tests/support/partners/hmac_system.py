"""Somebody's ticket system that signs `timestamp.body` with HMAC-SHA512, in base64."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, STALE_SECONDS, SignedRequest, Way

# What an administrator writes for it into the sources file.
OPTIONS = """
signing:
  header: X-Desk-Signature
  algorithm: sha512
  prefix: "v1="
  encoding: base64
  signed: "{timestamp}.{body}"
  timestamp_header: X-Desk-Timestamp
events:
  field: /event
  created: [note.created]
  edited: [note.edited]
  deleted: [note.deleted]
fields:
  id: /note/id
  revision: /note/version
  conversation: /ticket/number
  sender: /note/author/email
  sender_name: /note/author/name
  subject: /ticket/title
  text: /note/text
  sent_at: /note/at
identity: email
"""


@dataclass
class HmacSystem:
    """`now` gives Unix seconds."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "the-next-secret-of-the-desk"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def note(self, text: str, way: Way = Way.GOOD, *, event: str = "note.created", **note: Any) -> SignedRequest:
        """Somebody writes a note on a ticket; `note` adds to or replaces fields of the note."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self.sign(self._last, way)
        author = {"email": "Li.Wei@example.com", "name": "Li Wei"}
        said = {"id": next(self._numbers), "text": text, "author": author, "at": "2026-11-23T19:59:00+08:00", **note}
        if way is Way.OVERSIZED:
            said["text"] = "x" * OVERSIZED_BYTES
        if way is Way.MALFORMED:
            said["author"] = None
        document = {
            "event": "ticket.viewed" if way is Way.UNKNOWN_TYPE else event,
            "ticket": {"number": 4711, "title": "Broken screen"},
            "note": said,
        }
        self._last = json.dumps(document).encode()
        return self.sign(self._last, way)

    def sign(self, body: bytes, way: Way = Way.GOOD) -> SignedRequest:
        timestamp = str(int(self.now()) - (STALE_SECONDS if way is Way.STALE else 0))
        secret = {Way.FORGED: "guessed", Way.ROTATED: self.next_secret}.get(way, self.secret)
        digest = hmac.digest(secret.encode(), timestamp.encode() + b"." + body, "sha512")
        headers = {
            "content-type": "application/json",
            "x-desk-timestamp": timestamp,
            "x-desk-signature": "v1=" + base64.b64encode(digest).decode(),
        }
        return SignedRequest(headers, body)
