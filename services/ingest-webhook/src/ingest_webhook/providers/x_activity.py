"""X: the Account Activity API (docs.x.com/x-api/account-activity/introduction) and the X Activity API that follows it
(…/activity/event-payloads). Both deliver through the same webhooks, with the same signature and the same check.

The check is a trap: whoever asks by GET gets any text signed, with the very secret and spelling that make a delivery
genuine. So only tokens of letters that no JSON object can do without are signed: what we sign is never an event.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from ingest_webhook.domain.body_signatures import verify_x, x_signature
from ingest_webhook.provider import Handshake, Ignored, Reading, WebhookRequest
from ingest_webhook.providers.batches import Item, read_batch
from ingest_webhook.providers.decode_model import decode_model, decode_object, decode_query
from ingest_webhook.providers.x_direct_messages import (
    DOCUMENTATION,
    DirectMessages,
    EncryptedMessage,
    read_direct_messages,
    read_encrypted,
)
from ingest_webhook.providers.x_posts import (
    Includes,
    Milliseconds,
    NewerPost,
    OlderDeletion,
    OlderPost,
    XId,
    read_deletion,
    read_post,
)
from ingest_webhook.rejections import IgnoreReason, Undecodable
from ticket_intake.keyed_hmac import signing_keys
from ticket_intake.options import SourceOptions
from ticket_intake.signatures import SecretMalformed

# What else an Account Activity notification may hold is about followers, likes and blocks.
TYPING = "direct_message_indicate_typing_events"


class _Check(msgspec.Struct, frozen=True):
    # Base64, or a UUID; never a brace or a quotation mark (see above).
    crc_token: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.~+/=-]{1,200}\Z")]


class _Deleted(msgspec.Struct, frozen=True):
    status: OlderDeletion
    timestamp_ms: Milliseconds | None = None


class _Notification(DirectMessages, frozen=True, kw_only=True):
    for_user_id: XId
    tweet_create_events: tuple[dict[str, Any], ...] = ()
    tweet_delete_events: tuple[dict[str, Any], ...] = ()


class _Filter(msgspec.Struct, frozen=True):
    user_id: XId


class _Activity(msgspec.Struct, frozen=True):
    event_type: str
    filter: _Filter
    payload: dict[str, Any] = msgspec.field(default_factory=dict)
    includes: Includes = Includes()


class XActivity:
    """Provider `x`. Secrets: the app's consumer secret (API key secret). The first answers X's check."""

    methods = ("GET", "POST")
    challenge = None

    def __init__(self, options: SourceOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._keys = signing_keys(secrets)

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "XActivity":
        if not all(secret.isascii() and secret.isalnum() for secret in secrets):
            raise SecretMalformed("is no consumer secret: copy the API key secret from the app's keys and tokens")
        return cls(SourceOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        if request.method == "GET":  # X does not sign its check: it is we who have to prove something
            return
        signature = request.header(b"x-twitter-webhooks-signature")
        verify_x(request.body, signature=signature, keys=self._keys)

    def read(self, request: WebhookRequest) -> Reading:
        if request.method == "GET":
            token = decode_query(_Check, request.query, DOCUMENTATION).crc_token
            answer = {"response_token": x_signature(token.encode(), self._keys[0]).decode()}
            return Handshake("application/json", json.dumps(answer).encode())
        document = decode_object(request.body, DOCUMENTATION)
        if "for_user_id" in document:
            return read_batch(_read_notification(document))
        data = document.get("data")
        if isinstance(data, dict) and isinstance(data.get("event_type"), str) and data["event_type"] in _EVENTS:
            activity = decode_model(_Activity, data, DOCUMENTATION)
            return read_batch(_EVENTS[activity.event_type](activity))
        return Ignored(IgnoreReason.UNKNOWN_TYPE)


def _read_notification(document: dict[str, Any]) -> list[Item]:
    told = decode_model(_Notification, document, DOCUMENTATION)
    account = told.for_user_id
    items = read_direct_messages(account, told)
    for event in told.tweet_create_events:
        items.append(read_post(account, decode_model(OlderPost, event, DOCUMENTATION).as_post()))
    for event in told.tweet_delete_events:
        deleted = decode_model(_Deleted, event, DOCUMENTATION)
        items.append(read_deletion(account, deleted.status.id, deleted.status.user_id, deleted.timestamp_ms))
    if not items and TYPING in document:
        items.append(IgnoreReason.INTERIM)
    return items


def _direct(activity: _Activity) -> Sequence[Item]:
    told = decode_model(DirectMessages, activity.payload, DOCUMENTATION)
    return read_direct_messages(activity.filter.user_id, told)


def _read(activity: _Activity) -> Sequence[Item]:
    """X shows no payload of `dm.read`: it is read as the older interface's, and a payload without that is counted."""
    try:
        return _direct(activity) or (IgnoreReason.RECEIPT,)
    except Undecodable:
        return (IgnoreReason.UNREADABLE_RECEIPT,)


def _encrypted(activity: _Activity) -> Sequence[Item]:
    message = decode_model(EncryptedMessage, activity.payload, DOCUMENTATION)
    return (read_encrypted(activity.filter.user_id, message),)


def _post(activity: _Activity) -> Sequence[Item]:
    post = decode_model(NewerPost, activity.payload, DOCUMENTATION).as_post(activity.includes)
    return (read_post(activity.filter.user_id, post),)


def _ignored(reason: IgnoreReason) -> Callable[[_Activity], Sequence[Item]]:
    return lambda _: (reason,)


_EVENTS: Mapping[object, Callable[[_Activity], Sequence[Item]]] = {
    "dm.received": _direct,
    "chat.received": _encrypted,
    "post.mention.create": _post,
    "post.reply.create": _post,
    "post.quote.create": _post,
    "dm.sent": _ignored(IgnoreReason.ECHO),
    "chat.sent": _ignored(IgnoreReason.ECHO),
    "post.create": _ignored(IgnoreReason.ECHO),
    "post.delete": _ignored(IgnoreReason.ECHO),
    "dm.read": _read,
    "dm.indicate_typing": _ignored(IgnoreReason.INTERIM),
}
