"""Facebook pages: Messenger's conversations, and the comments below what the page posts.

developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events;
comments: developers.facebook.com/docs/graph-api/webhooks/reference/page, field `feed`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.meta_messaging import NAME_LENGTH, SUBJECT_LENGTH, read_conversations
from ingest_webhook.providers.meta_place import Place
from ingest_webhook.providers.meta_webhook import Entry, MetaId, MetaTime, MetaWebhook, instant
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage

DOCUMENTATION = "docs/channels/messenger.md"

# A comment's id is the post's and its own, joined.
CommentId = Annotated[str, Meta(min_length=1, max_length=150)]
ParentId = Annotated[str, Meta(max_length=150)]
VERBS: Mapping[object, MessageKind] = {
    "add": MessageKind.CREATED,
    "edited": MessageKind.EDITED,
    "remove": MessageKind.DELETED,
}


class Author(msgspec.Struct, frozen=True):
    id: MetaId
    name: str = ""


class Comment(msgspec.Struct, frozen=True):
    """`parent_id` is the post for a comment of its own, the comment above for an answer."""

    comment_id: CommentId
    created_time: MetaTime
    post_id: ParentId | None = None
    parent_id: ParentId | None = None
    author: Author | None = msgspec.field(name="from", default=None)
    message: str = ""


def build(options: Mapping[str, object], secrets: Sequence[str]) -> MetaWebhook:
    """Make provider `messenger`."""
    return MetaWebhook.build(options, secrets, about="page", documentation=DOCUMENTATION, read_entry=read_entry)


def read_entry(entry: Entry) -> list[Item]:
    place = Place("Messenger", IdentityKind.FACEBOOK, entry.id, DOCUMENTATION)
    changes = entry.all_changes()
    items = read_conversations(place, entry, changes)
    items += [_read_feed(place, entry, change.value) for change in changes if change.field == "feed"]
    return items


def _read_feed(place: Place, entry: Entry, value: dict[str, Any]) -> Item:
    verb = value.get("verb")
    kind = VERBS.get(verb) if isinstance(verb, str) else None
    if value.get("item") != "comment" or kind is None:
        return IgnoreReason.UNKNOWN_TYPE
    comment = decode_model(Comment, value, DOCUMENTATION)
    if comment.author is None:
        return IgnoreReason.NO_SENDER
    if comment.author.id == place.account:
        return IgnoreReason.ECHO
    return _comment(place, kind, comment, comment.author, entry.time)


def _comment(place: Place, kind: MessageKind, comment: Comment, author: Author, told_at: int) -> IncomingMessage:
    created = kind is MessageKind.CREATED
    return IncomingMessage(
        kind=kind,
        channel=Channel.SOCIAL,
        provider_id=comment.comment_id,
        # Of several edits only the time of the notification differs; a repeated delivery keeps it.
        revision=str(told_at) if kind is MessageKind.EDITED else "",
        conversation=f"{place.account}/{_thread(comment)}",
        sender=place.person(author.id, one_line(author.name, NAME_LENGTH)),
        subject=one_line(comment.message, SUBJECT_LENGTH),
        text=comment.message,
        sent_at=instant(comment.created_time if created else told_at),
    )


def _thread(comment: Comment) -> str:
    answers = comment.parent_id and comment.parent_id != comment.post_id
    return f"comment/{comment.parent_id if answers else comment.comment_id}"
