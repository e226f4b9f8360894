"""Instagram professional accounts: conversations, and the comments below what the account posts.

developers.facebook.com/documentation/instagram-platform/webhooks/examples. A comment's notification tells no time of
the comment, so it counts from its receipt.
"""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.meta_messaging import NAME_LENGTH, SUBJECT_LENGTH, Place, read_conversations
from ingest_webhook.providers.meta_webhook import Change, Entry, MetaId, MetaPart, MetaWebhook
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage

DOCUMENTATION = "docs/channels/instagram.md"

COMMENTS = ("comments", "live_comments")


class Author(MetaPart):
    id: str = MetaId
    username: str = ""


class Comment(MetaPart):
    id: str = MetaId
    author: Author | None = Field(default=None, alias="from")
    text: str = ""
    parent_id: str | None = Field(default=None, max_length=64)


def build(options: Mapping[str, object], secrets: Sequence[str]) -> MetaWebhook:
    """Make provider `instagram`."""
    return MetaWebhook.build(options, secrets, about="instagram", documentation=DOCUMENTATION, read_entry=read_entry)


def read_entry(entry: Entry) -> Iterator[Item]:
    place = Place("Instagram", IdentityKind.INSTAGRAM, entry.id, DOCUMENTATION)
    yield from read_conversations(place, entry)
    for change in entry.all_changes:
        if "sender" not in change.value:
            yield _read_change(place, change)


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
