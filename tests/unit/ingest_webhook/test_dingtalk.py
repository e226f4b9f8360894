"""What DingTalk's robot messages and events become, and the encrypted answer that events want."""

import json
from typing import Any

import pytest

from ingest_webhook.domain.dingtalk_signature import verify_robot
from ingest_webhook.provider import Ignored
from ingest_webhook.providers.dingtalk import Dingtalk
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import ROBOT_SECRET
from tests.support.partners.dingtalk import DingtalkSender
from tests.support.partners.signed_request import SignedRequest, Way
from tests.unit.ingest_webhook.all_providers import dingtalk_sender
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.signatures import SecretMalformed, SignatureInvalid, SignatureStale
from ticket_intake.wecom_cipher import Envelope, callback_keys, open_envelope

OPTIONS = {"receiver_id": DingtalkSender.receiver_id}


def provider(*secrets: str) -> Dingtalk:
    return Dingtalk.build(OPTIONS, secrets or [DingtalkSender.callback, ROBOT_SECRET], random_bytes=bytes)


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    message = read_one(provider(), dingtalk_sender().message("订单没到", msgId="msg0xxxxx"))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.CHAT)
    assert (message.sender.kind, message.sender.name) == (IdentityKind.DINGTALK, "李伟")
    assert message.sender.value == "dingkp6ccabc44d2c8d38b/manager4711"
    assert (message.provider_id, message.conversation) == ("msg0xxxxx", "cidKt0GfQxBJlqPnyVUxS9pEg==")
    assert (message.text, message.sent_at) == ("订单没到", NOW)


def test_somebody_from_outside_is_known_by_the_other_id() -> None:
    message = read_one(provider(), dingtalk_sender().message("hello", senderStaffId=None))
    assert message.sender.value.endswith("/$:LWCP_v1:$Ff09GIxxxxx")


def test_rich_text_is_read_in_order_and_its_pictures_are_named() -> None:
    rich = {"richText": [{"text": "看这里"}, {"downloadCode": "code1", "type": "picture"}, {"text": "坏了"}]}
    message = read_one(provider(), dingtalk_sender().message("", msgtype="richText", content=rich))
    assert message.text == "看这里坏了"
    assert message.reading_problems == ("The picture stays at DingTalk: download code code1",)


@pytest.mark.parametrize(
    ("kind", "content", "text", "named"),
    [
        (
            "audio",
            {"recognition": "我要退货", "downloadCode": "c2", "duration": 4000},
            "我要退货",
            "audio stays at DingTalk: download code c2",
        ),
        (
            "file",
            {"fileName": "发票.pdf", "downloadCode": "c3"},
            "",
            "file 发票.pdf stays at DingTalk: download code c3",
        ),
        ("picture", {"downloadCode": "c4"}, "", "picture stays at DingTalk: download code c4"),
        ("interactiveCard", "a string where others have an object", "", "interactiveCard stays"),
        ("unknownMsgType", None, "", "unknownMsgType stays"),
    ],
)
def test_what_stays_at_dingtalk_is_named(kind: str, content: object, text: str, named: str) -> None:
    message = read_one(provider(), dingtalk_sender().message("", msgtype=kind, content=content))
    assert message.text == text
    assert named in message.reading_problems[0]


def test_what_holds_something_else_than_it_does_today_hides_no_words() -> None:
    message = read_one(provider(), dingtalk_sender().message("hello", content=["new"], robotCode=7))
    assert (message.text, message.reading_problems) == ("hello", ())
    unknown = {"msgId": "1", "msgtype": "new", "conversationId": "c", "senderId": "s", "createAt": 1, "text": "new"}
    assert read_one(provider(), dingtalk_sender().document(json.dumps(unknown).encode())).text == ""


def test_nobody_is_no_sender() -> None:
    request = dingtalk_sender().message("hello", senderStaffId="", senderId="")
    assert read(provider(), request) == Ignored(IgnoreReason.NO_SENDER)


@pytest.mark.parametrize("event", ["check_url", "user_add_org", "bpms_task_change", "new-event"])
def test_each_event_is_answered_with_an_encrypted_success(event: str) -> None:
    reading = read(provider(), dingtalk_sender().event({"EventType": event}))
    assert isinstance(reading, Ignored)
    assert reading.answer is not None
    answer = {name: value.encode() for name, value in json.loads(reading.answer.body).items()}
    envelope = Envelope(answer["msg_signature"], answer["timeStamp"], answer["nonce"], answer["encrypt"])
    arguments: dict[str, Any] = {"receiver_id": DingtalkSender.receiver_id.encode(), "tolerance_seconds": 0}
    opened = open_envelope(envelope, callback_keys([DingtalkSender.callback]), now=NOW.timestamp(), **arguments)
    assert opened.content == b"success"


def test_the_answer_uses_the_key_that_the_request_used() -> None:
    rotating = provider("another:" + "B" * 43, DingtalkSender.callback, ROBOT_SECRET)
    request = dingtalk_sender().event({"EventType": "check_url"})
    assert read(rotating, request) == read(provider(), request)


def test_two_answers_share_no_nonce() -> None:
    real = Dingtalk.build(OPTIONS, [DingtalkSender.callback])
    request = dingtalk_sender().event({"EventType": "check_url"})
    assert read(real, request) != read(real, request)


def test_a_slash_may_be_escaped() -> None:
    sender = dingtalk_sender()
    request = next(r for r in (sender.event({"EventType": str(n)}) for n in range(40)) if b"/" in r.body)
    escaped = SignedRequest(request.headers, request.body.replace(b"/", b"\\/"), request.query)
    assert read(provider(), escaped) == read(provider(), request)


@pytest.mark.parametrize(("way", "error"), [(Way.FORGED, SignatureInvalid), (Way.STALE, SignatureStale)])
def test_an_event_has_to_be_signed_now(way: Way, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(provider(), dingtalk_sender().event({"EventType": "check_url"}, way))


def test_a_source_without_a_robot_takes_no_robot_messages() -> None:
    with pytest.raises(SignatureInvalid):
        read(provider(DingtalkSender.callback), dingtalk_sender().message("hello"))
    with pytest.raises(SignatureInvalid):
        read(provider(ROBOT_SECRET), dingtalk_sender().event({"EventType": "check_url"}))


@pytest.mark.parametrize("late", [3600, -3600])
def test_a_robot_may_be_an_hour_late(late: int) -> None:
    """As on open.dingtalk.com/document/isvapp/receive-message. It has no vector; this one is made with openssl."""
    timestamp = b"1577262236757"
    arguments: dict[str, Any] = {
        "secrets": [b"x", b"this is a secret"],
        "signature": b"DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA=",
    }
    verify_robot(timestamp=timestamp, now=1577262236.757 + late, tolerance_seconds=3600, **arguments)
    with pytest.raises(SignatureStale):
        verify_robot(timestamp=timestamp, now=1577262236.757 + late * 1.01, tolerance_seconds=3600, **arguments)
    with pytest.raises(SignatureInvalid):
        verify_robot(timestamp=b"1577262236758", now=1577262236.757, tolerance_seconds=3600, **arguments)


@pytest.mark.parametrize("secret", ["short", "has a space in its middle", "密钥" * 20])
def test_a_secret_that_is_neither_of_both_is_named_without_showing_it(secret: str) -> None:
    with pytest.raises(SecretMalformed, match="AppSecret") as raised:
        provider(secret)
    assert secret not in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "field"), [({"msgId": ""}, "msgId"), ({"createAt": "now"}, "createAt"), ({"msgtype": 7}, "msgtype")]
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), DingtalkSender(ROBOT_SECRET, now_seconds).message("text", Way.GOOD, **fields))
    assert raised.value.errors[0].field == f"body.{field}"
