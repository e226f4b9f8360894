"""What the notifications of a Facebook page become."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_webhook.provider import Ignored, Messages
from ingest_webhook.providers import messenger
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import META_SECRET, META_TOKEN
from tests.support.partners.messenger import MessengerSender
from tests.support.partners.signed_request import Way
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind

PROVIDER = messenger.build({"tokens": [META_TOKEN]}, [META_SECRET])
PAGE, PERSON = MessengerSender.page, MessengerSender.person


def sender() -> MessengerSender:
    return MessengerSender(META_SECRET, now_seconds)


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    message = read_one(PROVIDER, sender().message("My order\nnever came", mid="m_1"))
    assert (message.kind, message.channel, message.provider_id) == (MessageKind.CREATED, Channel.CHAT, "m_1")
    assert (message.sender.kind, message.sender.value) == (IdentityKind.FACEBOOK, f"{PAGE}/{PERSON}")
    assert message.conversation == f"{PAGE}/{PERSON}"
    assert (message.subject, message.text) == ("My order", "My order\nnever came")
    assert message.sent_at == NOW


def test_escaped_letters_and_slashes_are_read_as_the_writer_wrote_them() -> None:
    assert read_one(PROVIDER, sender().message("https://商店.example/订单")).text == "https://商店.example/订单"


def test_events_of_several_pages_come_in_their_order() -> None:
    partner = sender()
    events = [{"message": {"mid": f"m_{number}", "text": "hi"}} for number in range(3)]
    envelope = {"sender": {"id": PERSON}, "timestamp": partner.milliseconds()}
    entries = [
        {"id": "page-1", "time": 1, "messaging": [envelope | events[0], envelope | {"read": {"watermark": 1}}]},
        {"id": "page-2", "time": 1, "messaging": [envelope | events[1]], "standby": [envelope | events[2]]},
    ]
    reading = read(PROVIDER, partner.notification("page", entries))
    assert isinstance(reading, Messages)
    assert [(message.conversation, message.provider_id) for message in reading.messages] == [
        (f"page-1/{PERSON}", "m_0"),
        (f"page-1/{PERSON}", ""),
        (f"page-2/{PERSON}", "m_1"),
        (f"page-2/{PERSON}", "m_2"),
    ]


def test_what_is_said_while_another_app_holds_the_conversation_is_read() -> None:
    request = sender().events({"message": {"mid": "m_1", "text": "anybody?"}}, channel="standby")
    assert read_one(PROVIDER, request).text == "anybody?"


def test_the_test_button_of_the_console_sends_a_message_too() -> None:
    value = {"sender": {"id": "12334"}, "recipient": {"id": "23245"}, "timestamp": "1527459824"}
    change = {"field": "messages", "value": value | {"message": {"mid": "test_message_id", "text": "test_message"}}}
    message = read_one(PROVIDER, sender().entry(Way.GOOD, changes=[change]))
    assert (message.text, message.sent_at) == ("test_message", datetime(2018, 5, 27, 22, 23, 44, tzinfo=UTC))


def test_an_edit_is_a_revision_of_its_message() -> None:
    partner = sender()
    edits = [
        read_one(PROVIDER, partner.events({"message_edit": {"mid": "m_1", "text": text, "num_edit": number}}))
        for number, text in ((1, "helo"), (2, "hello"))
    ]
    assert [(edit.kind, edit.provider_id, edit.text) for edit in edits] == [
        (MessageKind.EDITED, "m_1", "helo"),
        (MessageKind.EDITED, "m_1", "hello"),
    ]
    assert edits[0].revision != edits[1].revision


def test_a_tapped_button_is_said_in_its_words() -> None:
    tapped = read_one(PROVIDER, sender().events({"postback": {"title": "Talk to a person", "payload": "HUMAN"}}))
    assert tapped.text == "Talk to a person"
    named = read_one(PROVIDER, sender().events({"postback": {"title": "Talk", "mid": "m_9"}}))
    assert (named.provider_id, tapped.provider_id.startswith("postback/")) == ("m_9", True)


def test_files_stay_at_meta_and_are_named() -> None:
    link = "https://scontent.example/v/t1.15752-9/photo.jpg?" + "x" * 650
    files = [
        {"type": "image", "payload": {"url": link}},
        {"type": "template", "payload": None},
    ]
    message = read_one(PROVIDER, sender().message("", text=None, attachments=files))
    assert message.text == ""
    assert message.reading_problems == (
        f"The image stays at Messenger: {link}",
        "The template stays at Messenger: no link given",
    )


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"message": {"mid": "m_1", "text": "our answer", "is_echo": True}}, IgnoreReason.ECHO),
        ({"sender": {"id": PAGE}, "message": {"mid": "m_1", "text": "our answer"}}, IgnoreReason.ECHO),
        ({"reaction": {"mid": "m_1", "action": "react"}}, IgnoreReason.UNKNOWN_TYPE),
        ({"optin": {"type": "notification_messages"}}, IgnoreReason.UNKNOWN_TYPE),
        ({"message": None}, IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_what_no_customer_said_is_ignored(event: dict[str, Any], reason: IgnoreReason) -> None:
    assert read(PROVIDER, sender().events(event)) == Ignored(reason)


def test_a_comment_is_public_and_its_answers_join_it() -> None:
    partner = sender()
    comment = read_one(PROVIDER, partner.comment("add", "Still broken", comment_id="77_1"))
    answer = read_one(PROVIDER, partner.comment("add", "Mine too", comment_id="77_2", parent_id="77_1"))
    assert (comment.channel, comment.provider_id, comment.sent_at) == (Channel.SOCIAL, "77_1", NOW)
    assert (comment.sender.value, comment.sender.name) == (f"{PAGE}/{PERSON}", "Li Wei")
    assert answer.conversation == comment.conversation == f"{PAGE}/comment/77_1"


def test_a_comment_can_be_changed_and_taken_back() -> None:
    partner = sender()
    edited = read_one(PROVIDER, partner.comment("edited", "Works now", comment_id="77_1"))
    removed = read_one(PROVIDER, partner.comment("remove", "", comment_id="77_1"))
    assert (edited.kind, edited.provider_id, edited.revision != "") == (MessageKind.EDITED, "77_1", True)
    assert (removed.kind, removed.provider_id) == (MessageKind.DELETED, "77_1")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"from": {"id": PAGE, "name": "Our shop"}}, IgnoreReason.ECHO),
        ({"from": None}, IgnoreReason.NO_SENDER),
        ({"item": "like"}, IgnoreReason.UNKNOWN_TYPE),
        ({"verb": "hide"}, IgnoreReason.UNKNOWN_TYPE),
        ({"verb": ["unhashable"]}, IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_what_no_visitor_commented_is_ignored(value: dict[str, Any], reason: IgnoreReason) -> None:
    assert read(PROVIDER, sender().comment(**{"verb": "add", "message": "text", **value})) == Ignored(reason)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"message": {"text": "hi"}}, "message.mid"),
        ({"message": {"mid": "m_1", "attachments": 7}}, "message.attachments"),
        ({"message": {"mid": "m_1"}, "sender": {}}, "sender.id"),
        ({"message": {"mid": "m_1"}, "timestamp": 10**15}, "timestamp"),
        ({"message_edit": {"mid": "m_1", "text": "hi"}}, "message_edit.num_edit"),
    ],
)
def test_a_wrong_field_is_named(event: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(PROVIDER, sender().events(event))
    assert raised.value.errors[0].field == f"body.{field}"
