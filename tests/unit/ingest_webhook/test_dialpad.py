"""What Dialpad's events become, and which tokens are none."""

import base64
from typing import Any

import pytest

from ingest_webhook.domain.body_tokens import verify_jwt
from ingest_webhook.provider import Ignored
from ingest_webhook.providers.dialpad import Dialpad
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.partners.dialpad import DialpadSender
from tests.support.partners.signed_request import SignedRequest
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind
from ticket_intake.signatures import SignatureInvalid

SECRET = "the-secret-of-the-webhook"
VOICEMAIL = "https://dialpad.com/blob/adminvoicemail/1"

# RFC 7515, appendix A.1: the example of the standard itself.
RFC_KEY = base64.urlsafe_b64decode(
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow=="
)
RFC_TOKEN = (
    b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    b".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    b".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)


def provider(**options: object) -> Dialpad:
    return Dialpad.build(options, [SECRET])


def sender() -> DialpadSender:
    return DialpadSender(SECRET, now_seconds)


def test_the_token_of_the_standard_is_accepted() -> None:
    verify_jwt(RFC_TOKEN, [b"another", RFC_KEY])
    verify_jwt(RFC_TOKEN + b"\n", [RFC_KEY])


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"..",
        b"%%%.%%%.%%%",
        RFC_TOKEN[:-1],
        RFC_TOKEN.replace(b"eyJpc3", b"eyJpc4"),
        RFC_TOKEN + b".x",
        RFC_TOKEN.rpartition(b".")[0] + b".",
        b"eyJhbGciOiJub25lIn0." + RFC_TOKEN.split(b".")[1] + b".",
        b"W10." + RFC_TOKEN.split(b".")[1] + b".x",
        b'{"state": "hangup"}',
    ],
)
def test_any_other_token_is_refused(token: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify_jwt(token, [RFC_KEY])


@pytest.mark.parametrize("header", [b'{"alg":"none"}', b'{"alg":"HS512"}', b'{"alg":["HS256"]}', b'{"typ":"JWT"}'])
def test_a_token_may_not_choose_how_it_is_checked(header: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        read(provider(), sender().sign(b"{}", header=header))


def test_a_missed_call_is_a_message_that_nobody_answered() -> None:
    message = read_one(provider(), sender().call(call_id=5635304278851584))
    assert message.channel is Channel.PHONE
    assert message.provider_id == message.conversation == "5635304278851584"
    assert (message.sender.kind, message.sender.value) == (IdentityKind.PHONE, "+8613800138000")
    assert message.sender.name == "Li Wei"
    assert message.sent_at == NOW
    assert message.call is not None
    assert (message.call.answered, message.call.seconds, message.call.callee) == (False, 0, "+864008001234")


def test_a_call_that_a_user_took_was_answered() -> None:
    call = read_one(provider(), sender().call(talked=125)).call
    assert call is not None
    assert (call.answered, call.seconds) == (True, 125)


@pytest.mark.parametrize(("operator", "answered"), [(None, False), (77, True)])
def test_a_queue_that_took_a_call_did_not_answer_it_but_its_operator_did(operator: int | None, answered: bool) -> None:
    queued = sender().call(talked=40, target={"type": "callcenter"}, operator_call_id=operator)
    call = read_one(provider(), queued).call
    assert call is not None
    assert call.answered is answered


def test_a_voicemail_joins_its_call_and_names_where_it_is() -> None:
    calls = sender()
    ended = read_one(provider(), calls.call(call_id=1, talked=12, voicemail_link=f"{VOICEMAIL}?token=t"))
    voicemail = read_one(provider(), calls.call(call_id=1, state="voicemail_uploaded", voicemail_link=VOICEMAIL))
    assert ended.call is not None
    assert not ended.call.answered
    assert voicemail.call is None
    assert voicemail.conversation == ended.conversation
    assert voicemail.provider_id != ended.provider_id
    for message in (ended, voicemail):
        assert message.reading_problems == (f"The voicemail stays at Dialpad: {VOICEMAIL}",)


@pytest.mark.parametrize("details", [7, ["x"], [{"recording_type": ["callrecording"], "url": "https://d"}], [{}]])
def test_what_is_told_of_recordings_does_not_cost_the_call(details: object) -> None:
    assert read_one(provider(), sender().call(talked=12, recording_details=details)).reading_problems == ()


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"state": "ringing"}, IgnoreReason.INTERIM),
        ({"state": "missed"}, IgnoreReason.INTERIM),
        ({"state": ["hangup"]}, IgnoreReason.UNKNOWN_TYPE),
        ({"state": None, "text": "an SMS"}, IgnoreReason.UNKNOWN_TYPE),
        ({"direction": "outbound"}, IgnoreReason.OUTBOUND_CALL),
        ({"is_internal": True}, IgnoreReason.OUTBOUND_CALL),
        ({"entry_point_call_id": 9}, IgnoreReason.SECOND_LEG),
        ({"master_call_id": "9"}, IgnoreReason.SECOND_LEG),
    ],
)
def test_what_is_no_finished_call_of_a_customer_is_ignored(event: dict[str, Any], reason: IgnoreReason) -> None:
    assert read(provider(), sender().call(**event)) == Ignored(reason)


def test_a_call_that_names_itself_as_its_entry_is_the_first_leg() -> None:
    assert read_one(provider(), sender().call(call_id=5, entry_point_call_id=5)).provider_id == "5"


def test_what_may_be_a_number_is_read_as_the_same_text() -> None:
    texts = sender().call(call_id="5", external_number="8613800138000", contact={"name": "42"})
    numbers = sender().call(call_id=5, external_number=8613800138000, contact={"name": 42})
    assert read_one(provider(), numbers) == read_one(provider(), texts)


@pytest.mark.parametrize("call_id", ["", "a b", "5\n", "x" * 33, -1, 2**63, 1.5, True])
def test_an_id_that_cannot_be_one_is_named(call_id: object) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), sender().call(call_id=call_id))
    assert raised.value.errors[0].field == "body.call_id"


@pytest.mark.parametrize("field", ["call_id", "date_started", "direction"])
def test_a_wrong_field_is_named(field: str) -> None:
    wrong: dict[str, Any] = {field: {}}
    with pytest.raises(Undecodable) as raised:
        read(provider(), sender().call(**wrong))
    assert raised.value.errors[0].field == f"body.{field}"


def test_a_signed_token_without_an_object_is_unreadable() -> None:
    signed = sender().sign(b"[]")
    with pytest.raises(Undecodable, match="400"):
        read(provider(), SignedRequest(signed.headers, signed.body))
