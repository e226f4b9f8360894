"""What Feishu's events become, and what may come unsigned."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_webhook.domain.feishu_cipher import decrypt_feishu, feishu_keys, feishu_signature
from ingest_webhook.provider import Handshake, Ignored
from ingest_webhook.providers.feishu import Feishu
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import FEISHU_SECRET
from tests.support.partners.signed_request import SignedRequest, Way
from tests.unit.ingest_webhook.all_providers import feishu_sender
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.signatures import SecretMalformed, SignatureInvalid


def provider() -> Feishu:
    return Feishu.build({}, [FEISHU_SECRET])


def post(*paragraphs: Any, **fields: Any) -> dict[str, Any]:
    return {"message_type": "post", "content": json.dumps({"title": "", **fields, "content": paragraphs})}


# open.feishu.cn, "Encrypt Key": the example of the page and of each of its languages.
def test_the_vector_of_feishu_is_decrypted() -> None:
    assert decrypt_feishu("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=", b"test key") == b"hello world"


def test_the_signature_is_the_digest_of_its_four_parts() -> None:
    """SHA-256 of `1670000000` `42` `test key` `{"encrypt":"x"}`, computed with sha256sum."""
    signature = feishu_signature(b"test key", b"1670000000", b"42", b'{"encrypt":"x"}')
    assert signature == b"bb39a30284a62532adfbdf88cd85733aa5d495b613ef306a3323dd5983f2b481"


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    message = read_one(provider(), feishu_sender().message("订单没到\n急", create_time="1763899200123"))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.CHAT)
    assert (message.sender.kind, message.sender.value) == (IdentityKind.FEISHU, "ou_84aad35d084aa403a838cf73ee18467")
    assert message.provider_id.startswith("om_")
    assert message.conversation == "oc_5ad11d72b830411d72b836c20"
    assert (message.subject, message.text) == ("订单没到", "订单没到\n急")
    assert message.sent_at == datetime(2025, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)


def test_in_a_group_an_answer_joins_the_message_it_answers() -> None:
    sender = feishu_sender()
    first = read_one(provider(), sender.message("help", chat_type="group", message_id="om_1"))
    answer = read_one(provider(), sender.message("more", chat_type="group", root_id="om_1", parent_id="om_1"))
    another = read_one(provider(), sender.message("something else", chat_type="group"))
    assert first.conversation == answer.conversation != another.conversation


def test_the_same_message_in_two_notifications_is_one() -> None:
    sender = feishu_sender()
    first, second = (sender.message("once", message_id="om_1") for _ in range(2))
    assert first.body != second.body
    assert read_one(provider(), first) == read_one(provider(), second)


def test_names_stand_where_people_were_mentioned() -> None:
    mentions = [{"key": f"@_user_{number}", "name": name} for number, name in ((1, "客服"), (12, "李伟"))]
    message = read_one(provider(), feishu_sender().message("@_user_1 请问 @_user_12 在吗", mentions=mentions))
    assert message.text == "@客服 请问 @李伟 在吗"


def test_a_text_of_nothing_but_mentions_stays_small() -> None:
    mentions = [{"key": "@_user_1", "name": "x" * 100_000}]
    message = read_one(provider(), feishu_sender().message("@_user_1" * 50_000, mentions=mentions))
    assert len(message.text) < 5_000_000


def test_rich_text_is_read_and_its_pictures_are_named() -> None:
    link = {"tag": "a", "text": "我们的页面", "href": "https://a.example/x"}
    picture, film = {"tag": "img", "image_key": "img_1"}, {"tag": "media", "file_key": "file_1", "image_key": "img_2"}
    first = [{"tag": "text", "text": "看 "}, link, {"tag": "at", "user_id": "@_user_1", "user_name": "客服"}]
    fields = post(first, [picture], [film], [{"tag": "text", "text": "坏了"}], title="投诉")
    message = read_one(provider(), feishu_sender().message("", **fields))
    assert message.text == "投诉\n看 我们的页面 (https://a.example/x)@客服\n坏了"
    assert list(message.reading_problems) == [
        "The img stays at Feishu: key img_1",
        "The media stays at Feishu: key file_1",
    ]


@pytest.mark.parametrize(
    ("kind", "content", "text", "named"),
    [
        ("image", '{"image_key": "img_1"}', "", "image stays at Feishu: key img_1"),
        ("file", '{"file_key": "file_1", "file_name": "发票.pdf"}', "", "file 发票.pdf stays at Feishu: key file_1"),
        ("interactive", '{"title": "卡片", "elements": []}', "卡片", "interactive stays"),
        ("new-kind", "not json", "", "new-kind stays"),
        ("new-kind", "[]", "", "new-kind stays"),
    ],
)
def test_what_stays_at_feishu_is_named(kind: str, content: str, text: str, named: str) -> None:
    message = read_one(provider(), feishu_sender().message("", message_type=kind, content=content))
    assert message.text == text
    assert named in message.reading_problems[0]


def test_a_place_is_text() -> None:
    place = json.dumps({"name": "海珠区", "longitude": "113.3", "latitude": "23.1"})
    message = read_one(provider(), feishu_sender().message("", message_type="location", content=place))
    assert (message.text, message.reading_problems) == ("海珠区\n23.1, 113.3", ())


@pytest.mark.parametrize(
    ("event_type", "event", "reason"),
    [
        ("im.message.recalled_v1", {"message_id": "om_1", "chat_id": "oc_1"}, IgnoreReason.NO_SENDER),
        ("im.message.message_read_v1", {}, IgnoreReason.RECEIPT),
        ("im.chat.member.bot.added_v1", {}, IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_other_events_are_no_messages(event_type: str, event: dict[str, Any], reason: IgnoreReason) -> None:
    assert read(provider(), feishu_sender().event(event_type, event)) == Ignored(reason)


@pytest.mark.parametrize(
    ("sender", "reason"),
    [({"sender_type": "app"}, IgnoreReason.BOT), ({"sender_type": "user", "sender_id": None}, IgnoreReason.NO_SENDER)],
)
def test_what_no_person_said_is_ignored(sender: dict[str, Any], reason: IgnoreReason) -> None:
    message = {"message_id": "om_1", "create_time": "1", "chat_id": "oc_1", "message_type": "text", "content": "{}"}
    request = feishu_sender().event("im.message.receive_v1", {"sender": sender, "message": message})
    assert read(provider(), request) == Ignored(reason)


def test_an_event_of_version_one_is_ignored() -> None:
    event = {"uuid": "1", "type": "event_callback", "event": {"type": "message", "text": "hello"}}
    request = feishu_sender().document(json.dumps(event).encode())
    assert read(provider(), request) == Ignored(IgnoreReason.UNKNOWN_TYPE)


@pytest.mark.parametrize("signed", [False, True])
def test_the_challenge_is_answered_signed_or_not(signed: bool) -> None:
    request = feishu_sender().verification("ajls384kdjx98XX")
    reading = read(provider(), feishu_sender().sign(request.body) if signed else request)
    assert isinstance(reading, Handshake)
    assert json.loads(reading.body) == {"challenge": "ajls384kdjx98XX"}


def test_nothing_but_the_challenge_may_come_unsigned() -> None:
    signed = feishu_sender().message("hello")
    unsigned = SignedRequest({"content-type": "application/json"}, signed.body)
    event = feishu_sender().verification("x", type="event_callback")
    wrong_token = feishu_sender().verification("x", token="guessedToken")
    for request in (unsigned, event, wrong_token, feishu_sender().verification("x", Way.FORGED)):
        with pytest.raises(SignatureInvalid):
            read(provider(), request)


def test_an_application_without_an_encrypt_key_is_told_what_to_set() -> None:
    token = FEISHU_SECRET.rpartition(":")[2]
    body = json.dumps({"challenge": "x", "token": token, "type": "url_verification"}).encode()
    with pytest.raises(Undecodable) as raised:
        read(provider(), SignedRequest({}, body))
    assert raised.value.errors[0].field == "body.encrypt"
    assert "加密策略" in raised.value.errors[0].fix
    with pytest.raises(SignatureInvalid):  # and only who knows the token is told
        read(provider(), SignedRequest({}, body.replace(token.encode(), b"guessed")))


@pytest.mark.parametrize("encrypted", ["", "AAAA", "!", "A" * 44, 7, None])
def test_what_is_signed_and_not_encrypted_is_named(encrypted: object) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), feishu_sender().sign(json.dumps({"encrypt": encrypted}).encode()))
    assert raised.value.errors[0].field == "body.encrypt"


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"message_id": ""}, "message_id"), ({"create_time": "now"}, "create_time"), ({"chat_id": 7}, "chat_id")],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), feishu_sender().message("text", Way.GOOD, **fields))
    assert raised.value.errors[0].field == f"body.message.{field}"


@pytest.mark.parametrize(
    ("secret", "fix"), [("kudryavka", "no colon"), (":v7Kz2mQ9LrTp4Xs", "no Encrypt Key"), ("kudryavka:", "Token")]
)
def test_a_secret_that_cannot_be_one_is_named_without_showing_it(secret: str, fix: str) -> None:
    with pytest.raises(SecretMalformed, match=fix) as raised:
        feishu_keys([secret])
    assert "kudryavka" not in str(raised.value)
