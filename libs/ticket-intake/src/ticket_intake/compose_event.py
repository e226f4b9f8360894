"""From a provider's message to the event on `support.messages.v1`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from msgspec import UNSET, Struct, UnsetType

from ticket_contracts.envelope import Event
from ticket_contracts.messages import Attachment, MessageReceived, StoredObject
from ticket_intake.clean_text import one_line, shorten
from ticket_intake.file_danger import danger_of
from ticket_intake.identity import message_identity
from ticket_intake.incoming import IncomingFile, IncomingMessage
from ticket_intake.message_data import ConversationData, MessageData

Store = Callable[[bytes, str], Awaitable[StoredObject]]
"""Durably stores content of a media type; `ObjectStorage.put`."""


class Origin(Protocol):
    """The configured source that a message came through."""

    @property
    def name(self) -> str: ...

    @property
    def brand(self) -> str: ...

    @property
    def account(self) -> str:
        """What the provider calls us; part of every message's identity."""
        ...

    @property
    def event_source(self) -> str: ...

    @property
    def time_trusted(self) -> bool: ...


# A quarter of an event at the four bytes that a character takes at most: the text travels on inside a command and a
# fact, and all three have to stay below MAX_EVENT_BYTES.
INLINE_CHARACTERS = 16 * 1024
FILE_NAME_LENGTH = 255
# What an agent reads beside the message; more of them say nothing more. Signed links of Meta's files have about 700
# characters, and one that is cut leads nowhere.
MAX_PROBLEMS, PROBLEM_LENGTH = 20, 1000


class StoredParts(Struct, frozen=True):
    """Where the parts of a message are that do not travel inside it: a text that is too long, and its files."""

    text: StoredObject | UnsetType = UNSET
    files: tuple[Attachment, ...] = ()


_NO_PARTS = StoredParts()


async def store_parts(message: IncomingMessage, store: Store) -> StoredParts:
    """Store what is long or a file. An ordinary message touches no storage.

    :raises StorageUnavailable:
    """
    is_long = len(message.text) > INLINE_CHARACTERS
    if not (is_long or message.files):
        return _NO_PARTS
    text: StoredObject | UnsetType = UNSET
    if is_long:
        text = await store(message.text.encode(), "text/plain; charset=utf-8")
    return StoredParts(text, tuple([await _store_file(file, store) for file in message.files]))


def compose_message(
    message: IncomingMessage, source: Origin, message_id: str, received_at: datetime, parts: StoredParts
) -> MessageData:
    """Build the payload of a message whose parts are stored."""
    return MessageData(
        message_id=message_id,
        identity=message_identity(source.account, message.provider_id, message.kind, message.revision),
        kind=message.kind,
        channel=message.channel,
        source=source.name,
        brand=source.brand,
        account=source.account,
        provider_id=message.provider_id,
        conversation=ConversationData(message.conversation),
        sender=message.sender,
        recipients=message.recipients,
        subject=message.subject,
        text=message.text[:INLINE_CHARACTERS],
        text_object=parts.text,
        attachments=parts.files,
        files=message.remote_files,
        received_at=received_at,
        sent_at=message.sent_at or UNSET,
        time_trusted=source.time_trusted,
        automation=message.automation,
        may_auto_answer=message.may_auto_answer,
        call=message.call or UNSET,
        reading_problems=_shortened(message.reading_problems),
        delivery=message.delivery or UNSET,
    )


def event_key(payload: MessageData) -> str:
    """Return the record key: all messages of one conversation stand in one partition, in order."""
    return f"{payload.brand}|{payload.account}|{payload.conversation.key}"


def compose_event(payload: MessageData, source: Origin, key: str, traceparent: str) -> Event:
    """Wrap the payload. It starts a chain, so it is its own correlation."""
    event_id = payload.message_id
    return Event(
        id=event_id,
        source=source.event_source,
        type=MessageReceived.event_type,
        time=payload.received_at,
        data=payload.encode(),
        subject=event_id,
        partitionkey=key,
        traceparent=traceparent,
        correlationid=event_id,
    )


async def _store_file(file: IncomingFile, store: Store) -> Attachment:
    name = one_line(file.name, FILE_NAME_LENGTH) or "unnamed"
    danger = danger_of(file.name, file.content)
    return Attachment(name=name, content=await store(file.content, file.media_type), danger=danger)


def _shortened(problems: tuple[str, ...]) -> tuple[str, ...]:
    # `str`: one that knows a file (`LeftBehind`) is not one that msgspec writes.
    return tuple([str(shorten(problem, PROBLEM_LENGTH)) for problem in problems[:MAX_PROBLEMS]]) if problems else ()
