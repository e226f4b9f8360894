"""What the notifications of a LINE official account become."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest_webhook.provider import Handshake, Ignored, Messages
from ingest_webhook.providers.line import Line
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import LINE_SECRET
from tests.support.partners.line import LineSender
from tests.support.partners.signed_request import Way
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind

PROVIDER = Line.build({}, [LINE_SECRET])
ACCOUNT, PERSON = LineSender.account, LineSender.person
SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "webhooks" / "line"


def sender() -> LineSender:
    return LineSender(LINE_SECRET, now_seconds)


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    message = read_one(PROVIDER, sender().message("My order\nnever came", id="468"))
    assert (message.kind, message.channel, message.provider_id) == (MessageKind.CREATED, Channel.CHAT, "468")
    assert (message.sender.kind, message.sender.value) == (IdentityKind.LINE, PERSON)
    assert (message.conversation, message.sent_at) == (f"{ACCOUNT}/{PERSON}", NOW)
    assert (message.subject, message.text) == ("My order", "My order\nnever came")


def test_an_address_is_checked_with_a_notification_of_no_event() -> None:
    assert read(PROVIDER, sender().notification([])) == Handshake("text/plain; charset=utf-8", b"")


def test_a_redelivery_is_read_like_the_first_delivery() -> None:
    partner = sender()
    first = read(PROVIDER, partner.message("once"))
    assert isinstance(first, Messages)
    assert read(PROVIDER, partner.notification([], Way.REPEATED)) == first


def test_events_of_one_request_come_in_their_order_and_the_others_are_left_out() -> None:
    partner = sender()
    said = [partner.event("message", message={"id": str(id_), "type": "text", "text": "x"}) for id_ in range(3)]
    reading = read(PROVIDER, partner.notification([partner.event("follow"), *said, partner.event("leave")]))
    assert isinstance(reading, Messages)
    assert [message.provider_id for message in reading.messages] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("source", "place", "writer"),
    [
        ({"type": "group", "groupId": "C1", "userId": "U1"}, "C1", "U1"),
        ({"type": "room", "roomId": "R1", "userId": "U1"}, "R1", "U1"),
        ({"type": "room", "roomId": "R1"}, "R1", "R1"),
    ],
)
def test_a_group_is_one_conversation_and_speaks_where_no_writer_is_told(
    source: dict[str, str], place: str, writer: str
) -> None:
    partner = sender()
    event = partner.event("message", source=source, message={"id": "1", "type": "text", "text": "hello all"})
    message = read_one(PROVIDER, partner.notification([event]))
    assert (message.conversation, message.sender.value) == (f"{ACCOUNT}/{place}", writer)


def test_what_is_said_while_another_module_holds_the_chat_is_read() -> None:
    partner = sender()
    event = partner.event("message", mode="standby", message={"id": "1", "type": "text", "text": "anybody?"})
    assert read_one(PROVIDER, partner.notification([event])).text == "anybody?"


def test_an_edit_is_a_revision_and_an_unsent_message_is_deleted() -> None:
    partner = sender()
    edits = [
        partner.event("messageEdited", message={"id": "468", "type": "text", "text": text})
        for text in ("helo", "hello")
    ]
    reading = read(PROVIDER, partner.notification([*edits, partner.event("unsend", unsend={"messageId": "468"})]))
    assert isinstance(reading, Messages)
    first, second, gone = reading.messages
    assert [message.kind for message in reading.messages] == [
        MessageKind.EDITED,
        MessageKind.EDITED,
        MessageKind.DELETED,
    ]
    assert first.provider_id == second.provider_id == gone.provider_id == "468"
    assert len({first.revision, second.revision, ""}) == 3


@pytest.mark.parametrize(
    ("message", "text", "problems"),
    [
        (
            {"type": "location", "title": "Shop", "address": "Tokyo", "latitude": 1.5, "longitude": 2},
            "Shop\nTokyo\n1.5, 2.0",
            (),
        ),
        (
            {"type": "file", "fileName": "bill.pdf", "fileSize": 2138},
            "",
            ("The file bill.pdf, 2138 bytes stays at LINE: message id 7",),
        ),
        ({"type": "image", "contentProvider": {"type": "line"}}, "", ("The image stays at LINE: message id 7",)),
        (
            {"type": "video", "contentProvider": {"type": "external", "originalContentUrl": "https://a.example/v.mp4"}},
            "",
            ("The video stays at LINE: https://a.example/v.mp4",),
        ),
        ({"type": "sticker", "keywords": ["angry", "sad"]}, "angry, sad", ("The sticker stays at LINE: message id 7",)),
        ({"type": "hologram"}, "", ("LINE messages of the type hologram are not understood here",)),
    ],
)
def test_what_is_no_text_is_put_in_words_or_named(
    message: dict[str, Any], text: str, problems: tuple[str, ...]
) -> None:
    partner = sender()
    event = partner.event("message", message={"id": "7", **message})
    read_message = read_one(PROVIDER, partner.notification([event]))
    assert (read_message.text, read_message.reading_problems) == (text, problems)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "delivery", "delivery": {"data": "hash"}}, IgnoreReason.RECEIPT),
        ({"type": "postback", "postback": {"data": "action=buy"}}, IgnoreReason.UNKNOWN_TYPE),
        ({"type": ["unhashable"]}, IgnoreReason.UNKNOWN_TYPE),
        ({"type": "message", "message": None}, IgnoreReason.UNKNOWN_TYPE),
        ({"type": "message", "source": {"type": "user"}}, IgnoreReason.NO_SENDER),
    ],
)
def test_what_no_customer_said_is_ignored(event: dict[str, Any], reason: IgnoreReason) -> None:
    partner = sender()
    assert read(PROVIDER, partner.notification([partner.event("message") | event])) == Ignored(reason)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"message": {"id": "", "type": "text"}}, "message.id"),
        ({"message": {"id": "1", "type": "text", "keywords": 7}}, "message.keywords"),
        ({"timestamp": 10**15}, "timestamp"),
        ({"type": "unsend", "unsend": {}}, "unsend.messageId"),
    ],
)
def test_a_wrong_field_is_named(event: dict[str, Any], field: str) -> None:
    partner = sender()
    with pytest.raises(Undecodable) as raised:
        read(PROVIDER, partner.notification([partner.event("message") | event]))
    assert raised.value.errors[0].field == f"body.{field}"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared sample payloads are not on this machine")
def test_the_sample_payloads_are_read() -> None:
    files = list(SAMPLES.glob("*.json"))
    assert files
    for file in files:
        body = file.read_bytes()
        reading = read(PROVIDER, sender().sign(body))
        assert isinstance(reading, Messages)
        spoken = [
            event for event in json.loads(body)["events"] if event["type"] in ("message", "messageEdited", "unsend")
        ]
        assert len(reading.messages) == len(spoken)
        assert {message.kind for message in reading.messages} == {
            MessageKind.CREATED,
            MessageKind.EDITED,
            MessageKind.DELETED,
        }
        assert all(
            message.text or message.reading_problems or message.kind is MessageKind.DELETED
            for message in reading.messages
        )
