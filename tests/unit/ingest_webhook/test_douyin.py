"""What Douyin's events become."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_webhook.domain.douyin_signature import douyin_signature, verify_douyin
from ingest_webhook.provider import Handshake, Ignored
from ingest_webhook.providers.douyin import Douyin
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import DOUYIN_SECRET
from tests.support.partners.douyin import DouyinSender
from tests.support.partners.signed_request import Way
from tests.unit.ingest_webhook.all_providers import douyin_sender
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.signatures import SecretMalformed, SignatureInvalid

# The body of Douyin's own Go sample ("Webhooks 概述"); the page blanks the secret out, so this one is ours.
SAMPLE = b'{"event":"verify_webhook","client_key":"abc","content":{"challenge":12345}}'
SAMPLE_SIGNATURE = b"5cff3408bd481e00a02913b7f72de8d8283d0fb1"


def provider(**options: Any) -> Douyin:
    return Douyin.build(options, [DOUYIN_SECRET])


def test_the_sample_of_douyin_is_signed_as_sha1sum_signs_it() -> None:
    assert douyin_signature(b"abc", SAMPLE) == SAMPLE_SIGNATURE
    verify_douyin(SAMPLE, signature=SAMPLE_SIGNATURE, secrets=[b"another", b"abc"])


@pytest.mark.parametrize("changed", [{"body": SAMPLE + b" "}, {"signature": b""}, {"signature": b"f" * 40}])
def test_anything_changed_after_signing_is_refused(changed: dict[str, bytes]) -> None:
    given = {"body": SAMPLE, "signature": SAMPLE_SIGNATURE, **changed}
    with pytest.raises(SignatureInvalid):
        verify_douyin(given["body"], signature=given["signature"], secrets=[b"abc"])


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    message = read_one(provider(), douyin_sender().message("订单没到", create_time=1763899200123))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.SOCIAL)
    assert (message.sender.kind, message.sender.value) == (IdentityKind.DOUYIN, DouyinSender.user)
    assert message.sender.name == "李伟"
    assert message.conversation == f"{DouyinSender.account}/{DouyinSender.user}"
    assert message.provider_id.startswith("@9VwNxuKKBZ03MXG7M8ooWM791mzu")
    assert message.sent_at == datetime(2025, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)
    assert message.reading_problems == ()


def test_content_may_be_an_object_or_a_string_with_one() -> None:
    content = {"server_message_id": "@1", "message_type": "text", "text": "hello", "create_time": 1}
    as_object = read_one(provider(), douyin_sender().event("im_receive_msg", content))
    as_string = read_one(provider(), douyin_sender().event("im_receive_msg", json.dumps(content)))
    assert as_object == as_string


def test_a_recall_deletes_the_message_it_names() -> None:
    sender = douyin_sender()
    message = read_one(provider(), sender.message("oh no", server_message_id="@1"))
    recall = read_one(provider(), sender.event("im_recall_msg", json.dumps({"server_message_id": "@1"})))
    assert recall.kind is MessageKind.DELETED
    assert (recall.provider_id, recall.conversation) == (message.provider_id, message.conversation)
    assert recall.sender.value == message.sender.value


def test_what_we_recall_is_no_customers() -> None:
    recall = douyin_sender().event("im_recall_msg", {"server_message_id": "@1"}, from_user_id=DouyinSender.account)
    assert read(provider(own_open_ids=[DouyinSender.account]), recall) == Ignored(IgnoreReason.ECHO)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("im_send_msg", IgnoreReason.ECHO),
        ("im_message_read", IgnoreReason.RECEIPT),
        ("im_enter_direct_msg", IgnoreReason.UNKNOWN_TYPE),
        ("new-event", IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_other_events_are_no_messages(event: str, reason: IgnoreReason) -> None:
    assert read(provider(), douyin_sender().event(event, {})) == Ignored(reason)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"message_type": "user_local_image"}, "user_local_image stays at Douyin: no link given"),
        ({"message_type": "video", "item_id": "@8hx"}, "video stays at Douyin: item @8hx, no link given"),
        ({"message_type": "emoji", "resource_url": "https://p.example.com/e"}, "emoji stays at Douyin: https://p.ex"),
        ({"message_type": "other"}, "other stays"),
    ],
)
def test_what_stays_at_douyin_is_named(content: dict[str, str], named: str) -> None:
    [problem] = read_one(provider(), douyin_sender().message("", Way.GOOD, **content)).reading_problems
    assert named in problem


@pytest.mark.parametrize("content", [{"challenge": 12345}, '{ "challenge": 12345 }'])
def test_the_challenge_is_answered_with_a_number(content: object) -> None:
    reading = read(provider(), douyin_sender().event("verify_webhook", content, from_user_id="", to_user_id=""))
    assert isinstance(reading, Handshake)
    assert reading.body == b'{"challenge":12345}'


@pytest.mark.parametrize("challenge", ["12345", True, -1, 2**53 + 1, 1.5, None])
def test_a_challenge_that_is_no_number_is_not_echoed(challenge: object) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), douyin_sender().event("verify_webhook", {"challenge": challenge}))
    assert raised.value.errors[0].field == "body.content.challenge"


def test_the_challenge_has_to_be_signed() -> None:
    with pytest.raises(SignatureInvalid):
        read(provider(), douyin_sender().event("verify_webhook", {"challenge": 12345}, Way.FORGED))


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"server_message_id": ""}, "content.server_message_id"),
        ({"create_time": "now"}, "content.create_time"),
        ({"message_type": None}, "content.message_type"),
    ],
)
def test_a_wrong_field_is_named(content: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), douyin_sender().message("text", Way.GOOD, **content))
    assert raised.value.errors[0].field == f"body.{field}"


@pytest.mark.parametrize("content", ["{", "[1,2]", "7", None, 7])
def test_content_that_is_no_object_is_named(content: object) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), douyin_sender().event("im_receive_msg", content))
    assert raised.value.errors[0].field.startswith("body.content")


def test_a_secret_that_cannot_be_one_is_named_without_showing_it() -> None:
    with pytest.raises(SecretMalformed, match="client secret") as raised:
        Douyin.build({}, ["too short"])
    assert "too short" not in str(raised.value)
