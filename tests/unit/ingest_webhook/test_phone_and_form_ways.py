"""Whatever a telephone system, a mapped system or a browser sends under a right proof: an answer, never our fault."""

import json
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import httpx
from hypothesis import given
from hypothesis import strategies as st

from tests.support.every_source import PUBLIC, TWILIO_TOKEN
from tests.support.partners.signed_request import SignedRequest, deliver
from tests.support.partners.twilio import TwilioSender
from tests.support.partners.web_form import BOUNDARY, multipart
from tests.unit.ingest_webhook.all_providers import (
    aircall_sender,
    desk_sender,
    dialpad_sender,
    form_sender,
    github_sender,
    sources_of,
)
from tests.unit.ingest_webhook.edge import Edge, client_of
from tests.unit.ingest_webhook.test_arbitrary_requests import LATIN_1, VALUES, objects


async def answer_to(source: str, request: SignedRequest) -> httpx.Response:
    """Deliver; what is published on it has to fit the contract, which the edge itself does not check."""
    edge = Edge()
    with tempfile.TemporaryDirectory() as folder:
        async with client_of(edge.app(Path(folder), sources=sources_of(source))) as client:
            answer = await deliver(client, f"/webhooks/{source}", request)
    assert len(edge.messages) == len(edge.published)
    return answer


def assert_answered(answer: httpx.Response, allowed: tuple[int, ...] = (200, 400)) -> None:
    assert answer.status_code in allowed, answer.text
    assert "Traceback" not in answer.text


SOURCES = ("twilio-sms", "twilio-voice", "aircall", "dialpad", "hmac", "github", "web-form")
UNSIGNED_HEADERS = [
    *("content-type", "x-twilio-signature", "x-desk-signature", "x-desk-timestamp", "x-hub-signature-256"),
    *("x-github-event", "origin"),
]


@given(
    body=st.binary(max_size=500),
    headers=st.dictionaries(st.sampled_from(UNSIGNED_HEADERS), st.text(LATIN_1)),
    query=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=40),
)
async def test_unsigned_bytes_are_refused(body: bytes, headers: dict[str, str], query: str) -> None:
    for source in SOURCES:
        answer = await answer_to(source, SignedRequest(headers, body, query))
        assert answer.status_code == 401, (source, answer.text)


TWILIO_FIELDS = [
    *("MessageSid", "SmsSid", "SmsStatus", "MessageStatus", "From", "To", "Body", "NumMedia", "MediaUrl0"),
    *("CallSid", "CallStatus", "DialCallStatus", "CallDuration", "DialCallDuration", "Timestamp", "Direction"),
    *("RecordingUrl", "RecordingDuration", "RecordingSid", "ParentCallSid", "CallerName", "ProfileName"),
]
TWILIO_VALUES = st.sampled_from(["received", "completed", "no-answer", "inbound", "7", "+8613800138000", "CA1", "SM1"])


@given(
    fields=objects(TWILIO_FIELDS, TWILIO_VALUES | st.text(st.characters(exclude_categories=["Cs"]))), form=st.booleans()
)
async def test_a_rightly_signed_twilio_request_is_read_or_its_field_is_named(
    fields: dict[str, str], form: bool
) -> None:
    for source in ("twilio-sms", "twilio-voice"):
        sender = TwilioSender(TWILIO_TOKEN, f"{PUBLIC}/{source}")
        body = urlencode(fields).encode() if form else json.dumps(fields).encode()
        assert_answered(await answer_to(source, sender.sign(body, fields=fields if form else None)))


@given(document=VALUES | objects(TWILIO_FIELDS))
async def test_any_rightly_signed_json_of_twilio_is_read_or_its_field_is_named(document: object) -> None:
    for source in ("twilio-sms", "twilio-voice"):
        sender = TwilioSender(TWILIO_TOKEN, f"{PUBLIC}/{source}")
        assert_answered(await answer_to(source, sender.sign(json.dumps(document).encode())))


AIRCALL_CALLS = objects(
    [
        *("id", "direction", "started_at", "answered_at", "ended_at", "missed_call_reason", "raw_digits", "voicemail"),
        *("contact", "number", "recording", "asset"),
    ],
    VALUES
    | st.sampled_from(["https://[x", 812, "inbound", 1_763_899_200])
    | objects(["first_name", "last_name", "digits"]),
)


@given(event=st.sampled_from(["call.ended", "call.voicemail_left", "call.created", "x"]), data=VALUES | AIRCALL_CALLS)
async def test_an_event_with_aircalls_token_is_read_or_its_field_is_named(event: str, data: object) -> None:
    # Its proof stands inside the JSON, so what is none (NaN) proves nothing.
    assert_answered(await answer_to("aircall", aircall_sender().notify(event, data)), (200, 400, 401))


DIALPAD_EVENTS = objects(
    [
        *("call_id", "state", "direction", "date_started", "date_connected", "date_ended", "external_number"),
        *(
            "contact",
            "target",
            "entry_point_call_id",
            "operator_call_id",
            "voicemail_link",
            "is_internal",
            "recording_details",
        ),
    ],
    VALUES | st.sampled_from([5_635_304_278_851_584, "hangup", "voicemail_uploaded", "inbound", 1_763_899_200_000]),
)


@given(document=VALUES | DIALPAD_EVENTS, state=st.sampled_from([{}, {"state": "hangup", "call_id": 7}]))
async def test_a_token_of_dialpad_is_read_or_its_field_is_named(document: object, state: dict[str, object]) -> None:
    payload = {**document, **state} if isinstance(document, dict) else document
    assert_answered(await answer_to("dialpad", dialpad_sender().sign(json.dumps(payload).encode())))


@given(payload=st.binary(max_size=200))
async def test_any_bytes_in_a_token_of_dialpad_are_read_or_refused(payload: bytes) -> None:
    assert_answered(await answer_to("dialpad", dialpad_sender().sign(payload)))


NOTES = objects(["id", "version", "text", "author", "at"], VALUES | objects(["email", "name"]))
DESK = st.builds(
    lambda event, note, ticket: {"event": event, "note": note, "ticket": ticket},
    VALUES | st.sampled_from(["note.created", "note.edited", "note.deleted"]),
    VALUES | NOTES,
    VALUES | objects(["number", "title"]),
)


@given(document=VALUES | DESK)
async def test_a_document_of_a_mapped_system_is_read_or_its_field_is_named(document: object) -> None:
    assert_answered(await answer_to("hmac", desk_sender().sign(json.dumps(document).encode())))


WRITTEN = objects(
    ["id", "user", "body", "created_at", "updated_at", "number", "title", "pull_request"],
    VALUES | st.sampled_from([7, "2026-11-23T11:00:00Z"]) | objects(["id", "login", "type"], VALUES | st.just(7)),
)
GITHUB_EVENTS = st.builds(
    lambda action, issue, comment: {"action": action, "issue": issue, "comment": comment, "repository": {"id": 7}},
    VALUES | st.sampled_from(["opened", "created", "edited", "deleted"]),
    VALUES | WRITTEN,
    VALUES | WRITTEN,
)


@given(event=st.sampled_from(["issues", "issue_comment", "ping", "star"]), document=VALUES | GITHUB_EVENTS)
async def test_an_event_of_github_is_read_or_its_field_is_named(event: str, document: object) -> None:
    assert_answered(await answer_to("github", github_sender().event(event, json.dumps(document).encode())))


@given(body=st.binary(max_size=500))
async def test_any_rightly_signed_bytes_are_read_or_refused(body: bytes) -> None:
    assert_answered(await answer_to("hmac", desk_sender().sign(body)))
    assert_answered(await answer_to("github", github_sender().event("issues", body)))


FORM_FIELDS = objects(["name", "email", "phone", "subject", "message", "website"], st.text() | st.just("a@b.example"))
FILES = st.lists(st.tuples(st.text(LATIN_1), st.text(LATIN_1), st.binary(max_size=50)), max_size=7)


@given(fields=FORM_FIELDS, files=FILES)
async def test_a_filled_form_is_read_or_its_field_is_named(
    fields: dict[str, str], files: list[tuple[str, str, bytes]]
) -> None:
    body = multipart(fields, files)
    assert_answered(await answer_to("web-form", form_sender().send(f"multipart/form-data; boundary={BOUNDARY}", body)))


CONTENT_TYPES = st.sampled_from(
    ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "multipart/form-data; boundary", "a/b"]
)


@given(
    content_type=CONTENT_TYPES | st.text(LATIN_1),
    body=st.binary(max_size=300),
    start=st.sampled_from([b"", b"--b\r\n"]),
)
async def test_any_body_with_a_right_token_is_read_or_refused(content_type: str, body: bytes, start: bytes) -> None:
    assert_answered(await answer_to("web-form", form_sender().send(content_type, start + body)))
