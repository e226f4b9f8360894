"""Private messages of Messenger and Instagram, which have one shape: `entry[].messaging[]`, or `standby[]`.

developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events and
…/instagram-platform/webhooks/examples. In `standby` stands what was said while another app holds the conversation: it
was said to us all the same. The test button of Meta's console wraps the same event as `changes[].value`.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.left_behind import LeftBehind, left_behind
from ingest_webhook.providers.meta_place import MessageId, Place, Somebody
from ingest_webhook.providers.meta_receipts import read_receipts
from ingest_webhook.providers.meta_webhook import Change, Entry, MetaTime, instant
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage

SUBJECT_LENGTH, NAME_LENGTH = 120, 200
# What of an event a person said.
_SPOKEN = frozenset(("message", "message_edit", "postback"))


class Payload(msgspec.Struct, frozen=True):
    url: str | None = None
    title: str | None = None


class MetaAttachment(msgspec.Struct, frozen=True):
    type: str = "file"
    payload: Payload | None = None


class Said(msgspec.Struct, frozen=True):
    mid: MessageId
    text: str | None = None
    attachments: tuple[MetaAttachment, ...] | None = None
    is_echo: bool = False
    is_deleted: bool = False
    is_unsupported: bool = False


class Edit(msgspec.Struct, frozen=True):
    mid: MessageId
    num_edit: Annotated[int, Meta(ge=0, le=1_000_000)]  # people may edit five times
    text: str = ""


class Postback(msgspec.Struct, frozen=True):
    """A tapped button. Not every version of the interface gives it an id."""

    mid: MessageId | None = None
    title: str = ""


class MessagingEvent(msgspec.Struct, frozen=True):
    """One event of a conversation; exactly one of the last three is there when a person said something."""

    sender: Somebody
    timestamp: MetaTime
    message: Said | None = None
    message_edit: Edit | None = None
    postback: Postback | None = None


def read_conversations(place: Place, entry: Entry, changes: Sequence[Change]) -> list[Item]:
    """Understand the private messages of an entry and its changes, in their order.

    :raises Undecodable:
    """
    events = [*entry.messaging, *entry.standby]
    if changes:
        events += [change.value for change in changes if "sender" in change.value]
    return [item for event in events for item in _read_event(place, event)]


def _read_event(place: Place, document: dict[str, Any]) -> Sequence[Item]:
    if "delivery" in document or "read" in document:
        return read_receipts(place, document)
    return (_read_spoken(place, document),)


def _read_spoken(place: Place, document: dict[str, Any]) -> Item:
    if _SPOKEN.isdisjoint(document):
        return IgnoreReason.UNKNOWN_TYPE
    event = decode_model(MessagingEvent, document, place.documentation)
    said = event.message
    if event.sender.id == place.account or (said and said.is_echo):
        return IgnoreReason.ECHO
    if said:
        return _message(place, event, said)
    if event.message_edit:
        edit = event.message_edit
        return _compose(place, event, MessageKind.EDITED, edit.mid, edit.text, revision=str(edit.num_edit))
    if event.postback:
        tapped = event.postback
        provider_id = tapped.mid or f"postback/{event.sender.id}/{event.timestamp}"
        return _compose(place, event, MessageKind.CREATED, provider_id, tapped.title)
    return IgnoreReason.UNKNOWN_TYPE


def _message(place: Place, event: MessagingEvent, said: Said) -> IncomingMessage:
    if said.is_deleted:
        return _compose(place, event, MessageKind.DELETED, said.mid, "")
    problems: list[str] = []
    if said.is_unsupported:
        problems.append(f"{place.name} does not pass on this kind of message; look at it in {place.name}")
    if said.attachments:
        problems += [_left(place, attachment) for attachment in said.attachments]
    return _compose(place, event, MessageKind.CREATED, said.mid, said.text or "", problems=tuple(problems))


def _left(place: Place, attachment: MetaAttachment) -> LeftBehind:
    payload = attachment.payload or Payload()
    where = payload.url or "no link given"
    return left_behind(place.name, attachment.type, where, name=payload.title, locator=payload.url)


def _compose(
    place: Place,
    event: MessagingEvent,
    kind: MessageKind,
    provider_id: str,
    text: str,
    *,
    revision: str = "",
    problems: tuple[str, ...] = (),
) -> IncomingMessage:
    sender = place.person(event.sender.id)
    return IncomingMessage(
        kind=kind,
        channel=Channel.CHAT,
        provider_id=provider_id,
        revision=revision,
        conversation=sender.value,  # one person's with one page or account
        sender=sender,
        subject=one_line(text, SUBJECT_LENGTH),
        text=text,
        sent_at=instant(event.timestamp),
        reading_problems=problems,
    )
