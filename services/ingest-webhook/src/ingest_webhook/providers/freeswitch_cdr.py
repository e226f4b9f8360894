"""Call records of FreeSWITCH's mod_json_cdr: one call is one message, whatever the number of its legs.

Source: signalwire/freeswitch, src/mod/event_handlers/mod_json_cdr/mod_json_cdr.c and src/switch_ivr.c
(`switch_ivr_generate_json_cdr`). Nothing is signed: the sender proves itself by basic authentication, over TLS.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs

from msgspec.structs import replace
from pydantic import Field

from ingest_webhook.domain.json_documents import NotJson
from ingest_webhook.provider import Ignored, Reading, WebhookRequest, one_message
from ingest_webhook.providers.freeswitch_body import CallDocument, read_call_document
from ingest_webhook.providers.freeswitch_recordings import (
    RecordingOptions,
    recordings_left,
    voicemail_path,
    voicemail_seconds,
)
from ingest_webhook.rejections import IgnoreReason, Undecodable, wrong_field
from ticket_contracts.messages import CallRecord
from ticket_intake.call_words import voicemail_text
from ticket_intake.phone_calls import (
    MAX_EPOCH,
    MAX_SECONDS,
    NAME_LENGTH,
    CallOptions,
    call_message,
    caller_person,
    spelled,
)
from ticket_intake.phone_numbers import plain_number
from ticket_intake.signatures import SecretMalformed, verify_basic_credentials

DOCUMENTATION = "docs/channels/freeswitch.md"

# Q.850 causes with which nobody on our side talked, even when a switch in between had already "answered" the call.
UNANSWERED_CAUSES = frozenset(
    {
        "NO_ANSWER",
        "NO_USER_RESPONSE",
        "ORIGINATOR_CANCEL",
        "USER_BUSY",
        "CALL_REJECTED",
        "USER_NOT_REGISTERED",
        "SUBSCRIBER_ABSENT",
        "ALLOTTED_TIMEOUT",
        "RECOVERY_ON_TIMER_EXPIRE",
        "UNALLOCATED_NUMBER",
        "NO_ROUTE_DESTINATION",
    }
)


class FreeswitchOptions(CallOptions):
    internal_numbers: re.Pattern[str] = Field(
        default=re.compile(r"\d{2,5}"),
        description="Pattern of our own extensions, matched whole: a call from one is an agent calling out",
    )
    recordings: RecordingOptions = Field(
        default=RecordingOptions(),
        description="Which recordings are files of the ticket; they want `files` of the source",
    )


class FreeswitchCdr:
    """Provider `freeswitch`. Secrets: `user:password` of basic authentication."""

    methods = ("POST",)
    challenge = 'Basic realm="call records", charset="UTF-8"'

    def __init__(self, options: FreeswitchOptions, credentials: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._language = options.language
        self._region = options.region
        self._internal = options.internal_numbers
        self._recordings = options.recordings
        self._credentials = credentials

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "FreeswitchCdr":
        if not all(user and password for user, _, password in (secret.partition(":") for secret in secrets)):
            raise SecretMalformed("is no `user:password`")
        return cls(FreeswitchOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_basic_credentials(request.header(b"authorization"), self._credentials)

    def read(self, request: WebhookRequest) -> Reading:
        try:
            document = read_call_document(request.body)
        except NotJson as error:
            raise _undecodable("body", str(error)) from error
        if document.is_second_leg:
            # The first leg of every call is reported as well, and it alone knows what the customer dialled.
            return Ignored(IgnoreReason.SECOND_LEG)
        # Our own extensions are told by what the switch wrote, before a number of the country is made of it.
        caller_number = document.caller_number
        written = plain_number(caller_number)
        if document.variable("direction") == "outbound" or self._internal.fullmatch(written):
            return Ignored(IgnoreReason.OUTBOUND_CALL)
        caller, callee = spelled(caller_number, self._region), spelled(document.callee_number, self._region)
        voicemail = voicemail_path(document)
        call = _call(document, request.query, caller, callee, with_voicemail=bool(voicemail))
        address = f"sip:{caller}@{document.variable('sip_from_host')}"
        sender = caller_person(caller, call.call_id, document.caller_name, address)
        ended_at = _instant(document.variable("end_epoch")) or call.started_at
        left = recordings_left(document, self._recordings, voicemail, answered=call.answered)
        message = call_message(call, sender, self._language, ended_at, left)
        if voicemail:
            words = voicemail_text(caller, voicemail_seconds(document), self._language)
            message = replace(message, text=f"{message.text}\n{words}")
        return one_message(message)


def _call(document: CallDocument, query: bytes, caller: str, callee: str, *, with_voicemail: bool) -> CallRecord:
    started_at = _instant(document.variable("start_epoch"))
    if started_at is None:
        raise _undecodable("body.variables.start_epoch", "is missing or no number of seconds")
    talked = _whole_number(document.variable("billsec"), MAX_SECONDS)
    cause = document.variable("hangup_cause")
    abandoned = document.variable("cc_cause") == "cancel"  # mod_callcenter: hung up while waiting for an agent
    # The voicemail picked up, nobody else: `billsec` counts the caller's own words.
    answered = talked > 0 and not abandoned and not with_voicemail and cause not in UNANSWERED_CAUSES
    return CallRecord(
        call_id=_call_id(document, query),
        direction="inbound",
        answered=answered,
        caller=caller,
        callee=callee,
        started_at=started_at,
        seconds=talked if answered else 0,
        hangup_cause=cause[:NAME_LENGTH],
    )


def _call_id(document: CallDocument, query: bytes) -> str:
    named = document.variable("uuid")
    if not named:  # the URL carries it too, with `a_` before that of a first leg in some versions
        values = parse_qs(query.decode("latin-1")).get("uuid", [""])
        named = values[0].removeprefix("a_")
    if not 1 <= len(named) <= NAME_LENGTH or not named.isprintable():
        raise _undecodable("body.variables.uuid", "is missing or too long")
    return named


def _instant(epoch: str) -> datetime | None:
    """Read Unix seconds. FreeSWITCH writes 0 for what did not happen; its `…_stamp` texts have no zone."""
    seconds = _whole_number(epoch, MAX_EPOCH)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _whole_number(text: str, most: int) -> int:
    """Return at most `most`; 0 for what is no number, or has more digits."""
    valid = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return min(int(text), most) if valid else 0


def _undecodable(field: str, message: str) -> Undecodable:
    return wrong_field(field, message, DOCUMENTATION)
