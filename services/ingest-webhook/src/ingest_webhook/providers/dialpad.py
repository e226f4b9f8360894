"""Dialpad's call events: https://developers.dialpad.com/docs/call-events.

With a secret the whole body is a JSON Web Token signed with HS256, else bare JSON, which proves nothing and is refused
(developers.dialpad.com, reference of call event subscriptions). Every call that ends sends `hangup`, answered or not.
Recordings stay at Dialpad (…/docs/downloading-call-recordings): ingest-files fetches them with an API key.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingest_webhook.domain.body_tokens import jwt_payload, verify_jwt
from ingest_webhook.domain.json_documents import NotJson
from ingest_webhook.provider import Ignored, Reading, WebhookRequest, one_message
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.recordings import plain_link, recording_left
from ingest_webhook.rejections import IgnoreReason, Undecodable
from service_kit.problems import FieldProblem
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

Milliseconds = Annotated[float, Field(gt=0, le=MAX_EPOCH * 1000)]
"""Since 1970. A float, because lengths come with fractions of a millisecond."""
CallId = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z_-]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)  # ids are numbers of 16 digits


class Contact(_Part):
    name: str | None = None


class Target(_Part):
    type: str | None = None


class CallEvent(_Part):
    call_id: CallId
    state: Literal["hangup", "voicemail_uploaded"]
    direction: str
    date_started: Milliseconds
    date_connected: Milliseconds | None = None
    date_ended: Milliseconds | None = None
    external_number: str | None = None
    internal_number: str | None = None
    is_internal: bool | None = None
    contact: Contact | None = None
    target: Target | None = None
    entry_point_call_id: str | None = None
    master_call_id: str | None = None
    operator_call_id: str | None = None
    voicemail_link: str | None = None
    recording_details: object = None

    @property
    def is_second_leg(self) -> bool:
        """A call to an agent made for one that a call centre, a department or a menu took."""
        return any(other not in (None, "", self.call_id) for other in (self.entry_point_call_id, self.master_call_id))

    @property
    def answered(self) -> bool:
        """Menus and queues connect a call as well; a person is a user's line, or an operator's leg."""
        by_person = bool(self.operator_call_id) or (self.target is not None and self.target.type == "user")
        return self.date_connected is not None and by_person and not self.voicemail_link

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
        return self._ended(event) if event.state == "hangup" else self._voicemail(event)

    def _ended(self, event: CallEvent) -> Reading:
        ended = event.date_ended or event.date_started
        talked = int((ended - (event.date_connected or ended)) / 1000)
        call = CallRecord(
            call_id=event.call_id,
            direction="inbound",
            answered=event.answered,
            caller=self._spelled(event.external_number),
            callee=self._spelled(event.internal_number),
            started_at=_instant(event.date_started),
            seconds=min(max(talked, 0), MAX_SECONDS) if event.answered else 0,
        )
        # The voicemail is a file of its own message, which `voicemail_uploaded` becomes.
        voicemail = (recording_left("Dialpad", "voicemail", plain_link(event.voicemail_link)),)
        recordings = (recording_left("Dialpad", "recording", link, link) for link in event.links(*TALKS))
        problems = (*(voicemail if event.voicemail_link else ()), *recordings)
        return one_message(call_message(call, self._person(event), self._options.language, _instant(ended), problems))

    def _voicemail(self, event: CallEvent) -> Reading:
        link = plain_link(event.voicemail_link) or next(event.links("voicemail"), "")
        left = recording_left("Dialpad", "voicemail", link, link)
        voicemail = Voicemail(event.call_id, f"{event.call_id}/voicemail_uploaded", left)
        callee = self._spelled(event.internal_number)
        return one_message(voicemail_message(voicemail, self._person(event), callee, self._options.language))

    def _person(self, event: CallEvent) -> Person:
        name = (event.contact and event.contact.name) or ""
        return caller_person(self._spelled(event.external_number), event.call_id, name[:NAME_LENGTH])

    def _spelled(self, number: str | None) -> str:
        return spelled(number or "", self._options.region)


def _payload(body: bytes) -> bytes:
    try:
        return jwt_payload(body)
    except NotJson as error:
        raise Undecodable(FieldProblem(field="body", message=str(error), fix=f"See {DOCUMENTATION}")) from error


def _instant(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
