"""Our own signed JSON: what becomes of each field, and how a wrong one is named."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_webhook.providers.standard_webhooks import StandardWebhooks
from ingest_webhook.rejections import Undecodable
from tests.unit.ingest_webhook.edge import SHOP_SECRET, shop_sender
from tests.unit.ingest_webhook.readings import read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind

SENDER = {"kind": "external", "id": "customer-7"}


def provider(**options: object) -> StandardWebhooks:
    return StandardWebhooks.build(options, [SHOP_SECRET])


def test_every_field_of_a_message_arrives() -> None:
    request = shop_sender().message(
        "屏幕碎了",
        id="m-1",
        conversation_id="order-17",
        channel="chat",
        sender={"kind": "email", "id": "Li.Wei@Example.com", "name": "Li Wei"},
        subject="Broken screen",
        sent_at="2026-11-23T19:59:00+08:00",
        attachments=[{"name": "a.txt", "media_type": "text/plain", "content": base64.b64encode(b"file").decode()}],
    )
    message = read_one(provider(), request)
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.CHAT)
    assert (message.provider_id, message.conversation) == ("m-1", "order-17")
    assert message.sender.kind is IdentityKind.EMAIL
    assert message.sender.value == "li.wei@example.com"
    assert (message.subject, message.text) == ("Broken screen", "屏幕碎了")
    assert message.sent_at == datetime(2026, 11, 23, 11, 59, tzinfo=UTC)
    assert [(file.name, file.media_type, file.content) for file in message.files] == [("a.txt", "text/plain", b"file")]


def test_the_webhook_id_stands_in_for_what_is_not_given() -> None:
    message = read_one(provider(channel="phone"), shop_sender().event("message.created", {"sender": SENDER}))
    assert message.provider_id == message.conversation == "msg_shop_1"
    assert message.channel is Channel.PHONE


@pytest.mark.parametrize("sent_at", ["2026-11-23T11:59Z", "2026-11-23 19:59:00+0800", 1795435140])
def test_a_time_may_be_written_in_the_ways_of_iso_8601_or_in_seconds(sent_at: object) -> None:
    message = read_one(provider(), shop_sender().event("message.created", {"sender": SENDER, "sent_at": sent_at}))
    assert message.sent_at == datetime(2026, 11, 23, 11, 59, tzinfo=UTC)


def test_a_subject_is_one_line() -> None:
    message = read_one(provider(), shop_sender().message("x", subject="Refund \r\nBcc: all@example.com\u2028 now"))
    assert message.subject == "Refund Bcc: all@example.com now"


def test_each_edit_is_a_revision_of_its_own() -> None:
    sender = shop_sender()
    change = {"id": "m-1", "sender": SENDER, "text": "better"}
    first, second = (read_one(provider(), sender.event("message.edited", change)) for _ in range(2))
    assert first.kind is MessageKind.EDITED
    assert first.provider_id == second.provider_id == "m-1"
    assert first.revision != second.revision
    numbered = read_one(provider(), sender.event("message.deleted", {**change, "revision": "9"}))
    assert (numbered.kind, numbered.revision) == (MessageKind.DELETED, "9")


@pytest.mark.parametrize(
    ("event_type", "data", "field"),
    [
        ("message.created", {}, "body.data.sender"),
        ("message.created", {"sender": {"id": ""}}, "body.data.sender.id"),
        ("message.created", {"sender": {"id": "x" * 201}}, "body.data.sender.id"),
        ("message.created", {"sender": {"id": "İ" * 200, "kind": "email"}}, "body.data.sender.id"),
        ("message.created", {"sender": {"id": "7", "kind": "pigeon"}}, "body.data.sender.kind"),
        ("message.created", {"sender": SENDER, "sent_at": "2026-11-23T12:00:00"}, "body.data.sent_at"),
        ("message.created", {"sender": SENDER, "sent_at": []}, "body.data.sent_at"),
        ("message.created", {"sender": SENDER, "text": 7}, "body.data.text"),
        (
            "message.created",
            {"sender": SENDER, "attachments": [{"name": "a", "content": ""}] * 21},
            "body.data.attachments",
        ),
        (
            "message.created",
            {"sender": SENDER, "attachments": [{"name": "a", "content": "%"}]},
            "attachments.0.content",
        ),
        ("message.created", {"sender": SENDER, "attachments": [{"name": "a", "content": 1}]}, "attachments.0.content"),
        ("message.edited", {"sender": SENDER}, "body.data.id"),
    ],
)
def test_a_wrong_field_is_named(event_type: str, data: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read_one(provider(), shop_sender().event(event_type, data))
    assert field in raised.value.errors[0].field
    assert "docs/channels/standard-webhooks.md" in raised.value.errors[0].fix


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"sender": SENDER, "channel": "pigeon"}, "is none of email, phone, chat, sms, social, web"),
        ({"sender": {**SENDER, "kind": "fax"}}, "is none of email, phone, slack,"),
    ],
)
def test_a_word_that_is_none_of_a_list_is_told_the_list_and_not_repeated(data: dict[str, Any], message: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read_one(provider(), shop_sender().event("message.created", data))
    assert raised.value.errors[0].message.startswith(message)
    assert "pigeon" not in raised.value.detail
