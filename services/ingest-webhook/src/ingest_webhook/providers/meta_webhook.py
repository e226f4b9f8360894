"""What Messenger, Instagram and WhatsApp have in common: how they prove themselves, ask, and put events into entries.

developers.facebook.com/docs/graph-api/webhooks/getting-started. Up to a thousand events come in one request. No time is
signed: that a replay is harmless rests on the ids of the messages. Fields that Meta may add are ignored.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ingest_webhook.domain.body_signatures import verify_meta, verify_shared_token
from ingest_webhook.provider import Handshake, Ignored, Reading, WebhookRequest
from ingest_webhook.providers.batches import Item, read_batch
from ingest_webhook.providers.decode_model import decode_model, decode_object, decode_query, query_parameters
from ingest_webhook.rejections import IgnoreReason
from ticket_intake.keyed_hmac import signing_keys
from ticket_intake.options import TokenOptions
from ticket_intake.signatures import SecretMalformed

# Meta's own challenges are ten digits; what we repeat to the sender is kept short and harmless.
_CHALLENGE = r"^[A-Za-z0-9_.-]{1,200}\Z"
# 2286-11-20 in milliseconds, what a date can still hold.
_MAX_MILLISECONDS = 9_999_999_999_999
# Seconds have ten digits until 2286, milliseconds have had more since 1973; Meta writes now one, now the other.
_SECONDS_BELOW = 100_000_000_000

MetaId = Annotated[str, Meta(min_length=1, max_length=64)]
"""Ids of pages, accounts, people and comments: up to twenty digits; the room is for what Meta may yet do."""
MetaTime = Annotated[int, Meta(ge=0, le=_MAX_MILLISECONDS)]


class Change(msgspec.Struct, frozen=True):
    field: str = ""
    value: dict[str, Any] = msgspec.field(default_factory=dict)


class Entry(msgspec.Struct, frozen=True):
    """Events of one page or account. Apps with Instagram's own login get their one change in the entry itself."""

    id: MetaId
    time: MetaTime = 0
    messaging: tuple[dict[str, Any], ...] = ()
    standby: tuple[dict[str, Any], ...] = ()
    changes: tuple[Change, ...] = ()
    field: str | None = None
    value: dict[str, Any] | None = None

    def all_changes(self) -> tuple[Change, ...]:
        if self.field is None or self.value is None:
            return self.changes
        return (*self.changes, Change(field=self.field, value=self.value))


class Notification(msgspec.Struct, frozen=True):
    entry: tuple[Entry, ...]


class _Subscription(msgspec.Struct, frozen=True):
    mode: Literal["subscribe"] = msgspec.field(name="hub.mode")
    challenge: Annotated[str, Meta(pattern=_CHALLENGE)] = msgspec.field(name="hub.challenge")


ReadEntry = Callable[[Entry], Sequence[Item]]
"""What an entry says, in its order; raises Undecodable."""


class MetaWebhook:
    """A provider of Meta's. Secrets: app secrets; tokens: verify tokens. They differ in what an entry says."""

    methods = ("GET", "POST")
    challenge = None

    def __init__(
        self, options: TokenOptions, secrets: Sequence[bytes], about: str, documentation: str, read_entry: ReadEntry
    ) -> None:
        self.time_trusted = options.time_trusted
        self._tokens = options.token_bytes
        self._keys = signing_keys(secrets)
        self._about = about
        self._documentation = documentation
        self._read_entry = read_entry

    @classmethod
    def build(
        cls,
        options: Mapping[str, object],
        secrets: Sequence[str],
        *,
        about: str,
        documentation: str,
        read_entry: ReadEntry,
    ) -> "MetaWebhook":
        """Make the provider of one product.

        :param about: `object` of its notifications; those about another are ignored.
        """
        if not all(secret.isascii() and secret.isalnum() for secret in secrets):
            raise SecretMalformed("is no app secret: copy it from the app's page, App settings, Basic")
        encoded = [secret.encode() for secret in secrets]
        return cls(TokenOptions.model_validate(options), encoded, about, documentation, read_entry)

    def verify(self, request: WebhookRequest) -> None:
        if request.method == "GET":
            given = query_parameters(request.query).get("hub.verify_token", "")
            verify_shared_token(given.encode(), self._tokens)
        else:
            verify_meta(request.body, signature=request.header(b"x-hub-signature-256"), keys=self._keys)

    def read(self, request: WebhookRequest) -> Reading:
        if request.method == "GET":
            challenge = decode_query(_Subscription, request.query, self._documentation).challenge
            return Handshake("text/plain; charset=utf-8", challenge.encode())
        document = decode_object(request.body, self._documentation)
        if document.get("object") != self._about:
            return Ignored(IgnoreReason.UNKNOWN_TYPE)
        notification = decode_model(Notification, document, self._documentation)
        items: list[Item] = []
        for entry in notification.entry:
            items += self._read_entry(entry)
        return read_batch(items)


def instant(time: int) -> datetime:
    """Read Meta's time, whichever of its two units it has."""
    return datetime.fromtimestamp(time if time < _SECONDS_BELOW else time / 1000, UTC)
