"""Direct messages on X: both interfaces put them into the same `direct_message_events`."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.x_posts import (
    MAX_MILLISECONDS,
    SUBJECT_LENGTH,
    Media,
    User,
    XId,
    XPart,
    milliseconds,
    person,
)
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, MessageKind
from ticket_intake.clean_text import one_line, unescape
from ticket_intake.incoming import IncomingMessage

DOCUMENTATION = "docs/channels/x.md"

Time = Field(ge=0, le=MAX_MILLISECONDS)


class _Attachment(XPart):
    media: Media | None = None


class _Data(XPart):
    text: str = ""
    attachment: _Attachment = _Attachment()


class _Create(XPart):
    sender_id: str = XId
    message_data: _Data = _Data()


class DirectMessages(XPart):
    direct_message_events: tuple[dict[str, Any], ...] = ()
    users: dict[str, User] = Field(default_factory=dict)


class _Event(XPart):
    id: str = XId
    created_timestamp: int = Time
    message_create: _Create


class EncryptedMessage(XPart):
    """A message that only the two devices can read."""

    id: str = Field(min_length=1, max_length=100)
    sender_id: str = XId
    created_at_msec: int = Time


def read_direct_messages(account: str, told: DirectMessages) -> Iterator[Item]:
    """Understand the messages to and from an account of ours.

    :raises Undecodable:
    """
    for event in told.direct_message_events:
        if event.get("type") == "message_create":
            yield _read(account, decode_model(_Event, event, DOCUMENTATION), told.users)
        else:
            yield IgnoreReason.UNKNOWN_TYPE


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


def _read(account: str, event: _Event, users: Mapping[str, User]) -> Item:
    said = event.message_create
    if said.sender_id == account:
        return IgnoreReason.ECHO
    text = unescape(said.message_data.text)
    media = said.message_data.attachment.media
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.CHAT,
        provider_id=f"dm/{event.id}",
        conversation=_conversation(account, said.sender_id),
        sender=person(said.sender_id, users.get(said.sender_id, User()).shown),
        subject=one_line(text, SUBJECT_LENGTH),
        text=text,
        sent_at=milliseconds(event.created_timestamp),
        reading_problems=(media.left(),) if media else (),
    )


def _conversation(account: str, partner: str) -> str:
    return f"{account}/dm/{partner}"
