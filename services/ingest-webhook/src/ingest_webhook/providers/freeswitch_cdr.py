"""Call records of FreeSWITCH's mod_json_cdr: one call is one message, whatever the number of its legs.

Source: signalwire/freeswitch, src/mod/event_handlers/mod_json_cdr/mod_json_cdr.c and src/switch_ivr.c
(`switch_ivr_generate_json_cdr`). Nothing is signed: the sender proves itself by basic authentication, over TLS.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qs

from pydantic import Field

from ingest_webhook.domain.json_documents import NotJson
from ingest_webhook.domain.signatures import SecretMalformed, verify_basic_credentials
from ingest_webhook.message_data import Person
from ingest_webhook.provider import Ignored, IncomingMessage, Messages, Reading, WebhookRequest
from ingest_webhook.providers.call_words import call_subject, call_text
from ingest_webhook.providers.freeswitch_body import CallDocument, read_call_document
from ingest_webhook.providers.options import SourceOptions
from ingest_webhook.rejections import IgnoreReason, Undecodable
from service_kit.problems import FieldProblem
from ticket_contracts.messages import CallRecord
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind

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
# How switches write a number that the caller withholds.
WITHHELD = frozenset({"", "anonymous", "unknown", "restricted", "private", "unavailable", "0000000000"})
# E.164 has at most 15 digits; an international prefix may stand before them.
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_NUMBER_PUNCTUATION = re.compile(r"[\s().\-/]")
# 2286-11-20: with more digits it is microseconds in the wrong field.
_MAX_EPOCH = 9_999_999_999
# A day; a longer "call" is a channel that hung.
_MAX_SECONDS = 86_400
_NAME_LENGTH = 200


class FreeswitchOptions(SourceOptions):
    language: Literal["en", "zh"] = Field(default="en", description="of the text written about each call")
    internal_numbers: re.Pattern[str] = Field(
        default=re.compile(r"\d{2,5}"),
        description="Pattern of our own extensions, matched whole: a call from one is an agent calling out",
    )


class FreeswitchCdr:
    """Provider `freeswitch`. Secrets: `user:password` of basic authentication."""

    methods = ("POST",)
    challenge = 'Basic realm="call records", charset="UTF-8"'

    def __init__(self, options: FreeswitchOptions, credentials: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._language = options.language
        self._internal = options.internal_numbers
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
        caller, callee = _number(document.caller_number), _number(document.callee_number)
        if document.variable("direction") == "outbound" or self._internal.fullmatch(caller):
            return Ignored(IgnoreReason.OUTBOUND_CALL)
        return Messages((self._message(document, _call(document, request.query, caller, callee)),))

    def _message(self, document: CallDocument, call: CallRecord) -> IncomingMessage:
        return IncomingMessage(
            kind=MessageKind.CREATED,
            channel=Channel.PHONE,
            provider_id=call.call_id,
            conversation=call.call_id,
            sender=_caller_party(call, document),
            recipients=_callee_parties(call),
            subject=call_subject(call, self._language),
            text=call_text(call, self._language),
            sent_at=_instant(document.variable("end_epoch")) or call.started_at,
            call=call,
        )


def _call(document: CallDocument, query: bytes, caller: str, callee: str) -> CallRecord:
    started_at = _instant(document.variable("start_epoch"))
    if started_at is None:
        raise _undecodable("body.variables.start_epoch", "is missing or no number of seconds")
    talked = _seconds(document.variable("billsec"))
    cause = document.variable("hangup_cause")
    abandoned = document.variable("cc_cause") == "cancel"  # mod_callcenter: hung up while waiting for an agent
    answered = talked > 0 and not abandoned and cause not in UNANSWERED_CAUSES
    return CallRecord(
        call_id=_call_id(document, query),
        direction="inbound",
        answered=answered,
        caller=caller,
        callee=callee,
        started_at=started_at,
        seconds=talked if answered else 0,
        hangup_cause=cause[:_NAME_LENGTH],
    )


def _call_id(document: CallDocument, query: bytes) -> str:
    named = document.variable("uuid")
    if not named:  # the URL carries it too, with `a_` before that of a first leg in some versions
        values = parse_qs(query.decode("latin-1")).get("uuid", [""])
        named = values[0].removeprefix("a_")
    if not 1 <= len(named) <= _NAME_LENGTH or not named.isprintable():
        raise _undecodable("body.variables.uuid", "is missing or too long")
    return named


def _caller_party(call: CallRecord, document: CallDocument) -> Person:
    name = document.caller_name[:_NAME_LENGTH]
    if not call.caller:
        # Callers who withhold their numbers are not one person: each is a contact of their own.
        return Person(kind=IdentityKind.EXTERNAL, value=f"withheld:{call.call_id}"[:_NAME_LENGTH])
    if _NUMBER.fullmatch(call.caller):
        return Person(kind=IdentityKind.PHONE, value=call.caller, name="" if name == call.caller else name)
    host = document.variable("sip_from_host")
    return Person(kind=IdentityKind.EXTERNAL, value=f"sip:{call.caller}@{host}"[:_NAME_LENGTH], name=name)


def _callee_parties(call: CallRecord) -> tuple[Person, ...]:
    return (Person(kind=IdentityKind.PHONE, value=call.callee),) if call.callee else ()


def _number(text: str) -> str:
    """Drop the punctuation of a number; what is no number stays as it is, what is withheld becomes empty."""
    if text.lower() in WITHHELD:
        return ""
    digits = _NUMBER_PUNCTUATION.sub("", text)
    return digits if _NUMBER.fullmatch(digits) else text[:_NAME_LENGTH]


def _instant(epoch: str) -> datetime | None:
    """Read Unix seconds. FreeSWITCH writes 0 for what did not happen; its `…_stamp` texts have no zone."""
    if not (epoch.isascii() and epoch.isdigit()) or len(epoch) > len(str(_MAX_EPOCH)) or int(epoch) == 0:
        return None
    return datetime.fromtimestamp(int(epoch), UTC)


def _seconds(text: str) -> int:
    valid = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_SECONDS))
    return min(int(text), _MAX_SECONDS) if valid else 0


def _undecodable(field: str, message: str) -> Undecodable:
    return Undecodable(FieldProblem(field=field, message=message, fix=f"See {DOCUMENTATION}"))
