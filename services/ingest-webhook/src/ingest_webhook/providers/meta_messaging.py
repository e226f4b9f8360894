"""Private messages of Messenger and Instagram, which have one shape: `entry[].messaging[]`, or `standby[]`.

developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events and
…/instagram-platform/webhooks/examples. In `standby` stands what was said while another app holds the conversation: it
was said to us all the same. The test button of Meta's console wraps the same event as `changes[].value`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import Field

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.providers.meta_webhook import Entry, MetaId, MetaPart, MetaTime, instant
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person

SUBJECT_LENGTH, NAME_LENGTH = 120, 200
# Instagram's `mid` has about 180 characters.
_MESSAGE_ID_LENGTH = 500

MessageId = Field(min_length=1, max_length=_MESSAGE_ID_LENGTH)


class Place(NamedTuple):
    """Which platform, and which page or professional account of ours on it."""

    name: str
    identity: IdentityKind
    account: str
    documentation: str

    def person(self, scoped_id: str, name: str = "") -> Person:
        """Meta gives one person another id for each page or account."""
        return Person(kind=self.identity, value=f"{self.account}/{scoped_id}", name=name)


class Somebody(MetaPart):
    id: str = MetaId


class Payload(MetaPart):
    url: str | None = None
    title: str | None = None


class MetaAttachment(MetaPart):
    type: str = "file"
    payload: Payload | None = None


class Said(MetaPart):
    mid: str = MessageId
    text: str | None = None
    attachments: tuple[MetaAttachment, ...] | None = None
    is_echo: bool = False
    is_deleted: bool = False
    is_unsupported: bool = False


class Edit(MetaPart):
    mid: str = MessageId
    text: str = ""
    num_edit: int = Field(ge=0, le=1_000_000)  # people may edit five times


class Postback(MetaPart):
    """A tapped button. Not every version of the interface gives it an id."""

    mid: str | None = Field(default=None, min_length=1, max_length=_MESSAGE_ID_LENGTH)
    title: str = ""


class MessagingEvent(MetaPart):
    """One event of a conversation; exactly one of the last three is there when a person said something."""

    sender: Somebody
    timestamp: int = MetaTime
    message: Said | None = None
    message_edit: Edit | None = None
    postback: Postback | None = None


def read_conversations(place: Place, entry: Entry) -> Iterator[Item]:
    """Understand the private messages of an entry, in their order.

    :raises Undecodable:
    """
    tested = [change.value for change in entry.all_changes if "sender" in change.value]
    for event in (*entry.messaging, *entry.standby, *tested):
        yield _read_event(place, event)


def _read_event(place: Place, document: dict[str, Any]) -> Item:
    if "delivery" in document or "read" in document:
        return IgnoreReason.RECEIPT
    if not {"message", "message_edit", "postback"} & document.keys():
        return IgnoreReason.UNKNOWN_TYPE
    event = decode_model(MessagingEvent, document, place.documentation)
    if event.sender.id == place.account or (event.message and event.message.is_echo):
        return IgnoreReason.ECHO
    if event.message:
        return _message(place, event, event.message)
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
    problems = tuple(_problems(place, said))
    return _compose(place, event, MessageKind.CREATED, said.mid, said.text or "", problems=problems)


def _problems(place: Place, said: Said) -> Iterator[str]:
    if said.is_unsupported:
        yield f"{place.name} does not pass on this kind of message; look at it in {place.name}"
    for attachment in said.attachments or ():
        payload = attachment.payload or Payload()
        yield left_behind(
            place.name, attachment.type, payload.url or "no link given", name=payload.title, locator=payload.url
        )


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
    return IncomingMessage(
        kind=kind,
        channel=Channel.CHAT,
        provider_id=provider_id,
        revision=revision,
        conversation=f"{place.account}/{event.sender.id}",
        sender=place.person(event.sender.id),
        subject=one_line(text, SUBJECT_LENGTH),
        text=text,
        sent_at=instant(event.timestamp),
        reading_problems=problems,
    )
