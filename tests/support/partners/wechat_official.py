"""A WeChat official account (公众号) in each of its three modes."""

from dataclasses import dataclass
from urllib.parse import urlencode

from tests.support.partners.sealed_callback import signature_of
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.tencent import TencentSender


@dataclass
class WechatOfficialSender(TencentSender):
    """`account` is the account's original id, `receiver_id` its AppID."""

    receiver_id: str = "wx2c2769f8efd9abc2"
    account: str = "gh_7f083739789a"
    user: str = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"

    def signed(self, encrypted: str, way: Way = Way.GOOD) -> dict[str, str]:
        parameters = super().signed(encrypted, way)
        signature = signature_of(self._parts(way)[0], parameters["timestamp"], parameters["nonce"])
        return {**parameters, "signature": signature, "encrypt_type": "aes", "openid": self.user}

    def receipt(self, message_id: str, status: str = "success") -> SignedRequest:
        """A template message of the account has arrived, or not."""
        return self.event("TEMPLATESENDJOBFINISH", MsgID=message_id, Status=status)

    def plain(self, content: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """明文模式: only time and nonce are signed."""
        return SignedRequest({"content-type": "text/xml"}, content, urlencode(self._signed_time(way)))

    def challenge(self, content: str, way: Way = Way.GOOD) -> SignedRequest:
        """The question whether the address is ours: not encrypted in any mode."""
        return SignedRequest({}, b"", urlencode({**self._signed_time(way), "echostr": content}), "GET")

    def _signed_time(self, way: Way) -> dict[str, str]:
        parameters = self.signed("", way)
        return {name: parameters[name] for name in ("signature", "timestamp", "nonce")}
