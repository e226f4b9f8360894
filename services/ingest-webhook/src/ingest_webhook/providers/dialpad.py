"""Dialpad's call events: https://developers.dialpad.com/docs/call-events.

With a secret the whole body is a JSON Web Token signed with HS256, else bare JSON, which proves nothing and is refused
(developers.dialpad.com, reference of call event subscriptions). Every call that ends sends `hangup`, answered or not.
Recordings stay at Dialpad (…/docs/downloading-call-recordings): ingest-files fetches them with an API key.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from ingest_webhook.domain.body_tokens import jwt_payload, verify_jwt
from ingest_webhook.domain.json_documents import NotJson
from ingest_webhook.provider import Ignored, Reading, WebhookRequest, one_message
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.recordings import plain_link, recording_left
from ingest_webhook.rejections import IgnoreReason, wrong_field
from ticket_contracts.messages import CallRecord
from ticket_intake.message_data import Person
from ticket_intake.phone_calls import (
    MAX_EPOCH,
    MAX_SECONDS,
    NAME_LENGTH,
    CallOptions,
    Voicemail,
    call_message,
    caller_person,
    spelled,
    voicemail_message,
)

DOCUMENTATION = "docs/channels/dialpad.md"

# `missed` and `voicemail` too: the hang-up follows and knows how it ended.
INTERIM = frozenset(
    {
        *("preanswer", "calling", "ringing", "queued", "connected", "hold", "parked", "merged", "missed", "blocked"),
        *("voicemail", "monitor", "barge", "takeover", "eavesdrop", "transcription", "call_transcription"),
        *("recording", "admin_recording", "admin", "dispositions", "csat", "postcall"),
    }
)

TALKS = ("callrecording", "admincallrecording")

Milliseconds = Annotated[float, msgspec.Meta(gt=0, le=MAX_EPOCH * 1000)]
"""Since 1970. A float, because lengths come with fractions of a millisecond."""
CallId: TypeAlias = (
    Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{1,32}\Z")] | Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
)
Text: TypeAlias = str | int | float | None
"""Ids are numbers of 16 digits, and other texts that are numbers may come as such; `_text` reads it."""


class Contact(msgspec.Struct, frozen=True):
    name: Text = None


class Target(msgspec.Struct, frozen=True):
    type: Text = None


class CallEvent(msgspec.Struct, frozen=True):
    call_id: CallId
    state: Literal["hangup", "voicemail_uploaded"]
    direction: str | int | float
    date_started: Milliseconds
    date_connected: Milliseconds | None = None
    date_ended: Milliseconds | None = None
    external_number: Text = None
    internal_number: Text = None
    is_internal: bool | None = None
    contact: Contact | None = None
    target: Target | None = None
    entry_point_call_id: Text = None
    master_call_id: Text = None
    operator_call_id: Text = None
    voicemail_link: Text = None
    recording_details: Any = None

    @property
    def is_second_leg(self) -> bool:
        """A call to an agent made for one that a call centre, a department or a menu took."""
        itself = ("", _text(self.call_id))
        return _text(self.entry_point_call_id) not in itself or _text(self.master_call_id) not in itself

    @property
    def answered(self) -> bool:
        """Menus and queues connect a call as well; a person is a user's line, or an operator's leg."""
        by_person = bool(_text(self.operator_call_id)) or (self.target is not None and self.target.type == "user")
        return self.date_connected is not None and by_person and not _text(self.voicemail_link)

    def links(self, *kinds: str) -> Iterator[str]:
        """Give the links of the recordings of these types. No call is refused for what is told of its recordings."""
        details = self.recording_details if isinstance(self.recording_details, list) else []
        for detail in details:
            known = isinstance(detail, dict) and detail.get("recording_type") in kinds
            if known and (link := plain_link(detail.get("url"))):
                yield link


class Dialpad:
    """Provider `dialpad`. Secrets: those given to the webhook when it was made."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: CallOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._options = options
        self._secrets = secrets

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Dialpad":
        return cls(CallOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_jwt(request.body, self._secrets)

    def read(self, request: WebhookRequest) -> Reading:
        document = decode_object(_payload(request.body), DOCUMENTATION)
        state = document.get("state")
        if state not in ("hangup", "voicemail_uploaded"):
            interim = isinstance(state, str) and state in INTERIM
            return Ignored(IgnoreReason.INTERIM if interim else IgnoreReason.UNKNOWN_TYPE)
        event = decode_model(CallEvent, document, DOCUMENTATION)
        if event.is_second_leg:
            return Ignored(IgnoreReason.SECOND_LEG)
        if event.direction != "inbound" or event.is_internal:
            return Ignored(IgnoreReason.OUTBOUND_CALL)
        caller, callee = self._spelled(event.external_number), self._spelled(event.internal_number)
        name = _text(event.contact.name)[:NAME_LENGTH] if event.contact else ""
        person = caller_person(caller, _text(event.call_id), name)
        if event.state == "hangup":
            return self._ended(event, caller, callee, person)
        return self._voicemail(event, callee, person)

    def _ended(self, event: CallEvent, caller: str, callee: str, person: Person) -> Reading:
        ended = event.date_ended or event.date_started
        talked = int((ended - (event.date_connected or ended)) / 1000)
        answered = event.answered
        call = CallRecord(
            call_id=_text(event.call_id),
            direction="inbound",
            answered=answered,
            caller=caller,
            callee=callee,
            started_at=_instant(event.date_started),
            seconds=min(max(talked, 0), MAX_SECONDS) if answered else 0,
        )
        problems = [recording_left("Dialpad", "recording", link, link) for link in event.links(*TALKS)]
        if _text(event.voicemail_link):
            # Not to be fetched here: it is a file of its own message, which `voicemail_uploaded` becomes.
            problems.insert(0, recording_left("Dialpad", "voicemail", plain_link(event.voicemail_link)))
        return one_message(call_message(call, person, self._options.language, _instant(ended), tuple(problems)))

    def _voicemail(self, event: CallEvent, callee: str, person: Person) -> Reading:
        link = plain_link(event.voicemail_link) or next(event.links("voicemail"), "")
        left = recording_left("Dialpad", "voicemail", link, link)
        call_id = _text(event.call_id)
        voicemail = Voicemail(call_id, f"{call_id}/voicemail_uploaded", left)
        return one_message(voicemail_message(voicemail, person, callee, self._options.language))

    def _spelled(self, number: Text) -> str:
        return spelled(_text(number), self._options.region)


def _text(value: Text) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else str(value)


def _payload(body: bytes) -> bytes:
    try:
        return jwt_payload(body)
    except NotJson as error:
        raise wrong_field("body", str(error), DOCUMENTATION) from error


def _instant(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
