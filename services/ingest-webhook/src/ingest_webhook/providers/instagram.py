"""Instagram professional accounts: conversations, and the comments below what the account posts.

developers.facebook.com/documentation/instagram-platform/webhooks/examples. A comment's notification tells no time of
the comment, so it counts from its receipt.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.meta_messaging import NAME_LENGTH, SUBJECT_LENGTH, read_conversations
from ingest_webhook.providers.meta_place import Place
from ingest_webhook.providers.meta_webhook import Change, Entry, MetaId, MetaWebhook
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage

DOCUMENTATION = "docs/channels/instagram.md"

COMMENTS = ("comments", "live_comments")


class Author(msgspec.Struct, frozen=True):
    id: MetaId
    username: str = ""


class Comment(msgspec.Struct, frozen=True):
    id: MetaId
    author: Author | None = msgspec.field(name="from", default=None)
    text: str = ""
    parent_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None


def build(options: Mapping[str, object], secrets: Sequence[str]) -> MetaWebhook:
    """Make provider `instagram`."""
    return MetaWebhook.build(options, secrets, about="instagram", documentation=DOCUMENTATION, read_entry=read_entry)


def read_entry(entry: Entry) -> list[Item]:
    place = Place("Instagram", IdentityKind.INSTAGRAM, entry.id, DOCUMENTATION)
    changes = entry.all_changes()
    items = read_conversations(place, entry, changes)
    items += [_read_change(place, change) for change in changes if "sender" not in change.value]
    return items


def _read_change(place: Place, change: Change) -> Item:
    if change.field not in COMMENTS:
        return IgnoreReason.UNKNOWN_TYPE
    comment = decode_model(Comment, change.value, DOCUMENTATION)
    if comment.author is None:
        return IgnoreReason.NO_SENDER
    if comment.author.id == place.account:
        return IgnoreReason.ECHO
    return _comment(place, comment, comment.author)


def _comment(place: Place, comment: Comment, author: Author) -> IncomingMessage:
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.SOCIAL,
        provider_id=f"comment/{comment.id}",
        conversation=f"{place.account}/comment/{comment.parent_id or comment.id}",
        sender=place.person(author.id, one_line(author.username, NAME_LENGTH)),
        subject=one_line(comment.text, SUBJECT_LENGTH),
        text=comment.text,
    )
