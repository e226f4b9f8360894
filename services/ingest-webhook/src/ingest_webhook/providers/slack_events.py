"""Slack's Events API: https://docs.slack.dev/apis/events-api/ and …/reference/events/message.

A request with `X-Slack-Retry-Num` is treated like the first: its first delivery may be exactly the one that failed.
Files stay at Slack: the message names them, and ingest-files fetches them where the source has a token.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest_webhook.provider import Handshake, Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.rejections import IgnoreReason, wrong_field
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line, unescape
from ticket_intake.incoming import IncomingMessage
from ticket_intake.keyed_hmac import signing_keys
from ticket_intake.message_data import Person
from ticket_intake.options import SourceOptions
from ticket_intake.signatures import SecretMalformed, verify_slack

DOCUMENTATION = "docs/channels/slack.md"

# Subtypes that are a person saying something; every other one is Slack telling about the channel.
SPOKEN = (None, "file_share", "thread_broadcast", "me_message")
SUBJECT_LENGTH = 120

SlackId = Annotated[str, Meta(min_length=1, max_length=64)]
"""Ids have about eleven characters; the room is for what Slack may yet do."""
TimeStamp = Annotated[str, Meta(pattern=r"^\d{1,10}(\.\d{1,9})?\Z")]
"""Unix seconds with a fraction that makes it the message's id within its channel. Compared as text, never rounded."""

# No part of it may cross another `<`, so that a text of nothing but these costs one pass.
_REFERENCE = re.compile(r"<([@#!])?([^<>|]*)(?:\|([^<>]*))?>")


class File(msgspec.Struct, frozen=True):
    name: str | None = None
    size: int | None = None
    permalink: str | None = None
    url_private_download: str | None = None
    url_private: str | None = None
    mimetype: str | None = None


class Edit(msgspec.Struct, frozen=True):
    ts: TimeStamp


class Said(msgspec.Struct, frozen=True):
    """A message as it stands in an event, or in `message` and `previous_message` of a change."""

    ts: TimeStamp
    user: Annotated[str, Meta(max_length=64)] | None = None
    text: str = ""
    thread_ts: TimeStamp | None = None
    bot_id: str | None = None
    subtype: str | None = None
    edited: Edit | None = None
    files: tuple[File, ...] = ()

    @property
    def by_machine(self) -> bool:
        """Our own replies come back as events; answering them would never end."""
        return self.bot_id is not None or self.subtype == "bot_message"


class SpokenEvent(Said, frozen=True, kw_only=True):
    """A message as an event of its own."""

    channel: SlackId


class ChangeEvent(msgspec.Struct, frozen=True):
    channel: SlackId
    message: Said
    ts: TimeStamp


class DeleteEvent(msgspec.Struct, frozen=True):
    channel: SlackId
    deleted_ts: TimeStamp
    ts: TimeStamp
    previous_message: Said | None = None


class Envelope(msgspec.Struct, frozen=True):
    """What `event` holds is read by its own model; to check here that it is an object would copy it."""

    team_id: SlackId
    event: Any


class Verification(msgspec.Struct, frozen=True):
    challenge: Annotated[str, Meta(max_length=1000)]


class SlackEvents:
    """Provider `slack`. Secrets: the app's signing secret."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: SourceOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._keys = signing_keys(secrets)

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "SlackEvents":
        if not all(secret.isascii() and secret.isalnum() for secret in secrets):
            raise SecretMalformed("is no Slack signing secret: copy it from the app's page, Basic Information")
        return cls(SourceOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_slack(
            request.body,
            timestamp=request.header(b"x-slack-request-timestamp"),
            signature=request.header(b"x-slack-signature"),
            keys=self._keys,
            now=request.received_at.timestamp(),
        )

    def read(self, request: WebhookRequest) -> Reading:
        document = decode_object(request.body, DOCUMENTATION)
        match document.get("type"):
            case "event_callback":
                return _read_event(decode_model(Envelope, document, DOCUMENTATION))
            case "url_verification":
                challenge = decode_model(Verification, document, DOCUMENTATION).challenge
                return Handshake("text/plain; charset=utf-8", challenge.encode())
            case "app_rate_limited":
                return Ignored(IgnoreReason.RATE_LIMITED)
        return Ignored(IgnoreReason.UNKNOWN_TYPE)


def _read_event(envelope: Envelope) -> Reading:
    event = envelope.event
    if not isinstance(event, dict):
        raise wrong_field("body.event", "is no object", DOCUMENTATION)
    # `app_mention` repeats what `message` says to apps that subscribe to both; the identity makes them one.
    if event.get("type") not in ("message", "app_mention"):
        return Ignored(IgnoreReason.UNKNOWN_TYPE)
    match event.get("subtype"):
        case subtype if subtype in SPOKEN:
            said = decode_model(SpokenEvent, event, DOCUMENTATION)
            return _spoken(MessageKind.CREATED, envelope.team_id, said.channel, said, said.ts, "")
        case "message_changed":
            return _read_change(envelope.team_id, decode_model(ChangeEvent, event, DOCUMENTATION))
        case "message_deleted":
            return _read_deletion(envelope.team_id, decode_model(DeleteEvent, event, DOCUMENTATION))
        case "bot_message":
            return Ignored(IgnoreReason.BOT)
    return Ignored(IgnoreReason.UNKNOWN_TYPE)


def _read_change(team: str, change: ChangeEvent) -> Reading:
    message = change.message
    if message.subtype == "tombstone":  # the first message of a thread that lives on
        return _spoken(MessageKind.DELETED, team, change.channel, message, change.ts, "")
    if message.edited is None:  # a link was unfurled or a reply counted: nobody changed a word
        return Ignored(IgnoreReason.NOT_EDITED)
    return _spoken(MessageKind.EDITED, team, change.channel, message, message.edited.ts, message.edited.ts)


def _read_deletion(team: str, deletion: DeleteEvent) -> Reading:
    gone = deletion.previous_message
    if gone is None:  # Slack's own example has none; then nobody can say whose message it was
        return Ignored(IgnoreReason.NO_SENDER)
    gone = msgspec.structs.replace(gone, ts=deletion.deleted_ts)
    return _spoken(MessageKind.DELETED, team, deletion.channel, gone, deletion.ts, "")


def _spoken(kind: MessageKind, team: str, channel: str, said: Said, at: str, revision: str) -> Reading:
    if said.by_machine:
        return Ignored(IgnoreReason.BOT)
    if not said.user:
        return Ignored(IgnoreReason.NO_SENDER)
    text = readable(said.text)
    message = IncomingMessage(
        kind=kind,
        channel=Channel.CHAT,
        # Not `event_id`: that names the notification, and two of them may tell of the same message.
        provider_id=f"{channel}/{said.ts}",
        revision=revision,
        conversation=f"{channel}/{said.thread_ts or said.ts}",
        # Slack: a user id is unique only together with the workspace's.
        sender=Person(kind=IdentityKind.SLACK, value=f"{team}/{said.user}"),
        subject=one_line(text, SUBJECT_LENGTH),
        text=text,
        sent_at=datetime.fromtimestamp(float(at), UTC),
        reading_problems=tuple(map(_left_at_slack, said.files)) if said.files else (),
    )
    return Messages((message,))


def readable(text: str) -> str:
    """Turn Slack's markup into what the writer saw: names, links and the three escaped characters."""
    plain = _REFERENCE.sub(_show_reference, text) if "<" in text else text
    return unescape(plain)


def _show_reference(match: re.Match[str]) -> str:
    sign, target, label = match.groups()
    if sign == "!":
        return label or f"@{target.partition('^')[0]}"
    if sign:
        return f"{sign}{label or target}"
    return f"{label} ({target})" if label and label != target else target


def _left_at_slack(file: File) -> str:
    where = file.permalink or "no link given"
    return left_behind(
        "Slack",
        "file",
        where,
        name=file.name or "unnamed",
        size=file.size,
        locator=file.url_private_download or file.url_private,
        media_type=file.mimetype,
    )
