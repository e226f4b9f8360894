"""A WhatsApp business number to which people write."""

from dataclasses import dataclass
from typing import Any

from tests.support.partners.meta import MetaSender
from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way


@dataclass
class WhatsAppSender(MetaSender):
    phone_number_id: str = "106500000000003"
    person: str = "8613800138000"

    def new_id(self) -> str:
        return f"wamid.HBgNODYxMzgwMDEzODAwMBUCABIYFDNB{next(self._numbers):04d}AA=="

    def message(self, text: str, /, way: Way = Way.GOOD, **message: Any) -> SignedRequest:
        """Somebody writes; `message` adds to or replaces fields of the message."""
        if way is Way.UNKNOWN_TYPE:
            reaction = {"message_id": self.new_id(), "emoji": "👍"}
            return self.value(way, messages=[self.said(type="reaction", reaction=reaction)])
        body = "x" * OVERSIZED_BYTES if way is Way.OVERSIZED else text
        return self.value(way, messages=[self.said(**{"type": "text", "text": {"body": body}, **message})])

    def said(self, **message: Any) -> dict[str, Any]:
        """One message as it stands in `messages`."""
        return {"from": self.person, "id": self.new_id(), "timestamp": str(int(self.now())), **message}

    def said_without_number(self, user_id: str, text: str) -> dict[str, Any]:
        """One message of a person who hides the number: Meta's id stands in its place."""
        said = self.said(from_user_id=user_id, type="text", text={"body": text})
        del said["from"]
        return said

    def receipt(self, message_id: str, status: str = "read", **told: Any) -> SignedRequest:
        """What became of a message that the business sent; `told` as in `status_of`."""
        return self.value(statuses=[self.status_of(message_id, status, **told)])

    def status_of(self, message_id: str, status: str, **told: Any) -> dict[str, Any]:
        """What became of a message as it stands in `statuses`; `told` adds to or replaces fields of it."""
        known = {"id": message_id, "timestamp": str(int(self.now())), "recipient_id": self.person}
        return {**known, "status": status, **told}

    def value(self, way: Way = Way.GOOD, *, field: str = "messages", **value: Any) -> SignedRequest:
        """One change of one number: messages, statuses or anything else that Meta tells about."""
        common = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "8640080012340", "phone_number_id": self.phone_number_id},
            "contacts": [{"profile": {"name": "Li Wei"}, "wa_id": self.person}],
        }
        entry = {"id": "102290000000001", "changes": [{"value": common | value, "field": field}]}
        return self.notification("whatsapp_business_account", [entry], way)
