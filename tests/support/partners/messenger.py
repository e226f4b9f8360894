"""A Facebook page whose visitors write to it, in Messenger and below its posts."""

from dataclasses import dataclass
from typing import Any

from tests.support.partners.meta import MetaSender
from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class MessengerSender(MetaSender):
    page: str = "104200000000001"
    person: str = "5200000000000017"

    def new_mid(self) -> str:
        return f"m_{next(self._numbers):04d}AbCdEf-_"

    def message(self, text: str, /, way: Way = Way.GOOD, **message: Any) -> SignedRequest:
        """Somebody writes to the page; `message` adds to or replaces fields of the message."""
        if way is Way.UNKNOWN_TYPE:
            return self.events({"reaction": {"mid": self.new_mid(), "action": "react", "emoji": "👍"}}, way=way)
        said = {"mid": self.new_mid(), "text": "x" * OVERSIZED_BYTES if way is Way.OVERSIZED else text, **message}
        return self.events({"message": said}, way=way)

    def receipt(self, *message_ids: str, **told: Any) -> SignedRequest:
        """Messages of the page have arrived at the person; Meta tells no other time."""
        delivery = {"mids": message_ids, "watermark": self.milliseconds(), **told}
        return self.events({"timestamp": None, "delivery": delivery})

    def events(self, *events: dict[str, Any], channel: str = "messaging", way: Way = Way.GOOD) -> SignedRequest:
        """Events of one entry, in the envelope that Meta puts around each."""
        envelope = {
            "sender": {"id": self.person},
            "recipient": {"id": self.page},
            "timestamp": self.milliseconds(),
        }
        return self.entry(way, **{channel: [envelope | event for event in events]})

    def comment(self, verb: str, message: str, **value: Any) -> SignedRequest:
        """Somebody comments below a post of the page, changes that or takes it back."""
        post = f"{self.page}_77"
        number = next(self._numbers)
        common = {
            "from": {"id": self.person, "name": "Li Wei"},
            "item": "comment",
            "verb": verb,
            "post_id": post,
            "parent_id": post,
            "comment_id": f"77_{number}",
            "message": message,
            "created_time": int(self.now()),
        }
        return self.entry(Way.GOOD, changes=[{"field": "feed", "value": common | value}])

    def entry(self, way: Way, **fields: Any) -> SignedRequest:
        return self.notification("page", [{"id": self.page, "time": self.milliseconds(), **fields}], way)
