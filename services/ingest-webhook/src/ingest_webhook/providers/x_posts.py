"""Public posts on X, in the two shapes in which they come, as one.

The older is that of docs.x.com/x-api/account-activity/introduction (`id_str`, `user`, `extended_tweet`), the newer that
of …/activity/event-payloads (`author_id`, `note_tweet`). An edited post is a new post that names its first version.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import msgspec

from ingest_webhook.providers.batches import Item
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line, unescape
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person

SUBJECT_LENGTH, NAME_LENGTH = 120, 200
# 2286-11-20: what a date can still hold.
MAX_MILLISECONDS = 9_999_999_999_999

# `\Z`: a `$` of Python's also stands before a line break at the end.
XId = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]
"""64 bits, as text: JavaScript would round the number."""
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_MILLISECONDS)]
"""Since 1970."""


class Profile(msgspec.Struct, frozen=True):
    name: str | None = None


class User(Profile, frozen=True):
    """The newer shape has the fields one level deeper."""

    data: Profile = Profile()

    @property
    def shown(self) -> str:
        return one_line(self.name or self.data.name or "", NAME_LENGTH)


class Post(NamedTuple):
    id: str
    first_version: str
    author: str
    name: str
    text: str
    sent_at: datetime | None
    media: tuple[str, ...]
    is_repost: bool


class Media(msgspec.Struct, frozen=True):
    type: str = "media"
    media_url_https: str | None = None
    video_info: Any = None

    def left(self) -> str:
        """Name it; of a film the link is that of its best version, `media_url_https` is only a picture of it."""
        link = self.media_url_https if self.type == "photo" else _film(self.video_info)
        return left_behind("X", self.type, self.media_url_https or "no link given", locator=link)


def _film(video_info: object) -> str | None:
    variants = video_info.get("variants") if isinstance(video_info, dict) else None
    best: tuple[int, str] | None = None
    for variant in variants if isinstance(variants, list) else ():
        if not isinstance(variant, dict) or variant.get("content_type") != "video/mp4":
            continue
        rate, url = variant.get("bitrate", 0), variant.get("url")
        if isinstance(rate, int) and isinstance(url, str) and (best is None or rate > best[0]):
            best = rate, url
    return best[1] if best else None


class _Media(msgspec.Struct, frozen=True):
    media: tuple[Media, ...] = ()


class _Extended(msgspec.Struct, frozen=True):
    full_text: str | None = None
    extended_entities: _Media = _Media()


class _History(msgspec.Struct, frozen=True):
    initial_tweet_id: XId | None = None


class _Author(User, frozen=True, kw_only=True):
    id_str: XId


class OlderPost(msgspec.Struct, frozen=True):
    id_str: XId
    user: _Author
    text: str | None = None
    full_text: str | None = None
    extended_tweet: _Extended = _Extended()
    extended_entities: _Media = _Media()
    retweeted_status: dict[str, object] | None = None
    edit_history: _History = _History()
    timestamp_ms: Milliseconds | None = None
    created_at: str | None = None

    def as_post(self) -> Post:
        media = self.extended_tweet.extended_entities.media or self.extended_entities.media
        return Post(
            id=self.id_str,
            first_version=self.edit_history.initial_tweet_id or self.id_str,
            author=self.user.id_str,
            name=self.user.shown,
            text=self.extended_tweet.full_text or self.full_text or self.text or "",
            sent_at=milliseconds(self.timestamp_ms) if self.timestamp_ms is not None else _parsed(self.created_at),
            media=tuple([one.left() for one in media]) if media else (),
            is_repost=self.retweeted_status is not None,
        )


class OlderDeletion(msgspec.Struct, frozen=True):
    """`status` of a deletion; the newer interface tells deletions of our own posts only."""

    id: XId
    user_id: XId


class _Note(msgspec.Struct, frozen=True):
    text: str | None = None


class _Attachments(msgspec.Struct, frozen=True):
    media_keys: tuple[str, ...] = ()


class _Reference(msgspec.Struct, frozen=True):
    type: str = ""


class _Included(User, frozen=True):
    id: str | None = None


class Includes(msgspec.Struct, frozen=True):
    users: tuple[_Included, ...] = ()


class NewerPost(msgspec.Struct, frozen=True):
    id: XId
    author_id: XId
    text: str = ""
    note_tweet: _Note = _Note()
    created_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    edit_history_tweet_ids: tuple[XId, ...] = ()
    referenced_tweets: tuple[_Reference, ...] = ()
    attachments: _Attachments = _Attachments()

    def as_post(self, includes: Includes) -> Post:
        return Post(
            id=self.id,
            first_version=next(iter(self.edit_history_tweet_ids), self.id),
            author=self.author_id,
            name=next((user.shown for user in includes.users if user.id == self.author_id), ""),
            text=self.note_tweet.text or self.text,
            sent_at=self.created_at,
            media=tuple(left_behind("X", "media", f"media key {key}") for key in self.attachments.media_keys),
            is_repost=any(reference.type in ("retweeted", "reposted") for reference in self.referenced_tweets),
        )


def read_post(account: str, post: Post) -> Item:
    if post.author == account:
        return IgnoreReason.ECHO
    if post.is_repost:  # nobody says anything by it
        return IgnoreReason.UNKNOWN_TYPE
    text = unescape(post.text)
    edited = post.first_version != post.id
    return IncomingMessage(
        kind=MessageKind.EDITED if edited else MessageKind.CREATED,
        channel=Channel.SOCIAL,
        provider_id=f"post/{post.first_version}",
        revision=post.id if edited else "",
        conversation=posts_of(account, post.author),
        sender=person(post.author, post.name),
        subject=one_line(text, SUBJECT_LENGTH),
        text=text,
        sent_at=post.sent_at,
        reading_problems=post.media,
    )


def posts_of(account: str, author: str) -> str:
    """The conversation of one person's posts.

    An answer to our answer names our post and not theirs, and below one post of ours many people write: who writes is
    the only thing that holds a case together.
    """
    return f"{account}/post/{author}"


def person(user: str, name: str = "") -> Person:
    return Person(kind=IdentityKind.X, value=user, name=name)


def milliseconds(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)


def _parsed(created_at: str | None) -> datetime | None:
    """A time that cannot be read is as good as none: the receipt counts."""
    try:
        return datetime.strptime(created_at or "", "%a %b %d %H:%M:%S %z %Y")  # Wed Aug 16 18:35:42 +0000 2022
    except ValueError:
        return None


def read_deletion(account: str, post: str, author: str, at: int | None) -> Item:
    if author == account:
        return IgnoreReason.ECHO
    return IncomingMessage(
        kind=MessageKind.DELETED,
        channel=Channel.SOCIAL,
        provider_id=f"post/{post}",
        conversation=posts_of(account, author),
        sender=person(author),
        sent_at=milliseconds(at) if at is not None else None,
    )
