"""WhatsApp Business Platform (Cloud API):
developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages.

People who took a user name may hide their number; then only an id that Meta gives them for this business is told.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.meta_webhook import Entry, MetaId, MetaWebhook
from ingest_webhook.providers.whatsapp_content import DOCUMENTATION, NOT_SAID, Content, read_content
from ingest_webhook.providers.whatsapp_people import Contact, MessageId, Seconds, UserId, contact_of, person_of
from ingest_webhook.providers.whatsapp_statuses import read_status
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage

SUBJECT_LENGTH = 120


class Metadata(msgspec.Struct, frozen=True):
    phone_number_id: MetaId


class Edit(msgspec.Struct, frozen=True):
    original_message_id: MessageId
    message: dict[str, Any]


class Revocation(msgspec.Struct, frozen=True):
    original_message_id: MessageId


class Message(msgspec.Struct, frozen=True):
    id: MessageId
    type: Annotated[str, Meta(max_length=100)]
    timestamp: Seconds
    number: UserId | None = msgspec.field(name="from", default=None)
    from_user_id: UserId | None = None
    group_id: UserId | None = None
    edit: Edit | None = None
    revoke: Revocation | None = None


class Value(msgspec.Struct, frozen=True):
    metadata: Metadata
    contacts: tuple[Contact, ...] = ()
    messages: tuple[dict[str, Any], ...] = ()
    statuses: tuple[dict[str, Any], ...] = ()


def build(options: Mapping[str, object], secrets: Sequence[str]) -> MetaWebhook:
    """Make provider `whatsapp`."""
    about = "whatsapp_business_account"
    return MetaWebhook.build(options, secrets, about=about, documentation=DOCUMENTATION, read_entry=read_entry)


def read_entry(entry: Entry) -> list[Item]:
    items: list[Item] = []
    for change in entry.all_changes():
        if change.field == "messages":
            items += _read_messages(decode_model(Value, change.value, DOCUMENTATION))
        elif change.field == "smb_message_echoes":  # what we wrote with the app on a telephone
            items.append(IgnoreReason.ECHO)
        else:
            items.append(IgnoreReason.UNKNOWN_TYPE)
    return items


def _read_messages(value: Value) -> list[Item]:
    items = [_read_message(value, document) for document in value.messages]
    items += [read_status(value.metadata.phone_number_id, value.contacts, document) for document in value.statuses]
    return items


def _read_message(value: Value, document: dict[str, Any]) -> Item:
    if document.get("type") in NOT_SAID:
        return IgnoreReason.UNKNOWN_TYPE
    message = decode_model(Message, document, DOCUMENTATION)
    contact = contact_of(value.contacts, message.number, message.from_user_id)
    sender = person_of(contact, message.number, message.from_user_id)
    if sender is None:
        return IgnoreReason.NO_SENDER
    kind, provider_id, revision, content = _said(message, document)
    # The id outlives a hidden number, so that it keeps a conversation together.
    partner = message.group_id or message.from_user_id or contact.user_id or message.number
    return IncomingMessage(
        kind=kind,
        channel=Channel.CHAT,
        provider_id=provider_id,
        revision=revision,
        conversation=f"{value.metadata.phone_number_id}/{partner}",
        sender=sender,
        subject=one_line(content.text, SUBJECT_LENGTH),
        text=content.text,
        sent_at=datetime.fromtimestamp(message.timestamp, UTC),
        reading_problems=content.problems,
    )


def _said(message: Message, document: dict[str, Any]) -> tuple[MessageKind, str, str, Content]:
    """Return kind, the id of the message it is about, revision and content."""
    if message.type == "revoke" and message.revoke:
        return MessageKind.DELETED, message.revoke.original_message_id, "", Content("")
    if message.type == "edit" and message.edit:
        changed = message.edit.message
        content = read_content(str(changed.get("type", "")), changed)
        return MessageKind.EDITED, message.edit.original_message_id, message.id, content
    return MessageKind.CREATED, message.id, "", read_content(message.type, document)
