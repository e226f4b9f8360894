"""What became of messages of ours in Messenger and on Instagram.

developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/message-deliveries
and …/message-reads: Messenger tells the messages that were delivered (mostly) and a time until which all were; that
they were read, by a time alone. Instagram tells the one message that was read (…/instagram-messaging/webhooks).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.meta_place import MessageId, Place, Somebody
from ingest_webhook.providers.meta_webhook import MetaTime, instant
from ingest_webhook.providers.receipts import receipt
from ingest_webhook.rejections import IgnoreReason, Undecodable
from ticket_contracts.vocabulary import Channel, DeliveryState
from ticket_intake.incoming import IncomingMessage


class Delivered(msgspec.Struct, frozen=True):
    watermark: MetaTime | None = None
    mids: tuple[MessageId, ...] | None = None


class Read(msgspec.Struct, frozen=True):
    watermark: MetaTime | None = None
    mid: MessageId | None = None


class ReceiptEvent(msgspec.Struct, frozen=True):
    """`timestamp` is when it happened; a delivery does not always have one. A time of 0 is none."""

    sender: Somebody
    timestamp: MetaTime | None = None
    delivery: Delivered | None = None
    read: Read | None = None


def read_receipts(place: Place, document: dict[str, Any]) -> Sequence[Item]:
    """Understand an event with `delivery` or `read`: one receipt for each message that it names, else one for its time.

    One that cannot be read is counted.
    """
    try:
        event = decode_model(ReceiptEvent, document, place.documentation)
    except Undecodable:
        return (IgnoreReason.UNREADABLE_RECEIPT,)
    if event.sender.id == place.account:  # it is we who have read
        return (IgnoreReason.ECHO,)
    if event.delivery:
        named, until = event.delivery.mids or (), event.delivery.watermark
        return _compose(place, event, DeliveryState.DELIVERED, named, until)
    if event.read:
        seen = event.read
        return _compose(place, event, DeliveryState.READ, (seen.mid,) if seen.mid else (), seen.watermark)
    return (IgnoreReason.RECEIPT,)


def _compose(
    place: Place, event: ReceiptEvent, state: DeliveryState, named: Sequence[str], until: int | None
) -> Sequence[Item]:
    if not (named or until):
        return (IgnoreReason.RECEIPT,)
    customer = place.person(event.sender.id)
    told: list[IncomingMessage] = [
        receipt(
            state,
            provider_id,
            channel=Channel.CHAT,
            conversation=customer.value,
            customer=customer,
            at=instant(event.timestamp) if event.timestamp else None,
            up_to=instant(until) if until else None,
        )
        for provider_id in named or ("",)
    ]
    return told
