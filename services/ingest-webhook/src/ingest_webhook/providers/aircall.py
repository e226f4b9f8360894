"""Aircall's call events: https://developer.aircall.io/tutorials/webhooks-guide and developer.aircall.io/api-references.

Nothing is signed: each body carries the webhook's token. `call.ended` comes about half a minute after the hang-up and
is complete, so it is the record. Links to recordings are signed and end within the hour: the message names their page,
which asks for a login, and ingest-files asks Aircall for another link (docs/decisions/0038).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from ingest_webhook.domain.body_tokens import verify_token_in_body
from ingest_webhook.provider import Ignored, Reading, WebhookRequest, one_message
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.providers.left_behind import LeftBehind
from ingest_webhook.providers.recordings import Kind, plain_link, recording_left
from ingest_webhook.rejections import IgnoreReason
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
from ticket_intake.signatures import SecretMalformed

DOCUMENTATION = "docs/channels/aircall.md"

INTERIM = frozenset(
    {
        *("call.created", "call.ringing_on_agent", "call.agent_declined", "call.answered", "call.transferred"),
        *("call.external_transferred", "call.unsuccessful_transfer", "call.hold", "call.unhold", "call.hungup"),
        *("call.ivr_option_selected", "call.comm_assets_generated"),
    }
)

Epoch = Annotated[int, msgspec.Meta(gt=0, le=MAX_EPOCH)]
"""Unix seconds."""


class Contact(msgspec.Struct, frozen=True):
    first_name: str | None = None
    last_name: str | None = None

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.first_name, self.last_name)))


class Line(msgspec.Struct, frozen=True):
    digits: str | None = None


class Call(msgspec.Struct, frozen=True):
    id: Annotated[int, msgspec.Meta(ge=1, lt=10**18)]
    direction: str
    started_at: Epoch
    answered_at: Epoch | None = None
    ended_at: Epoch | None = None
    missed_call_reason: str | None = None
    raw_digits: str = ""
    voicemail: str | None = None
    recording: Any = None
    asset: Any = None
    contact: Contact | None = None
    number: Line | None = None

    @property
    def answered(self) -> bool:
        return self.answered_at is not None and not self.missed_call_reason and not self.voicemail

    def left(self, kind: Kind, *, fetched: bool) -> LeftBehind:
        """Name what Aircall keeps. `asset` is the page of the voicemail or, without one, of the recording."""
        page = plain_link(self.asset)
        return recording_left("Aircall", kind, page or f"call {self.id}", f"{self.id}/{kind}" if fetched else None)


class CallEvent(msgspec.Struct, frozen=True):
    event: str
    data: Call


class Aircall:
    """Provider `aircall`. Secrets: the webhooks' tokens."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: CallOptions, tokens: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._options = options
        self._tokens = tokens

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "Aircall":
        if not all(secret.isascii() and len(secret) >= 16 for secret in secrets):
            raise SecretMalformed("is no Aircall webhook token: it has 32 characters; copy it from the webhook's page")
        return cls(CallOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_token_in_body(request.body, "token", self._tokens)

    def read(self, request: WebhookRequest) -> Reading:
        document = decode_object(request.body, DOCUMENTATION)
        event = document.get("event")
        if event in ("call.ended", "call.voicemail_left"):
            told = decode_model(CallEvent, document, DOCUMENTATION).data
            if told.direction != "inbound":
                return Ignored(IgnoreReason.OUTBOUND_CALL)
            caller, callee = self._spelled(told.raw_digits), self._spelled(told.number.digits if told.number else None)
            person = caller_person(caller, str(told.id), told.contact.name if told.contact else "")
            if event == "call.ended":
                return self._ended(told, caller, callee, person)
            return self._voicemail(told, callee, person)
        interim = isinstance(event, str) and event in INTERIM
        return Ignored(IgnoreReason.INTERIM if interim else IgnoreReason.UNKNOWN_TYPE)

    def _ended(self, told: Call, caller: str, callee: str, person: Person) -> Reading:
        ended_at = told.ended_at or told.started_at
        talked = ended_at - (told.answered_at or ended_at)
        answered = told.answered
        call = CallRecord(
            call_id=str(told.id),
            direction="inbound",
            answered=answered,
            caller=caller,
            callee=callee,
            started_at=datetime.fromtimestamp(told.started_at, UTC),
            seconds=min(max(talked, 0), MAX_SECONDS) if answered else 0,
            hangup_cause=(told.missed_call_reason or "")[:NAME_LENGTH],
        )
        # The voicemail is a file of its own message, which `call.voicemail_left` becomes.
        kind: Kind = "voicemail" if told.voicemail else "recording"
        kept = told.voicemail or told.recording
        problems = (told.left(kind, fetched=kind == "recording"),) if kept else ()
        message = call_message(call, person, self._options.language, datetime.fromtimestamp(ended_at, UTC), problems)
        return one_message(replace(message, provider_id=f"{told.id}/call.ended"))

    def _voicemail(self, told: Call, callee: str, person: Person) -> Reading:
        left = told.left("voicemail", fetched=True)
        voicemail = Voicemail(str(told.id), f"{told.id}/call.voicemail_left", left)
        return one_message(voicemail_message(voicemail, person, callee, self._options.language))

    def _spelled(self, number: str | None) -> str:
        return spelled(number or "", self._options.region)
