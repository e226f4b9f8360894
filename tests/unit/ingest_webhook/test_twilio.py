"""What Twilio's messages and calls become."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from ingest_webhook.provider import Answer, Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.twilio_sms import TwilioSms
from ingest_webhook.providers.twilio_voice import TwilioVoice
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.partners.twilio import TwilioSender
from tests.unit.ingest_webhook.edge import NOW
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind
from ticket_intake.signatures import SecretMalformed

TOKEN = "1f2e3d4c5b6a79808897a6b5c4d3e2f1"
PUBLIC_URL = "https://support.example.com/webhooks/twilio"


def sms(**options: object) -> TwilioSms:
    return TwilioSms.build({"public_url": PUBLIC_URL, **options}, [TOKEN])


def voice(**options: object) -> TwilioVoice:
    return TwilioVoice.build({"public_url": PUBLIC_URL, **options}, [TOKEN])


def sender() -> TwilioSender:
    return TwilioSender(TOKEN, PUBLIC_URL)


def ignored(reading: Reading) -> IgnoreReason:
    assert isinstance(reading, Ignored), reading
    return reading.reason


def answer_of(reading: Reading) -> Answer | None:
    assert isinstance(reading, Ignored | Messages)
    return reading.answer


def test_a_text_message_names_its_writer_and_both_numbers_are_its_conversation() -> None:
    message = read_one(sms(), sender().sms("屏幕碎了 & more", MessageSid="SM" + "a" * 32))
    assert (message.channel, message.provider_id) == (Channel.SMS, "SM" + "a" * 32)
    assert (message.sender.kind, message.sender.value) == (IdentityKind.PHONE, "+8613800138000")
    assert message.conversation == "+864008001234/+8613800138000"
    assert message.text == message.subject == "屏幕碎了 & more"


def test_of_a_repeated_field_the_first_counts_and_all_are_clean() -> None:
    body = sender().sms("first\x00\x07").body + b"&Body=second"
    reading = sms().read(WebhookRequest({}, b"", body, NOW))
    assert isinstance(reading, Messages)
    assert reading.messages[0].text == "first"


def test_every_answer_is_empty_twiml_so_that_nobody_hears_of_an_error() -> None:
    requests = [sender().sms("hello"), sender().sms("", MessageStatus="delivered"), sender().sms("", SmsStatus="new")]
    for reading in [*(read(sms(), request) for request in requests), read(voice(), sender().call())]:
        answer = answer_of(reading)
        assert answer is not None
        assert answer.content_type.startswith("text/xml")
        assert answer.body.endswith(b"<Response/>")


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "canceled", "partially_delivered"])
def test_a_message_of_ours_that_is_still_under_way_is_only_counted(status: str) -> None:
    assert ignored(read(sms(), sender().sms("", MessageStatus=status, SmsStatus=status))) is IgnoreReason.RECEIPT


def test_a_file_stays_at_twilio_and_is_named() -> None:
    url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
    request = sender().sms("see photo", NumMedia="2", MediaUrl0=url, MediaContentType0="image/jpeg")
    first, second = read_one(sms(), request).reading_problems
    assert "image/jpeg" in first
    assert url in first
    assert "no link given" in second


def test_a_whatsapp_writer_is_the_same_contact_as_a_caller() -> None:
    request = sender().sms("hi", From="whatsapp:+8613800138000", To="whatsapp:+864008001234", ProfileName="Li Wei")
    message = read_one(sms(), request)
    assert message.channel is Channel.CHAT
    assert (message.sender.kind, message.sender.value) == (IdentityKind.PHONE, "+8613800138000")
    assert message.sender.name == "Li Wei"


@pytest.mark.parametrize("writer", ["12345", "AuroraBank"])
def test_a_short_code_or_a_name_is_no_telephone_number(writer: str) -> None:
    person = read_one(sms(), sender().sms("code 123", From=writer)).sender
    assert (person.kind, person.value) == (IdentityKind.EXTERNAL, f"sms:{writer}")


def test_json_signed_by_its_digest_is_read_like_a_form() -> None:
    document = {
        "MessageSid": "SM1",
        "SmsStatus": "received",
        "From": "+8613800138000",
        "To": "+864008001234",
        "Body": "hi",
    }
    message = read_one(sms(), sender().sign(json.dumps(document).encode(), query="flow=1"))
    assert (message.provider_id, message.text) == ("SM1", "hi")


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"MessageSid": ""}, "SmsSid"), ({"MessageSid": "a b"}, "MessageSid"), ({"From": " "}, "From")],
)
def test_a_wrong_field_of_a_message_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(sms(), sender().sms("hi", **fields))
    assert raised.value.errors[0].field == f"body.{field}"


def test_a_missed_call_is_a_message_that_nobody_answered() -> None:
    message = read_one(voice(), sender().call(CallSid="CA" + "1" * 32))
    assert message.call is not None
    assert (message.call.answered, message.call.seconds, message.call.hangup_cause) == (False, 0, "no-answer")
    assert message.provider_id == message.conversation == message.call.call_id == "CA" + "1" * 32
    assert message.subject == "Missed call from +8613800138000"
    assert message.sent_at == datetime(2026, 11, 23, 11, 59, 30, tzinfo=UTC)


def test_an_answered_call_says_how_long_they_talked() -> None:
    message = read_one(voice(language="zh"), sender().call(talked=125))
    assert message.call is not None
    assert (message.call.answered, message.call.seconds) == (True, 125)
    assert message.call.started_at == datetime(2026, 11, 23, 11, 57, 25, tzinfo=UTC)
    assert "通话 2:05" in message.text


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress"])
def test_only_the_final_status_is_a_record(status: str) -> None:
    assert ignored(read(voice(), sender().call(CallStatus=status))) is IgnoreReason.INTERIM


def test_the_leg_to_an_agent_and_a_call_of_ours_are_no_calls_of_a_customer() -> None:
    leg = sender().call(ParentCallSid="CA" + "2" * 32, Direction="outbound-dial")
    assert ignored(read(voice(), leg)) is IgnoreReason.SECOND_LEG
    assert ignored(read(voice(), sender().call(Direction="outbound-api"))) is IgnoreReason.OUTBOUND_CALL


def test_one_of_two_final_requests_is_the_record_whichever_comes_first() -> None:
    dialled: dict[str, Any] = {
        "DialCallStatus": "no-answer",
        "DialCallDuration": "0",
        "CallStatus": "in-progress",
        "CallDuration": "",
    }
    ended: dict[str, Any] = {"CallSid": "CA1", "CallStatus": "completed", "CallDuration": "30"}
    assert ignored(read(voice(), sender().call(**dialled))) is IgnoreReason.INTERIM
    assert ignored(read(voice(final="dial"), sender().call(**ended))) is IgnoreReason.INTERIM
    missed = read_one(voice(final="dial"), sender().call(**dialled)).call
    answered = read_one(voice(final="dial"), sender().call(DialCallStatus="completed", DialCallDuration="40")).call
    assert missed is not None
    assert answered is not None
    assert (missed.answered, answered.answered, answered.seconds) == (False, True, 40)


def test_a_call_that_never_reached_an_instruction_is_a_record_in_either_mode() -> None:
    for final in ("status", "dial"):
        call = read_one(voice(final=final), sender().call(CallStatus="failed")).call
        assert call is not None
        assert not call.answered


def test_a_voicemail_joins_its_call_and_names_where_it_is() -> None:
    url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"
    calls = sender()
    request = calls.call(
        CallSid="CA1", RecordingUrl=url, RecordingDuration="12", CallDuration="", CallStatus="completed"
    )
    voicemail = read_one(voice(), request)
    ended = read_one(voice(), calls.call(talked=20, CallSid="CA1"))
    assert voicemail.conversation == ended.conversation == "CA1"
    assert voicemail.provider_id != ended.provider_id
    assert voicemail.call is None
    assert "0:12" in voicemail.text
    assert voicemail.reading_problems == (f"The voicemail stays at Twilio: {url}",)


def test_the_recording_of_a_talk_says_nothing_new() -> None:
    recorded = sender().call(
        RecordingStatus="completed", RecordingUrl="https://a.example", CallStatus="", CallDuration=""
    )
    assert ignored(read(voice(), recorded)) is IgnoreReason.INTERIM


@pytest.mark.parametrize("number", ["anonymous", "+266696687", "+7378742833"])
def test_callers_who_withhold_their_number_are_not_one_person(number: str) -> None:
    calls = sender()
    first, second = (read_one(voice(), calls.call(From=number)).sender for _ in range(2))
    assert first.kind is IdentityKind.EXTERNAL
    assert first.value != second.value


@pytest.mark.parametrize(
    "stamp", ["", "yesterday", "Mon, 23 Nov 1500 12:00:00 +0000", "Mon, 23 Nov 2026 12:00:00 +9999"]
)
def test_a_call_without_a_readable_time_ended_when_we_heard_of_it(stamp: str) -> None:
    assert read_one(voice(), sender().call(Timestamp=stamp)).sent_at == datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_options_and_tokens_that_cannot_work_are_named() -> None:
    with pytest.raises(ValidationError, match="public_url"):
        TwilioSms.build({}, [TOKEN])
    with pytest.raises(ValidationError, match="country"):
        sms(region="cn")
    with pytest.raises(SecretMalformed, match="auth token"):
        TwilioVoice.build({"public_url": PUBLIC_URL}, ["two words"])
