"""An Instagram professional account to which people write, in private and below its pictures."""

from dataclasses import dataclass
from typing import Any

from tests.support.partners.meta import MetaSender
from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class InstagramSender(MetaSender):
    account: str = "17841400000000001"
    person: str = "6400000000000023"

    def new_mid(self) -> str:
        return f"aWdfZAG1faXRlbToxOk{next(self._numbers):04d}" + "A" * 140

    def message(self, text: str, /, way: Way = Way.GOOD, **message: Any) -> SignedRequest:
        """Somebody writes to the account; `message` adds to or replaces fields of the message."""
        if way is Way.UNKNOWN_TYPE:
            return self.events({"reaction": {"mid": self.new_mid(), "action": "react", "reaction": "love"}}, way=way)
        said = {"mid": self.new_mid(), "text": "x" * OVERSIZED_BYTES if way is Way.OVERSIZED else text, **message}
        return self.events({"message": said}, way=way)

    def receipt(self, message_id: str) -> SignedRequest:
        """The person has seen a message of the account."""
        return self.events({"read": {"mid": message_id}})

    def events(self, *events: dict[str, Any], way: Way = Way.GOOD) -> SignedRequest:
        envelope = {
            "sender": {"id": self.person},
            "recipient": {"id": self.account},
            "timestamp": self.milliseconds(),
        }
        return self.entry(way, messaging=[envelope | event for event in events])

    def comment(self, text: str, *, own_login: bool = False, **value: Any) -> SignedRequest:
        """Somebody comments below a picture. With Instagram's own login the change stands in the entry itself."""
        common = {
            "id": f"1792000000000{next(self._numbers):04d}",
            "from": {"id": self.person, "username": "li.wei"},
            "media": {"id": "17918195224117851", "media_product_type": "FEED"},
            "text": text,
        }
        change = {"field": "comments", "value": common | value}
        return self.entry(Way.GOOD, **change) if own_login else self.entry(Way.GOOD, changes=[change])

    def entry(self, way: Way, **fields: Any) -> SignedRequest:
        return self.notification("instagram", [{"id": self.account, "time": int(self.now()), **fields}], way)
