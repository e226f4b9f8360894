"""What became of messages of ours at WhatsApp:
developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status.

`recipient_user_id` is Meta's id of whoever may hide the number (…/business-scoped-user-ids).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.receipts import reason_of, receipt
from ingest_webhook.providers.whatsapp_content import DOCUMENTATION
from ingest_webhook.providers.whatsapp_people import Contact, MessageId, Seconds, UserId, contact_of, person_of
from ingest_webhook.rejections import IgnoreReason, Undecodable
from ticket_contracts.vocabulary import Channel, DeliveryState

# `sent` says only that WhatsApp has it, and follows every message.
_STATES: Mapping[object, DeliveryState] = {
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "failed": DeliveryState.FAILED,
}
# A payment that a customer was asked for has a `status` too, which may be `failed`; then `type` is `payment`.
_MESSAGE_TYPES = (None, "message")


class ErrorData(msgspec.Struct, frozen=True):
    details: str | None = None


class SendError(msgspec.Struct, frozen=True):
    code: int | str | None = None
    title: str | None = None
    error_data: ErrorData | None = None


class Status(msgspec.Struct, frozen=True):
    """In a group, `recipient_id` is the group and `recipient_participant_id` the number of one of it."""

    id: MessageId
    timestamp: Seconds
    recipient_id: UserId | None = None
    recipient_user_id: UserId | None = None
    recipient_type: str | None = None
    recipient_participant_id: UserId | None = None
    errors: tuple[SendError, ...] | None = None


def read_status(number_id: str, contacts: Sequence[Contact], document: dict[str, Any]) -> Item:
    """Understand one of `statuses`; one that cannot be read is counted."""
    told = document.get("status")
    state = _STATES.get(told) if isinstance(told, str) else None
    if state is None or document.get("type") not in _MESSAGE_TYPES:
        return IgnoreReason.RECEIPT
    try:
        status = decode_model(Status, document, DOCUMENTATION)
    except Undecodable:
        return IgnoreReason.UNREADABLE_RECEIPT
    in_group = status.recipient_type == "group"
    number = status.recipient_participant_id if in_group else status.recipient_id
    contact = contact_of(contacts, number, status.recipient_user_id)
    customer = person_of(contact, number, status.recipient_user_id or status.recipient_id)
    if customer is None:
        return IgnoreReason.NO_SENDER
    partner = status.recipient_user_id or contact.user_id or status.recipient_id
    return receipt(
        state,
        status.id,
        channel=Channel.CHAT,
        conversation=f"{number_id}/{status.recipient_id if in_group else partner}",
        customer=customer,
        at=datetime.fromtimestamp(status.timestamp, UTC),
        reason="; ".join(map(_reason, status.errors or ())) if state is DeliveryState.FAILED else "",
    )


def _reason(error: SendError) -> str:
    return reason_of(error.code, error.title, error.error_data.details if error.error_data else None)
