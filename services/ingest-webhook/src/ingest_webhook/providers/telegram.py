"""Telegram bots: core.telegram.org/bots/api, `setWebhook`, `Update` and `Message`.

Telegram proves itself by the `secret_token` that was given to `setWebhook`; the body is not signed. Messages to a
business account that is connected to the bot are numbered for themselves, so their ids carry the connection.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest_webhook.domain.body_signatures import verify_shared_token
from ingest_webhook.provider import Reading, WebhookRequest
from ingest_webhook.providers.batches import Item, read_batch
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.telegram_content import Content, read_content
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.options import SourceOptions
from ticket_intake.signatures import SecretMalformed

DOCUMENTATION = "docs/channels/telegram.md"

SUBJECT_LENGTH, NAME_LENGTH = 120, 200
SPOKEN: Mapping[str, MessageKind] = {
    "message": MessageKind.CREATED,
    "edited_message": MessageKind.EDITED,
    "business_message": MessageKind.CREATED,
    "edited_business_message": MessageKind.EDITED,
}
DELETED = "deleted_business_messages"
# Bot API, `setWebhook`: 1 to 256 of these characters.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
# "At most 52 significant bits" for chats and people; message and update ids are smaller.
_MAX_ID = 2**53

Id = Annotated[int, Meta(ge=-_MAX_ID, le=_MAX_ID)]
Seconds = Annotated[int, Meta(ge=0, le=9_999_999_999)]  # until 2286, what a date can still hold
ConnectionId = Annotated[str, Meta(min_length=1, max_length=100)]


class User(msgspec.Struct, frozen=True):
    id: Id
    is_bot: bool = False
    first_name: str = ""
    last_name: str = ""


class Chat(msgspec.Struct, frozen=True):
    """A person, a group or a channel. Private chats have the id of the person."""

    id: Id
    type: str = ""
    title: str = ""
    first_name: str = ""
    last_name: str = ""


class Message(msgspec.Struct, frozen=True):
    message_id: Id
    date: Seconds
    chat: Chat
    edit_date: Seconds | None = None
    user: User | None = msgspec.field(name="from", default=None)
    sender_chat: Chat | None = None
    business_connection_id: ConnectionId | None = None
    sender_business_bot: dict[str, Any] | None = None
    message_thread_id: Annotated[int, Meta(ge=0, le=_MAX_ID)] | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False

    @property
    def is_ours(self) -> bool:
        """What our bot or we ourselves write to a customer as a business, and our channel's posts in its group."""
        by_owner = (
            self.business_connection_id is not None
            and self.chat.type == "private"
            and self.user is not None
            and self.user.id != self.chat.id
        )
        return by_owner or self.sender_business_bot is not None or self.is_automatic_forward


class Deletion(msgspec.Struct, frozen=True):
    business_connection_id: ConnectionId
    chat: Chat
    message_ids: tuple[Id, ...]


class Update(msgspec.Struct, frozen=True):
    update_id: Id


class Telegram:
    """Provider `telegram`. Secrets: the `secret_token` of `setWebhook`."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: SourceOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._secrets = secrets

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Telegram":
        if not all(_TOKEN.fullmatch(secret) for secret in secrets):
            raise SecretMalformed("is no secret_token: 1 to 256 letters of A-Z, a-z, 0-9, _ and -, not the bot's token")
        return cls(SourceOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_shared_token(request.header(b"x-telegram-bot-api-secret-token"), self._secrets)

    def read(self, request: WebhookRequest) -> Reading:
        document = decode_object(request.body, DOCUMENTATION)
        return read_batch(_read_update(document))


def _read_update(document: dict[str, Any]) -> list[Item]:
    """An update tells one thing, but a deletion may be of several messages."""
    items: list[Item] = []
    if DELETED in document:
        items += _deletions(decode_model(Deletion, document[DELETED], DOCUMENTATION))
    for name, kind in SPOKEN.items():
        if name in document:
            update = decode_model(Update, document, DOCUMENTATION)
            items.append(_read_message(kind, update, document[name]))
    return items


def _read_message(kind: MessageKind, update: Update, document: Any) -> Item:
    message = decode_model(Message, document, DOCUMENTATION)
    if message.is_ours:
        return IgnoreReason.ECHO
    sender = _sender(message)
    if isinstance(sender, IgnoreReason):
        return sender
    content = read_content(document)
    if content is None:
        return IgnoreReason.UNKNOWN_TYPE
    edited = kind is MessageKind.EDITED
    if edited and content.is_place:  # a live location moves every few seconds
        return IgnoreReason.INTERIM
    return _compose(kind, message, sender, content, str(update.update_id) if edited else "")


def _compose(kind: MessageKind, message: Message, sender: Person, content: Content, revision: str) -> IncomingMessage:
    chat = _chat(message.business_connection_id, message.chat)
    thread = f"/{message.message_thread_id}" if message.is_topic_message and message.message_thread_id else ""
    at = (message.edit_date or message.date) if kind is MessageKind.EDITED else message.date
    return IncomingMessage(
        kind=kind,
        channel=Channel.CHAT,
        provider_id=f"{chat}/{message.message_id}",
        revision=revision,
        conversation=f"{chat}{thread}",
        sender=sender,
        subject=one_line(content.text, SUBJECT_LENGTH),
        text=content.text,
        sent_at=datetime.fromtimestamp(at, UTC),
        reading_problems=content.problems,
    )


def _deletions(deletion: Deletion) -> Iterator[IncomingMessage]:
    """Whose messages they were is not told; in a private chat what we took in can only be the customer's."""
    chat = _chat(deletion.business_connection_id, deletion.chat)
    for message_id in deletion.message_ids:
        yield IncomingMessage(
            kind=MessageKind.DELETED,
            channel=Channel.CHAT,
            provider_id=f"{chat}/{message_id}",
            conversation=chat,
            sender=_person(deletion.chat),
        )


def _chat(connection: str | None, chat: Chat) -> str:
    return f"{connection}/{chat.id}" if connection else str(chat.id)


def _sender(message: Message) -> Person | IgnoreReason:
    """Who wrote. People may write as one of their channels; an administrator writes as the group itself."""
    if message.sender_chat and message.sender_chat.id != message.chat.id:
        return _person(message.sender_chat)
    if message.user is None:
        return IgnoreReason.NO_SENDER
    return IgnoreReason.BOT if message.user.is_bot else _person(message.user)


def _person(somebody: User | Chat) -> Person:
    title = somebody.title if isinstance(somebody, Chat) else ""
    name = title or f"{somebody.first_name} {somebody.last_name}"
    return Person(kind=IdentityKind.TELEGRAM, value=str(somebody.id), name=one_line(name, NAME_LENGTH))
