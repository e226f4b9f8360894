"""A browser with a form of ours open: it holds a token that we gave out, and sends what a person wrote."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

from tests.support.partners.signed_request import OVERSIZED_BYTES, STALE_SECONDS, SignedRequest, Way

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
File = tuple[str, str, bytes]
"""Name, media type, content."""


@dataclass
class WebFormSender:
    """`now` gives Unix seconds. Tokens are made with `secret`, as our server makes them."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "the-next-random-text-of-the-form"
    form: str = "contact"
    origin: str = "https://www.example.com"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: SignedRequest | None = None

    def submit(self, message: str, way: Way = Way.GOOD, files: Sequence[File] = (), **fields: str) -> SignedRequest:
        """Somebody fills the form and sends it; `fields` adds to or replaces what was filled."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        filled = {"name": "Li Wei", "email": "Li.Wei@example.com", "message": message, "website": "", **fields}
        if way is Way.MALFORMED:
            filled["message"] = ""
        if way is Way.UNKNOWN_TYPE:  # a form has one type; what no person fills in is none of a customer
            filled["website"] = "https://spam.example"
        if way is Way.OVERSIZED:
            files = [("huge.bin", "application/octet-stream", b"x" * OVERSIZED_BYTES)]
        self._last = self.send(f"multipart/form-data; boundary={BOUNDARY}", multipart(filled, files), way)
        return self._last

    def urlencoded(self, **fields: str) -> SignedRequest:
        """The form without `enctype`."""
        return self.send("application/x-www-form-urlencoded", urlencode(fields).encode())

    def send(self, content_type: str, body: bytes, way: Way = Way.GOOD) -> SignedRequest:
        headers = {"content-type": content_type, "origin": self.origin}
        return SignedRequest(headers, body, query=f"token={self.token(way)}")

    def token(self, way: Way = Way.GOOD) -> str:
        issued = int(self.now()) - (STALE_SECONDS if way is Way.STALE else 0)
        nonce = f"{next(self._numbers):032x}"
        secret = {Way.FORGED: "guessed", Way.ROTATED: self.next_secret}.get(way, self.secret)
        signed = "\0".join(("firebreak form token", self.form, str(issued), nonce))
        return f"{issued}.{nonce}.{hmac.digest(secret.encode(), signed.encode(), 'sha256').hex()}"

    def ask_for_token(self) -> SignedRequest:
        return SignedRequest({"origin": self.origin}, b"", method="GET")


def multipart(fields: Mapping[str, str], files: Sequence[File]) -> bytes:
    """Write a body as browsers do (RFC 7578)."""
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    for name, media_type, content in files:
        disposition = (
            f'Content-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: {media_type}\r\n\r\n'
        )
        parts.append(disposition.encode() + content)
    opening = f"--{BOUNDARY}\r\n".encode()
    return b"".join(opening + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()
