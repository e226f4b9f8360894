"""What the callbacks of a WeChat official account become."""

from urllib.parse import parse_qsl, urlencode

import pytest

from ingest_webhook.provider import Handshake, Ignored
from ingest_webhook.providers.wechat_official import WechatOfficial
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import WECHAT_SECRET
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.wechat_official import WechatOfficialSender
from tests.unit.ingest_webhook.all_providers import wechat_sender
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.signatures import SignatureInvalid, SignatureStale


def provider(receiver_id: str = WechatOfficialSender.receiver_id) -> WechatOfficial:
    return WechatOfficial.build({"receiver_id": receiver_id}, [WECHAT_SECRET])


# As on developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html.
GOLDEN = """<xml><ToUserName><![CDATA[gh_7f083739789a]]></ToUserName>
<FromUserName><![CDATA[o6_bmjrPTlm6_2sgVt7hMZOPfL2M]]></FromUserName><CreateTime>1348831860</CreateTime>
<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[退货怎么办]]></Content><MsgId>1234567890123456</MsgId>
<MsgDataId>xxxx</MsgDataId><Idx>1</Idx></xml>""".encode()


def test_a_message_names_its_writer_and_its_conversation() -> None:
    message = read_one(provider(), wechat_sender().document(GOLDEN))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.SOCIAL)
    assert message.sender.kind is IdentityKind.WECHAT
    assert message.sender.value == "wx2c2769f8efd9abc2/o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
    assert message.conversation == "gh_7f083739789a/o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
    assert (message.provider_id, message.text) == ("1234567890123456", "退货怎么办")


def test_of_compatible_mode_only_the_encrypted_part_counts() -> None:
    request = wechat_sender().message("what was encrypted")
    both = request.body.replace(b"<Encrypt>", b"<Content><![CDATA[what a stranger added]]></Content><Encrypt>")
    message = read_one(provider(), SignedRequest(request.headers, both, request.query))
    assert message.text == "what was encrypted"


def test_an_entity_bomb_inside_the_encryption_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><xml><Content>&b;</Content></xml>'
    with pytest.raises(Undecodable) as raised:
        read(provider(), wechat_sender().document(bomb))
    assert "entity" in raised.value.detail


def test_plain_mode_is_refused_with_what_to_change() -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), wechat_sender().plain(GOLDEN))
    [problem] = raised.value.errors
    assert problem.field == "query.msg_signature"
    assert "安全模式" in problem.fix


def test_plain_mode_tells_nothing_to_who_does_not_know_the_token() -> None:
    with pytest.raises(SignatureInvalid):
        read(provider(), wechat_sender().plain(GOLDEN, Way.FORGED))


def test_the_plain_signature_does_not_stand_in_for_the_other() -> None:
    request = wechat_sender().message("hello")
    parameters = dict(parse_qsl(request.query))
    query = urlencode({**parameters, "msg_signature": parameters["signature"]})
    with pytest.raises(SignatureInvalid):
        read(provider(), SignedRequest(request.headers, request.body, query))


def test_the_challenge_is_answered_exactly() -> None:
    reading = read(provider(), wechat_sender().challenge("3857493857"))
    assert isinstance(reading, Handshake)
    assert reading.body == b"3857493857"


def test_a_challenge_that_is_a_page_is_not_shown() -> None:
    with pytest.raises(Undecodable):
        read(provider(), wechat_sender().challenge("<script>alert(1)</script>"))


@pytest.mark.parametrize(("way", "error"), [(Way.FORGED, SignatureInvalid), (Way.STALE, SignatureStale)])
def test_a_challenge_has_to_be_signed_now(way: Way, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(provider(), wechat_sender().challenge("3857493857", way))


def test_recognized_speech_is_the_text() -> None:
    spoken = {"MsgType": "voice", "MediaId": "m1", "Recognition": "我要退货"}
    message = read_one(provider(), wechat_sender().message("", Way.GOOD, **spoken))
    assert message.text == "我要退货"
    assert "voice stays at WeChat: media id m1" in message.reading_problems[0]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("subscribe", IgnoreReason.UNKNOWN_TYPE),
        ("CLICK", IgnoreReason.UNKNOWN_TYPE),
        ("TEMPLATESENDJOBFINISH", IgnoreReason.RECEIPT),
        ("MASSSENDJOBFINISH", IgnoreReason.RECEIPT),
    ],
)
def test_events_are_no_messages(event: str, reason: IgnoreReason) -> None:
    assert read(provider(), wechat_sender().event(event)) == Ignored(reason)


def test_a_message_for_another_account_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        read(provider("wx-another"), wechat_sender().message("hello"))
