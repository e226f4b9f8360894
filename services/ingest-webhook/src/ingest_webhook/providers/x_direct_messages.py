"""Direct messages on X: both interfaces put them into the same `direct_message_events`."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.receipts import receipt
from ingest_webhook.providers.x_posts import (
    SUBJECT_LENGTH,
    Media,
    Milliseconds,
    User,
    XId,
    milliseconds,
    person,
)
from ingest_webhook.rejections import IgnoreReason, Undecodable
from ticket_contracts.vocabulary import Channel, DeliveryState, MessageKind
from ticket_intake.clean_text import one_line, unescape
from ticket_intake.incoming import IncomingMessage

DOCUMENTATION = "docs/channels/x.md"


class _Attachment(msgspec.Struct, frozen=True):
    media: Media | None = None


class _Data(msgspec.Struct, frozen=True):
    text: str = ""
    attachment: _Attachment = _Attachment()


class _Create(msgspec.Struct, frozen=True):
    sender_id: XId
    message_data: _Data = _Data()


class _Target(msgspec.Struct, frozen=True):
    recipient_id: XId


class _ReadEvent(msgspec.Struct, frozen=True):
    """`sender_id` has read what `target` wrote, as far as this message."""

    sender_id: XId
    target: _Target
    last_read_event_id: XId
    created_timestamp: Milliseconds


class DirectMessages(msgspec.Struct, frozen=True):
    direct_message_events: tuple[dict[str, Any], ...] = ()
    direct_message_mark_read_events: tuple[Any, ...] = ()
    users: dict[str, User] = msgspec.field(default_factory=dict)


class _Event(msgspec.Struct, frozen=True):
    id: XId
    created_timestamp: Milliseconds
    message_create: _Create


class EncryptedMessage(msgspec.Struct, frozen=True):
    """A message that only the two devices can read."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    sender_id: XId
    created_at_msec: Milliseconds


def read_direct_messages(account: str, told: DirectMessages) -> list[Item]:
    """Understand the messages to and from an account of ours, and which of ours were read.

    :raises Undecodable:
    """
    items = [_read_event(account, event, told.users) for event in told.direct_message_events]
    items += [_read_receipt(account, event) for event in told.direct_message_mark_read_events]
    return items


def read_encrypted(account: str, message: EncryptedMessage) -> Item:
    """Tell the agent that there is something which only X can show."""
    if message.sender_id == account:
        return IgnoreReason.ECHO
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.CHAT,
        provider_id=f"chat/{message.id}",
        conversation=_conversation(account, message.sender_id),
        sender=person(message.sender_id),
        sent_at=milliseconds(message.created_at_msec),
        reading_problems=("The message is encrypted from end to end; read it in X",),
    )


def _read_receipt(account: str, document: object) -> Item:
    """The id is as X's interface gave it to whoever sent the message: without the `dm/` of what we receive."""
    try:
        event = decode_model(_ReadEvent, document, DOCUMENTATION)
    except Undecodable:
        return IgnoreReason.UNREADABLE_RECEIPT
    if event.sender_id == account:
        return IgnoreReason.ECHO
    return receipt(
        DeliveryState.READ,
        event.last_read_event_id,
        channel=Channel.CHAT,
        conversation=_conversation(account, event.sender_id),
        customer=person(event.sender_id),
        at=milliseconds(event.created_timestamp),
    )


def _read_event(account: str, document: dict[str, Any], users: Mapping[str, User]) -> Item:
    if document.get("type") != "message_create":
        return IgnoreReason.UNKNOWN_TYPE
    event = decode_model(_Event, document, DOCUMENTATION)
    said = event.message_create
    if said.sender_id == account:
        return IgnoreReason.ECHO
    data = said.message_data
    text = unescape(data.text)
    media = data.attachment.media
    writer = users.get(said.sender_id)
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.CHAT,
        provider_id=f"dm/{event.id}",
        conversation=_conversation(account, said.sender_id),
        sender=person(said.sender_id, writer.shown if writer else ""),
        subject=one_line(text, SUBJECT_LENGTH),
        text=text,
        sent_at=milliseconds(event.created_timestamp),
        reading_problems=(media.left(),) if media else (),
    )


def _conversation(account: str, partner: str) -> str:
    return f"{account}/dm/{partner}"
