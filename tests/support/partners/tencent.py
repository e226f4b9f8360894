"""What WeCom and WeChat have in common when they call an address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from tests.support.partners.sealed_callback import seal, signature_of
from tests.support.partners.signed_request import OVERSIZED_BYTES, STALE_SECONDS, SignedRequest, Way

FORGED_SECRET = "guessed:" + "A" * 43


@dataclass
class TencentSender:
    """`now` gives Unix seconds. A repeat is encrypted anew, as the platforms do; its document is the same."""

    secret: str
    now: Callable[[], float]
    next_secret: str = "NextToken:nextKeyOfTheSourceWhileItIsBeingRotated0123"
    receiver_id: str = "ww49f0ab532d5d035a"
    account: str = "ww49f0ab532d5d035a"
    user: str = "ZhangSan"
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: bytes | None = None

    def message(self, text: str, way: Way = Way.GOOD, **fields: str) -> SignedRequest:
        """Somebody writes; `fields` add to or replace elements of the document."""
        if way is Way.UNKNOWN_TYPE:
            return self.event("enter_agent", way)
        if way is Way.OVERSIZED:
            text = "x" * OVERSIZED_BYTES
        elements = {"MsgType": "text", "Content": text, "MsgId": str(7_000_000_000_000 + next(self._numbers)), **fields}
        return self.document(self.xml(elements), way)

    def event(self, name: str, way: Way = Way.GOOD, **fields: str) -> SignedRequest:
        return self.document(self.xml({"MsgType": "event", "Event": name, "EventKey": "", **fields}), way)

    def xml(self, elements: Mapping[str, str]) -> bytes:
        stamped = {
            "ToUserName": self.account,
            "FromUserName": self.user,
            "CreateTime": str(int(self.now())),
            **elements,
        }
        body = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in stamped.items())
        return f"<xml>{body}</xml>".encode()

    def document(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """Any document, encrypted and signed."""
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            content = self._last
        if way is Way.MALFORMED:
            content = b"<xml><ToUserName>"
        self._last = content
        encrypted = seal(content, self._parts(way)[1], self.receiver_id)
        body = (
            f"<xml><ToUserName><![CDATA[{self.account}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        )
        return SignedRequest({"content-type": "text/xml"}, body.encode(), urlencode(self.signed(encrypted, way)))

    def signed(self, encrypted: str, way: Way = Way.GOOD) -> dict[str, str]:
        """Return the parameters that go with an encrypted text."""
        timestamp = str(int(self.now()) - (STALE_SECONDS if way is Way.STALE else 0))
        nonce = str(next(self._numbers))
        signature = signature_of(self._parts(way)[0], timestamp, nonce, encrypted)
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}

    def _parts(self, way: Way) -> tuple[str, str]:
        secret = {Way.FORGED: FORGED_SECRET, Way.ROTATED: self.next_secret}.get(way, self.secret)
        token, _, encoded_key = secret.partition(":")
        return token, encoded_key
