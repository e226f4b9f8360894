"""WhatsApp Business Platform (Cloud API):
developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages.

People who took a user name may hide their number; then only an id that Meta gives them for this business is told.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.meta_webhook import Entry, MetaId, MetaWebhook
from ingest_webhook.providers.whatsapp_content import DOCUMENTATION, NOT_SAID, Content, read_content
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person

SUBJECT_LENGTH, NAME_LENGTH = 120, 200
# E.164: at most fifteen digits. WhatsApp writes them without the plus sign.
_NUMBER = re.compile(r"[1-9][0-9]{4,14}")

MessageId = Annotated[str, Meta(min_length=1, max_length=300)]
"""`wamid.…` has sixty to a hundred characters."""
UserId = Annotated[str, Meta(min_length=1, max_length=132)]
"""A number, or a country code, a full stop and up to 128 letters and digits."""


class Metadata(msgspec.Struct, frozen=True):
    phone_number_id: MetaId


class Profile(msgspec.Struct, frozen=True):
    name: str | None = None
    username: str | None = None


class Contact(msgspec.Struct, frozen=True):
    wa_id: UserId | None = None
    user_id: UserId | None = None
    profile: Profile = Profile()


class Edit(msgspec.Struct, frozen=True):
    original_message_id: MessageId
    message: dict[str, Any]


class Revocation(msgspec.Struct, frozen=True):
    original_message_id: MessageId


class Message(msgspec.Struct, frozen=True):
    id: MessageId
    type: Annotated[str, Meta(max_length=100)]
    timestamp: Annotated[int, Meta(ge=0, le=9_999_999_999)]  # seconds until 2286; with more digits it is another unit
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
    items += [IgnoreReason.RECEIPT] * len(value.statuses)
    return items


def _read_message(value: Value, document: dict[str, Any]) -> Item:
    if document.get("type") in NOT_SAID:
        return IgnoreReason.UNKNOWN_TYPE
    message = decode_model(Message, document, DOCUMENTATION)
    contact = _contact(value.contacts, message)
    sender = _person(message, contact)
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


def _contact(contacts: Sequence[Contact], message: Message) -> Contact:
    """Contacts stand beside the messages, without a word on which belongs to which but their ids."""
    for contact in contacts:
        by_number = contact.wa_id is not None and contact.wa_id == message.number
        if by_number or (contact.user_id is not None and contact.user_id == message.from_user_id):
            return contact
    return Contact()


def _person(message: Message, contact: Contact) -> Person | None:
    name = one_line(contact.profile.name or contact.profile.username or "", NAME_LENGTH)
    if message.number and _NUMBER.fullmatch(message.number):
        return Person(kind=IdentityKind.PHONE, value=f"+{message.number}", name=name)
    named = message.from_user_id or contact.user_id or message.number
    return Person(kind=IdentityKind.WHATSAPP, value=named, name=name) if named else None
