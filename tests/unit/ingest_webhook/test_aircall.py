"""What Aircall's events become."""

from typing import Any

import pytest

from ingest_webhook.provider import Ignored
from ingest_webhook.providers.aircall import Aircall
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.partners.aircall import AircallSender
from tests.support.partners.signed_request import SignedRequest
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind
from ticket_intake.signatures import SecretMalformed, SignatureInvalid

TOKEN = "45XXYYZZa08b4f0b9f1a2c3d4e5f6071"
VOICEMAIL = "https://production-web.s3.us-west-2.amazonaws.com/recordings/812.mp3?X-Amz-Signature=a108"
PAGE = "https://assets.aircall.io/calls/812/voicemail"


def provider(**options: object) -> Aircall:
    return Aircall.build(options, [TOKEN])


def sender() -> AircallSender:
    return AircallSender(TOKEN, now_seconds)


def test_a_missed_call_says_why_nobody_answered() -> None:
    message = read_one(provider(), sender().call(id=812))
    assert message.channel is Channel.PHONE
    assert (message.provider_id, message.conversation) == ("812/call.ended", "812")
    assert (message.sender.kind, message.sender.value) == (IdentityKind.PHONE, "+8613800138000")
    assert message.sender.name == "Wei Li"
    assert message.sent_at == NOW
    assert message.call is not None
    assert (message.call.answered, message.call.seconds, message.call.callee) == (False, 0, "+864008001234")
    assert message.call.hangup_cause == "agents_did_not_answer"


def test_an_answered_call_counts_from_the_answer_not_from_the_ringing() -> None:
    call = read_one(provider(), sender().call(talked=125)).call
    assert call is not None
    assert (call.answered, call.seconds) == (True, 125)


def test_a_caller_who_reached_a_voicemail_was_not_answered() -> None:
    message = read_one(provider(), sender().call(talked=12, voicemail=VOICEMAIL))
    assert message.call is not None
    assert not message.call.answered


def test_the_words_name_the_page_and_no_signature() -> None:
    left: dict[str, Any] = {"id": 812, "voicemail": VOICEMAIL}
    for event in ("call.ended", "call.voicemail_left"):
        paged = read_one(provider(), sender().call(event=event, asset=f"{PAGE}?token=t#f", **left))
        assert paged.reading_problems == (f"The voicemail stays at Aircall: {PAGE}",)
        bare = read_one(provider(), sender().call(event=event, **left))
        assert bare.reading_problems == ("The voicemail stays at Aircall: call 812",)


@pytest.mark.parametrize("asset", [7, ["x"], "call", "https://[x", "javascript:alert(1)"])
def test_a_page_that_is_none_does_not_cost_the_call(asset: object) -> None:
    message = read_one(provider(), sender().call(talked=12, id=812, recording=VOICEMAIL, asset=asset))
    assert message.reading_problems == ("The recording stays at Aircall: call 812",)


def test_a_voicemail_joins_its_call() -> None:
    calls = sender()
    voicemail = read_one(provider(), calls.call(event="call.voicemail_left", id=812, voicemail=VOICEMAIL))
    ended = read_one(provider(), calls.call(id=812))
    assert voicemail.conversation == ended.conversation
    assert voicemail.provider_id != ended.provider_id
    assert voicemail.call is None


@pytest.mark.parametrize(
    ("event", "data", "reason"),
    [
        ("call.created", {}, IgnoreReason.INTERIM),
        ("call.hungup", {}, IgnoreReason.INTERIM),
        ("call.ended", {"direction": "outbound"}, IgnoreReason.OUTBOUND_CALL),
        ("call.tagged", {}, IgnoreReason.UNKNOWN_TYPE),
        ("number.opened", {}, IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_what_is_no_finished_call_of_a_customer_is_ignored(
    event: str, data: dict[str, Any], reason: IgnoreReason
) -> None:
    assert read(provider(), sender().call(event=event, **data)) == Ignored(reason)


def test_callers_who_withhold_their_number_are_not_one_person() -> None:
    calls = sender()
    first, second = (read_one(provider(), calls.call(raw_digits="anonymous")).sender for _ in range(2))
    assert first.kind is IdentityKind.EXTERNAL
    assert first.value != second.value


def test_a_line_without_a_country_code_can_be_given_one() -> None:
    message = read_one(provider(region="CN"), sender().call(raw_digits="138 0013 8000", contact=None, number=None))
    assert (message.sender.value, message.recipients) == ("+8613800138000", ())


@pytest.mark.parametrize("field", ["id", "started_at", "direction"])
def test_a_wrong_field_is_named(field: str) -> None:
    wrong: dict[str, Any] = {field: {}}
    with pytest.raises(Undecodable) as raised:
        read(provider(), sender().call(**wrong))
    assert raised.value.errors[0].field == f"body.data.{field}"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token": 7}', b'{"token": ""}', b'{"token": "\xe5\x90\x8d"}', b"\xff"]
)
def test_a_body_without_our_token_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        read(provider(), SignedRequest({}, body))


def test_a_secret_that_is_no_token_is_named() -> None:
    with pytest.raises(SecretMalformed, match="32 characters"):
        Aircall.build({}, ["short"])
