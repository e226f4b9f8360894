"""Whatever a Chinese platform seals and signs: an answer, never a fault of ours nor its stack trace."""

import json
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ingest_webhook.provider import Handshake, Ignored, Messages, WebhookRequest
from ingest_webhook.rejections import Rejected
from tests.support.partners.signed_request import SignedRequest
from tests.unit.ingest_webhook.all_providers import SEAL, built, dingtalk_sender
from tests.unit.ingest_webhook.edge import NOW
from tests.unit.ingest_webhook.readings import read
from ticket_contracts.messages import Conversation, Party
from ticket_intake.signatures import SignatureInvalid

VALUES = st.text() | st.sampled_from(["event", "text", "voice", "location", "1348831860", "0", "-1"])
NAMES = [
    "ToUserName",
    "FromUserName",
    "CreateTime",
    "MsgType",
    "MsgId",
    "AgentID",
    "Event",
    "Content",
    "MediaId",
    "PicUrl",
]
ELEMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES)


def as_xml(elements: dict[str, str]) -> bytes:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
    return f"<xml>{inner}</xml>".encode("utf-8", "surrogatepass")


def assert_read_or_rejected(source: str, request: SignedRequest) -> None:
    try:
        reading: Any = read(built(source), request)
    except Rejected:
        return
    assert isinstance(reading, Messages | Ignored | Handshake)
    for message in reading.messages if isinstance(reading, Messages) else ():
        Conversation(key=message.conversation)  # both raise where the event would not fit its contract
        Party(kind=message.sender.kind, value=message.sender.value, name=message.sender.name)
        assert 0 < len(message.provider_id) <= 1000


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | VALUES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def objects(names: list[str], values: st.SearchStrategy[Any] = JSON_VALUES) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose names a provider reads, so that the draw gets past the first check."""
    return st.dictionaries(st.sampled_from(names), values)


def whole(values: dict[str, Any], others: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A document that would be read, with some of its fields replaced."""
    return others.map(lambda other: {**values, **other})


ROBOT_PARTS = objects(["richText", "downloadCode", "fileName", "recognition", "content", "text"])
ROBOT = whole(
    {"msgId": "m1", "conversationId": "c1", "senderStaffId": "s1", "createAt": 1, "msgtype": "text"},
    st.fixed_dictionaries({"msgtype": st.sampled_from(["text", "richText", "picture", "audio", "new"])})
    | objects(["msgtype", "senderStaffId", "senderNick", "createAt", "content", "text"], JSON_VALUES | ROBOT_PARTS),
)
FEISHU_CONTENT = (JSON_VALUES | objects(["text", "title", "content", "name", "file_key", "image_key"])).map(json.dumps)
FEISHU_MESSAGE = whole(
    {"message_id": "om_1", "create_time": "1", "chat_id": "oc_1", "message_type": "post", "content": "{}"},
    st.fixed_dictionaries(
        {"content": FEISHU_CONTENT, "message_type": st.sampled_from(["text", "post", "location", "x"])}
    )
    | objects(["message_id", "root_id", "create_time", "chat_type", "message_type", "content", "mentions"]),
)
FEISHU = st.builds(
    lambda message, sender, kind: {"header": {"event_type": kind}, "event": {"message": message, "sender": sender}},
    FEISHU_MESSAGE | JSON_VALUES,
    st.just({"sender_id": {"open_id": "ou_1"}, "sender_type": "user"}) | JSON_VALUES,
    st.sampled_from(["im.message.receive_v1", "im.message.recalled_v1"]) | VALUES,
)

DOUYIN_CONTENT = whole(
    {"server_message_id": "@1", "message_type": "text", "create_time": 1, "challenge": 1},
    objects(["server_message_id", "message_type", "create_time", "text", "user_infos", "resource_url", "challenge"]),
)
DOUYIN = st.builds(
    lambda event, content, others: {
        "event": event,
        "from_user_id": "a",
        "to_user_id": "b",
        "content": content,
        **others,
    },
    st.sampled_from(["im_receive_msg", "im_recall_msg", "im_send_msg", "verify_webhook"]) | VALUES,
    DOUYIN_CONTENT | DOUYIN_CONTENT.map(json.dumps) | JSON_VALUES,
    objects(["from_user_id", "to_user_id"]),
)
WEIBO = whole(
    {"type": "text", "receiver_id": 1902538057, "sender_id": 1, "created_at": "Mon Jul 16 18:09:20 +0800 2012"},
    objects(["type", "sender_id", "created_at", "text", "data"], JSON_VALUES | objects(["vfid", "latitude"])),
)


@pytest.mark.parametrize("source", SEAL)
@given(content=st.binary(max_size=2000))
def test_rightly_sealed_bytes_are_read_or_refused(source: str, content: bytes) -> None:
    assert_read_or_rejected(source, SEAL[source](content))


@pytest.mark.parametrize("source", ["wecom", "wechat-official"])
@given(elements=ELEMENTS)
def test_a_rightly_sealed_xml_is_read_or_its_field_is_named(source: str, elements: dict[str, str]) -> None:
    assert_read_or_rejected(source, SEAL[source](as_xml(elements)))


@given(document=ROBOT)
def test_a_word_to_a_robot_is_read_or_its_field_is_named(document: dict[str, Any]) -> None:
    assert_read_or_rejected("dingtalk", SEAL["dingtalk"](json.dumps(document).encode()))


@given(content=st.binary(max_size=500))
def test_an_event_of_any_bytes_is_answered_or_refused(content: bytes) -> None:
    assert_read_or_rejected("dingtalk", dingtalk_sender().sealed(content))


@given(document=FEISHU)
def test_an_event_of_feishu_is_read_or_its_field_is_named(document: dict[str, Any]) -> None:
    assert_read_or_rejected("feishu", SEAL["feishu"](json.dumps(document).encode()))


@given(document=DOUYIN)
def test_an_event_of_douyin_is_read_or_its_field_is_named(document: dict[str, Any]) -> None:
    assert_read_or_rejected("douyin", SEAL["douyin"](json.dumps(document).encode()))


@given(document=WEIBO)
def test_a_message_of_weibo_is_read_or_its_field_is_named(document: dict[str, Any]) -> None:
    assert_read_or_rejected("weibo", SEAL["weibo"](json.dumps(document).encode()))


@given(query=st.binary(max_size=300), body=st.binary(max_size=300), method=st.sampled_from(["GET", "POST"]))
@pytest.mark.parametrize("source", SEAL)
def test_unsigned_bytes_are_refused(source: str, query: bytes, body: bytes, method: str) -> None:
    request = WebhookRequest({b"sign": b"", b"x-lark-signature": b"0"}, query, body, NOW, method)
    for headers in ({}, request.headers):
        with pytest.raises(SignatureInvalid):
            built(source).verify(replace(request, headers=headers))
