"""Twilio's calls: https://www.twilio.com/docs/voice/twiml#request-parameters and …/voice/api/call-resource.

A call makes several requests (status callbacks of each leg, the `action` of `<Dial>`, recordings). Option `final` says
which one is the call's record, so that one call is one record whatever the order in which they arrive. Recordings stay
at Twilio: the message names them, and ingest-files fetches them where the source has the account's credentials.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

from pydantic import Field

from ingest_webhook.provider import Ignored, Reading, WebhookRequest, one_message
from ingest_webhook.providers.recordings import plain_link, recording_left
from ingest_webhook.providers.twilio_request import TWIML, TwilioFields, TwilioOptions, TwilioRequests
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.messages import CallRecord
from ticket_intake.message_data import Person
from ticket_intake.phone_calls import (
    MAX_SECONDS,
    CallOptions,
    Voicemail,
    call_message,
    caller_person,
    spelled,
    voicemail_message,
)

DOCUMENTATION = "docs/channels/twilio-voice.md"

INTERIM = frozenset({"queued", "initiated", "ringing", "in-progress"})
UNANSWERED = frozenset({"busy", "no-answer", "failed", "canceled"})
# `answered` is what a dialled conference or queue says.
DIALLED = frozenset({"completed", "answered"})
KNOWN = DIALLED | UNANSWERED | INTERIM


class VoiceOptions(TwilioOptions, CallOptions):
    final: Literal["status", "dial"] = Field(
        default="status",
        description="Which request is the record: the number's status callback, or the `action` of your <Dial>, which "
        "alone knows whether an agent picked up",
    )


class _Caller(NamedTuple):
    """Whose call it is: its SID, the number as `spelled`, the contact."""

    call_id: str
    number: str
    person: Person


class TwilioVoice:
    """Provider `twilio-voice`. Secrets: the account's auth tokens."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: VoiceOptions, requests: TwilioRequests) -> None:
        self.time_trusted = options.time_trusted
        self._options = options
        self._requests = requests

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "TwilioVoice":
        checked = VoiceOptions.model_validate(options)
        return cls(checked, TwilioRequests(checked, secrets, DOCUMENTATION))

    def verify(self, request: WebhookRequest) -> None:
        self._requests.verify(request)

    def read(self, request: WebhookRequest) -> Reading:
        fields = self._requests.fields(request)
        if fields["RecordingStatus"]:  # it names no caller; the `action` of <Record> does
            return Ignored(IgnoreReason.INTERIM, TWIML)
        dial_status = fields["DialCallStatus"]
        if fields["RecordingUrl"] and not (dial_status or fields["CallDuration"]):
            return self._voicemail(fields)
        status = fields["CallStatus"]
        if status not in KNOWN:
            return Ignored(IgnoreReason.UNKNOWN_TYPE, TWIML)
        if fields["ParentCallSid"]:
            return Ignored(IgnoreReason.SECOND_LEG, TWIML)
        if fields["Direction"].startswith("outbound"):
            return Ignored(IgnoreReason.OUTBOUND_CALL, TWIML)
        if dial_status:
            return self._dialled(fields, request.received_at, dial_status)
        if status in INTERIM or (status in DIALLED and self._options.final == "dial"):
            return Ignored(IgnoreReason.INTERIM, TWIML)
        talked = fields.count("CallDuration", MAX_SECONDS) or 0
        answered = status in DIALLED and talked > 0
        return self._record(fields, request.received_at, answered, talked, status)

    def _dialled(self, fields: TwilioFields, received_at: datetime, status: str) -> Reading:
        if self._options.final != "dial":
            return Ignored(IgnoreReason.INTERIM, TWIML)
        talked = fields.count("DialCallDuration", MAX_SECONDS) or 0
        return self._record(fields, received_at, status in DIALLED, talked, status)

    def _record(self, fields: TwilioFields, received_at: datetime, answered: bool, talked: int, status: str) -> Reading:
        ended_at = _instant(fields["Timestamp"]) or received_at
        caller = self._caller(fields)
        call = CallRecord(
            call_id=caller.call_id,
            direction="inbound",
            answered=answered,
            caller=caller.number,
            callee=self._number(fields["To"]),
            started_at=ended_at - timedelta(seconds=fields.count("CallDuration", MAX_SECONDS) or talked),
            seconds=talked if answered else 0,
            hangup_cause=status[:20],
        )
        # The `action` of a `<Dial record>` names the recording of the talk.
        link = plain_link(fields["RecordingUrl"])
        recordings = (recording_left("Twilio", "recording", link, link),) if link else ()
        message = call_message(call, caller.person, self._options.language, ended_at, recordings)
        return one_message(message, TWIML)

    def _voicemail(self, fields: TwilioFields) -> Reading:
        """The `action` of `<Record>`, a request of its own before or after the call's end."""
        caller = self._caller(fields)
        link = plain_link(fields["RecordingUrl"])
        voicemail = Voicemail(
            caller.call_id,
            fields.identifier("RecordingSid") if fields["RecordingSid"] else f"{caller.call_id}/voicemail",
            recording_left("Twilio", "voicemail", link, link),
            fields.count("RecordingDuration", MAX_SECONDS),
        )
        callee = self._number(fields["To"])
        return one_message(voicemail_message(voicemail, caller.person, callee, self._options.language), TWIML)

    def _caller(self, fields: TwilioFields) -> _Caller:
        call_id, number = fields.identifier("CallSid"), self._number(fields["From"])
        return _Caller(call_id, number, caller_person(number, call_id, fields["CallerName"]))

    def _number(self, address: str) -> str:
        return spelled(address.strip(), self._options.region)


def _instant(text: str) -> datetime | None:
    """Read RFC 2822, e.g. `Mon, 23 Nov 2026 12:00:00 +0000`; None when absent or no time that Twilio can mean."""
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if not 2000 <= time.year <= 2200:  # beyond it arithmetic may overflow
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
