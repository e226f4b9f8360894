"""What the updates of a Telegram bot become."""

from typing import Any

import pytest

from ingest_webhook.provider import Ignored, Messages
from ingest_webhook.providers.telegram import Telegram
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import TELEGRAM_SECRET
from tests.support.partners.signed_request import SignedRequest
from tests.support.partners.telegram import TelegramSender
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.signatures import SecretMalformed, SignatureInvalid

PROVIDER = Telegram.build({}, [TELEGRAM_SECRET])
PERSON = TelegramSender.person
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Owners"}


def sender() -> TelegramSender:
    return TelegramSender(TELEGRAM_SECRET, now_seconds)


def written_by(user: dict[str, Any] | None, **message: Any) -> SignedRequest:
    return sender().message("hello", **message | {"from": user})


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    message = read_one(PROVIDER, sender().message("My order\nnever came", message_id=7))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.CHAT)
    assert message.provider_id == f"{PERSON}/7"
    assert (message.sender.kind, message.sender.value, message.sender.name) == (
        IdentityKind.TELEGRAM,
        str(PERSON),
        "Wei Li",
    )
    assert (message.conversation, message.sent_at) == (str(PERSON), NOW)
    assert (message.subject, message.text) == ("My order", "My order\nnever came")


def test_an_edit_is_a_revision_of_its_message() -> None:
    partner = sender()
    edits = [
        read_one(PROVIDER, partner.update(edited_message=partner.said(text, message_id=7, edit_date=1763899200)))
        for text in ("helo", "hello")
    ]
    assert {(edit.kind, edit.provider_id) for edit in edits} == {(MessageKind.EDITED, f"{PERSON}/7")}
    assert len({edit.revision for edit in edits} | {""}) == 3
    assert edits[0].sent_at is not None
    assert edits[0].sent_at.timestamp() == 1763899200


@pytest.mark.parametrize(
    ("topic", "conversation"),
    [
        ({}, "-1001234567890"),
        ({"message_thread_id": 12, "is_topic_message": True}, "-1001234567890/12"),
        ({"message_thread_id": 12}, "-1001234567890"),  # an answer in a group without topics
    ],
)
def test_a_group_is_one_conversation_and_each_of_its_topics_too(topic: dict[str, Any], conversation: str) -> None:
    message = read_one(PROVIDER, sender().message("hello all", chat=GROUP, **topic))
    assert (message.conversation, message.sender.value) == (conversation, str(PERSON))


def test_who_writes_as_a_channel_is_that_channel() -> None:
    bot = {"id": 136817688, "is_bot": True, "first_name": "Channel"}
    channel = {"id": -1009876543210, "type": "channel", "title": "Owners' news"}
    message = read_one(PROVIDER, written_by(bot, chat=GROUP, sender_chat=channel))
    assert (message.sender.value, message.sender.name) == ("-1009876543210", "Owners' news")


def test_messages_to_a_business_account_are_told_apart_from_those_to_the_bot() -> None:
    partner = sender()
    said = partner.said("hello", message_id=7, business_connection_id="bc-1")
    message = read_one(PROVIDER, partner.update(business_message=said))
    assert (message.provider_id, message.conversation) == (f"bc-1/{PERSON}/7", f"bc-1/{PERSON}")
    edited = read_one(PROVIDER, partner.update(edited_business_message=said))
    assert (edited.kind, edited.provider_id) == (MessageKind.EDITED, message.provider_id)


def test_deleted_messages_of_a_business_chat_are_deleted_one_by_one() -> None:
    partner = sender()
    chat = {"id": PERSON, "type": "private", "first_name": "Wei"}
    deletion = {"business_connection_id": "bc-1", "chat": chat, "message_ids": [7, 8]}
    reading = read(PROVIDER, partner.update(deleted_business_messages=deletion))
    assert isinstance(reading, Messages)
    assert [(message.kind, message.provider_id) for message in reading.messages] == [
        (MessageKind.DELETED, f"bc-1/{PERSON}/7"),
        (MessageKind.DELETED, f"bc-1/{PERSON}/8"),
    ]


@pytest.mark.parametrize(
    ("said", "text", "problems"),
    [
        (
            {"photo": [{"file_id": "small"}, {"file_id": "large", "file_size": 9}], "caption": "see"},
            "see",
            ("The photo, 9 bytes stays at Telegram: file id large",),
        ),
        (
            {"document": {"file_id": "d", "file_name": "bill.pdf"}},
            "",
            ("The document bill.pdf stays at Telegram: file id d",),
        ),
        (
            {"animation": {"file_id": "a"}, "document": {"file_id": "a"}},
            "",
            ("The animation stays at Telegram: file id a",),
        ),
        ({"video_note": {"file_id": "v"}}, "", ("The video note stays at Telegram: file id v",)),
        ({"sticker": {"file_id": "s", "emoji": "😡"}}, "😡", ("The sticker stays at Telegram: file id s",)),
        (
            {"venue": {"title": "Shop", "address": "Road 1"}, "location": {"latitude": 1.5, "longitude": 2}},
            "Shop\nRoad 1\n1.5, 2.0",
            (),
        ),
        ({"contact": {"phone_number": "+86139", "first_name": "Wang"}}, "Wang +86139", ()),
        ({"poll": {"question": "Works?", "options": [{"text": "no"}]}}, "Works?\n- no", ()),
        (
            {"story": {"id": 1}},
            "",
            ("Telegram does not pass on stories and paid media; look at it in Telegram",),
        ),
    ],
)
def test_what_is_no_text_is_put_in_words_or_named(said: dict[str, Any], text: str, problems: tuple[str, ...]) -> None:
    message = read_one(PROVIDER, sender().message("", **{"text": None, **said}))
    assert (message.text, message.reading_problems) == (text, problems)


def business(**message: Any) -> SignedRequest:
    partner = sender()
    return partner.update(business_message=partner.said("our answer", business_connection_id="bc-1", **message))


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (business(**{"from": {"id": 1, "is_bot": False}}), IgnoreReason.ECHO),
        (business(sender_business_bot={"id": 1}), IgnoreReason.ECHO),
        (sender().message("news", chat=GROUP, is_automatic_forward=True), IgnoreReason.ECHO),
        (written_by({"id": 1, "is_bot": True}), IgnoreReason.BOT),
        (written_by(None), IgnoreReason.NO_SENDER),
        (sender().message("", text=None, new_chat_members=[{"id": 1}]), IgnoreReason.UNKNOWN_TYPE),
        (sender().update(channel_post=sender().said("our news")), IgnoreReason.UNKNOWN_TYPE),
        (sender().update(callback_query={"id": "1", "data": "x"}), IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_what_no_customer_said_is_ignored(request_: SignedRequest, reason: IgnoreReason) -> None:
    assert read(PROVIDER, request_) == Ignored(reason)


def test_a_live_location_is_one_message_however_often_it_moves() -> None:
    partner = sender()
    place = {"latitude": 1, "longitude": 2, "live_period": 900}
    assert read_one(PROVIDER, partner.message("", text=None, location=place)).text == "1.0, 2.0"
    moved = partner.said("", text=None, location=place, edit_date=1763899200)
    assert read(PROVIDER, partner.update(edited_message=moved)) == Ignored(IgnoreReason.INTERIM)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"message_id": "x"}, "message_id"),
        ({"date": 10**12}, "date"),
        ({"chat": {}}, "chat.id"),
        ({"photo": 7}, "photo"),
        ({"from": {"id": 2**60}}, "from.id"),
    ],
)
def test_a_wrong_field_is_named(message: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(PROVIDER, sender().message("text", **message))
    assert raised.value.errors[0].field == f"body.{field}"


def test_without_the_token_nothing_is_accepted() -> None:
    with pytest.raises(SignatureInvalid):
        read(PROVIDER, SignedRequest({"content-type": "application/json"}, sender().message("hello").body))


@pytest.mark.parametrize("secret", ["123456:the-token-of-the-bot", "x" * 257, "秘密"])
def test_a_secret_that_telegram_would_not_take_is_refused(secret: str) -> None:
    with pytest.raises(SecretMalformed) as raised:
        Telegram.build({}, [secret])
    assert secret not in str(raised.value)
