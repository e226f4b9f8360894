"""A WeCom corporation whose members write to an application."""

from dataclasses import dataclass
from urllib.parse import urlencode

from tests.support.partners.sealed_callback import seal
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.tencent import TencentSender


@dataclass
class WecomSender(TencentSender):
    """`account` and `receiver_id` are both the corporation's id."""

    agent: str = "1000002"

    def message(self, text: str, way: Way = Way.GOOD, **fields: str) -> SignedRequest:
        return super().message(text, way, **{"AgentID": self.agent, **fields})

    def challenge(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """The question whether the address is ours: encrypted like a message."""
        encrypted = seal(content, self._parts(way)[1], self.receiver_id)
        query = urlencode({**self.signed(encrypted, way), "echostr": encrypted})
        return SignedRequest({}, b"", query, "GET")
