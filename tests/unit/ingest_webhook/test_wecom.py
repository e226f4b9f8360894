"""What WeCom's callbacks become."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from ingest_webhook.provider import Handshake, Ignored
from ingest_webhook.providers.wecom import Wecom
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import WECOM_SECRET
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.wecom import WecomSender
from tests.unit.ingest_webhook.all_providers import wecom_sender
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.signatures import SignatureInvalid


def provider(receiver_id: str = WecomSender.receiver_id) -> Wecom:
    return Wecom.build({"receiver_id": receiver_id}, [WECOM_SECRET])


# The example of developer.work.weixin.qq.com/document/path/90239, with the names of this test.
GOLDEN = """<xml>
   <ToUserName><![CDATA[ww49f0ab532d5d035a]]></ToUserName>
   <FromUserName><![CDATA[ZhangSan]]></FromUserName>
   <CreateTime>1348831860</CreateTime>
   <MsgType><![CDATA[text]]></MsgType>
   <Content><![CDATA[订单没到
请帮我查一下 <急>]]></Content>
   <MsgId>1234567890123456</MsgId>
   <AgentID>1</AgentID>
</xml>""".encode()


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    message = read_one(provider(), wecom_sender().document(GOLDEN))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.CHAT)
    assert (message.sender.kind, message.sender.value) == (IdentityKind.WECOM, "ww49f0ab532d5d035a/ZhangSan")
    assert message.provider_id == "1234567890123456"
    assert message.conversation == "ww49f0ab532d5d035a/1/ZhangSan"
    assert (message.subject, message.text) == ("订单没到", "订单没到\n请帮我查一下 <急>")
    assert message.sent_at == datetime(2012, 9, 28, 11, 31, tzinfo=UTC)
    assert message.reading_problems == ()


def test_another_application_is_another_conversation() -> None:
    first = read_one(provider(), wecom_sender().message("hello"))
    second = read_one(provider(), wecom_sender().message("hello", AgentID="7"))
    assert first.conversation != second.conversation


def test_a_message_without_an_id_is_told_by_its_sender_and_second() -> None:
    message = read_one(provider(), wecom_sender().message("hello", MsgId=""))
    assert message.provider_id == f"ZhangSan/{int(NOW.timestamp())}/text"


def test_a_place_is_text() -> None:
    place = {
        "MsgType": "location",
        "Location_X": "23.134",
        "Location_Y": "113.358",
        "Label": "广州市海珠区",
        "Content": "",
    }
    message = read_one(provider(), wecom_sender().message("", Way.GOOD, **place))
    assert message.text == "广州市海珠区\n23.134, 113.358"
    assert message.reading_problems == ()


def test_a_link_is_text() -> None:
    link = {"MsgType": "link", "Title": "发票", "Description": "十一月", "Url": "https://example.com/f"}
    assert (
        read_one(provider(), wecom_sender().message("", Way.GOOD, **link)).text == "发票\n十一月\nhttps://example.com/f"
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (
            {"MsgType": "image", "PicUrl": "https://p.example.com/1", "MediaId": "m1"},
            "image stays at WeCom: media id m1, ",
        ),
        ({"MsgType": "video", "MediaId": "m2", "ThumbMediaId": "m3"}, "video stays at WeCom: media id m2"),
        ({"MsgType": "voice", "MediaId": "m4", "Format": "amr"}, "voice stays at WeCom: media id m4"),
        ({"MsgType": "new-kind"}, "The new-kind stays at WeCom: no link given"),
    ],
)
def test_what_stays_at_wecom_is_named(fields: dict[str, str], named: str) -> None:
    message = read_one(provider(), wecom_sender().message("", Way.GOOD, **fields))
    [problem] = message.reading_problems
    assert named in problem
    assert fields.get("PicUrl", "") in problem


@pytest.mark.parametrize("event", ["subscribe", "unsubscribe", "enter_agent", "LOCATION", "click", "new-event"])
def test_events_are_no_messages(event: str) -> None:
    assert read(provider(), wecom_sender().event(event)) == Ignored(IgnoreReason.UNKNOWN_TYPE)


def test_the_challenge_is_answered_exactly() -> None:
    reading = read(provider(), wecom_sender().challenge(b"5927782489442352469"))
    assert isinstance(reading, Handshake)
    assert reading.body == b"5927782489442352469"


def test_a_plus_that_was_not_escaped_is_still_a_plus() -> None:
    sender = wecom_sender()
    requests = [sender.challenge(str(number).encode()) for number in range(40)]
    with_plus = next(request for request in requests if "%2B" in request.query)
    bare = SignedRequest({}, b"", with_plus.query.replace("%2B", "+"), "GET")
    assert read(provider(), bare) == read(provider(), with_plus)


def test_a_captured_message_sent_as_a_challenge_is_not_told_in_plain() -> None:
    message = wecom_sender().message("my bank account is …")
    encrypted = message.body.partition(b"<Encrypt><![CDATA[")[2].partition(b"]]>")[0].decode()
    stolen = SignedRequest({}, b"", f"{message.query}&echostr={quote(encrypted, safe='')}", "GET")
    with pytest.raises(Undecodable) as raised:
        read(provider(), stolen)
    assert raised.value.errors[0].field == "query.echostr"
    assert "bank" not in raised.value.detail


def test_a_callback_for_another_corporation_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        read(provider("ww-another"), wecom_sender().message("hello"))


def test_a_body_without_an_encrypted_part_is_refused() -> None:
    request = wecom_sender().message("hello")
    with pytest.raises(SignatureInvalid):
        read(provider(), SignedRequest(request.headers, GOLDEN, request.query))


def test_an_entity_bomb_inside_the_encryption_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><xml><Content>&b;</Content></xml>'
    with pytest.raises(Undecodable, match="400 undecodable") as raised:
        read(provider(), wecom_sender().document(bomb))
    assert "entity" in raised.value.detail


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"FromUserName": ""}, "FromUserName"),
        ({"FromUserName": "x" * 65}, "FromUserName"),
        ({"CreateTime": "yesterday"}, "CreateTime"),
        ({"CreateTime": "99999999999"}, "CreateTime"),
        ({"MsgId": "1" * 65}, "MsgId"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, str], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), wecom_sender().message("text", Way.GOOD, **fields))
    assert raised.value.errors[0].field == f"body.{field}"


def test_a_repeat_is_the_same_message() -> None:
    sender = WecomSender(WECOM_SECRET, now_seconds)
    first = sender.message("once")
    repeat = sender.document(b"", Way.REPEATED)
    assert first.query != repeat.query
    assert read_one(provider(), first) == read_one(provider(), repeat)
