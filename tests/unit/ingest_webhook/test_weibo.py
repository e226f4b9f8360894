"""What Weibo's messages become, and its only check."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from ingest_webhook.domain.weibo_time import weibo_time
from ingest_webhook.provider import Handshake, Ignored
from ingest_webhook.providers.weibo import Weibo
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import WEIBO_SECRET
from tests.support.partners.signed_request import Way
from tests.support.partners.weibo import WeiboSender
from tests.unit.ingest_webhook.all_providers import weibo_sender
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.signatures import SecretMalformed, SignatureInvalid, SignatureStale
from ticket_intake.sorted_digest import matches_sorted_digest, sorted_digest

# A copy of the page "粉丝服务接入" of open.weibo.com/wiki.
VECTOR = (b"xyz123xyz", b"1397022061823", b"57155157")
VECTOR_SIGNATURE = b"90e4c22c90a58f26526c2dd5b6c56c8822edeaa1"

# open.weibo.com/wiki/Receive_General_Message, "Text Type Message".
GOLDEN = """{"type": "text", "receiver_id": 1902538057, "sender_id": 2489518277,
"created_at": "Mon Jul 16 18:09:20 +0800 2012", "text": "私信或留言内容", "data": {}}""".encode()


def provider(**options: Any) -> Weibo:
    return Weibo.build({"receiver_id": WeiboSender.account, **options}, [WEIBO_SECRET])


def test_the_published_vector_is_accepted_in_any_order() -> None:
    assert sorted_digest(*VECTOR) == VECTOR_SIGNATURE
    assert matches_sorted_digest(VECTOR_SIGNATURE, *reversed(VECTOR))
    assert not matches_sorted_digest(VECTOR_SIGNATURE, b"xyz123xyy", *VECTOR[1:])


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    message = read_one(provider(), weibo_sender().document(GOLDEN))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.SOCIAL)
    assert (message.sender.kind, message.sender.value) == (IdentityKind.WEIBO, "2489518277")
    assert message.conversation == "1902538057/2489518277"
    assert message.text == message.subject == "私信或留言内容"
    assert message.sent_at == datetime(2012, 7, 16, 10, 9, 20, tzinfo=UTC)


def test_two_messages_of_one_second_are_two_and_a_repeat_is_one() -> None:
    sender, second = weibo_sender(), "Mon Jul 16 18:09:20 +0800 2012"
    requests = [sender.message(text, created_at=second) for text in ("one", "two", "one")]
    first, other, repeat = (read_one(provider(), request).provider_id for request in requests)
    assert first == repeat != other
    assert first.startswith("2489518277/1342433360/")


def test_a_place_is_text() -> None:
    data = {"longitude": "116.308586", "latitude": "39.982525"}
    message = read_one(provider(), weibo_sender().message("我在这里", type="position", data=data))
    assert message.text == "我在这里\n39.982525, 116.308586"
    assert message.reading_problems == ()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (
            {"type": "image", "data": {"vfid": 821804459, "tovfid": 821804469}},
            "image stays at Weibo: file id 821804469",
        ),
        ({"type": "voice", "data": {"vfid": 1}}, "voice stays at Weibo: file id 1"),
        ({"type": "new-kind", "data": "a string"}, "new-kind stays"),
    ],
)
def test_what_stays_at_weibo_is_named(fields: dict[str, Any], named: str) -> None:
    message = read_one(provider(), weibo_sender().message("发了一个消息", Way.GOOD, **fields))
    assert named in message.reading_problems[0]
    assert message.text == "发了一个消息"


@pytest.mark.parametrize("subtype", ["follow", "subscribe", "scan", "click", "mention", "new"])
def test_events_are_no_messages(subtype: str) -> None:
    request = weibo_sender().message("事件消息", type="event", data={"subtype": subtype})
    assert read(provider(), request) == Ignored(IgnoreReason.UNKNOWN_TYPE)


def test_the_challenge_is_answered_exactly() -> None:
    reading = read(provider(), weibo_sender().challenge("3857493857"))
    assert isinstance(reading, Handshake)
    assert reading.body == b"3857493857"


def test_a_challenge_that_is_a_page_is_not_shown() -> None:
    with pytest.raises(Undecodable):
        read(provider(), weibo_sender().challenge("<script>alert(1)</script>"))


@pytest.mark.parametrize(("way", "error"), [(Way.FORGED, SignatureInvalid), (Way.STALE, SignatureStale)])
def test_a_challenge_has_to_be_signed_now(way: Way, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(provider(), weibo_sender().challenge("3857493857", way))


def test_a_message_for_another_account_is_refused() -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(receiver_id=1), weibo_sender().message("hello"))
    assert raised.value.errors[0].field == "body.receiver_id"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sender_id": 0}, "sender_id"),
        ({"created_at": "2012-07-16"}, "created_at"),
        ({"created_at": "Mon Jul 46 18:09:20 +0800 2012"}, "created_at"),
        ({"created_at": "Mon Jul 16 18:09:20 +9900 2012"}, "created_at"),
        ({"created_at": "Mon Jul 16 18:09:20 +0800 0001"}, "created_at"),
        ({"created_at": 7}, "created_at"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), weibo_sender().message("text", Way.GOOD, **fields))
    assert raised.value.errors[0].field == f"body.{field}"


@pytest.mark.parametrize("time", ["Mon Jul 16 18:09:20 +9900 2012", "Mon Jul 46 18:09:20 +0800 2012", "yesterday"])
def test_what_is_no_time_is_refused_without_a_word_of_it(time: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), weibo_sender().message("text", Way.GOOD, created_at=time))
    assert raised.value.errors[0].message == "is no time as `Mon Jul 16 18:09:20 +0800 2012`"


def test_a_time_west_of_greenwich_is_read() -> None:
    west = timezone(timedelta(hours=-3, minutes=-30))
    assert weibo_time("Sun Feb 29 00:00:01 -0330 2032") == datetime(2032, 2, 29, 0, 0, 1, tzinfo=west)


def test_a_day_may_have_one_digit() -> None:
    assert weibo_time("Tue Mar 3 08:00:00 +0000 2026") == datetime(2026, 3, 3, 8, tzinfo=UTC)


def test_the_account_has_to_be_named() -> None:
    with pytest.raises(ValidationError, match="receiver_id"):
        Weibo.build({}, [WEIBO_SECRET])


def test_a_secret_that_cannot_be_one_is_named_without_showing_it() -> None:
    with pytest.raises(SecretMalformed, match="App Secret") as raised:
        Weibo.build({"receiver_id": 1}, ["SECRET"])
    assert "SECRET" not in str(raised.value)
