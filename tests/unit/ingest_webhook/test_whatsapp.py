"""What the notifications of a WhatsApp business number become."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest_webhook.provider import Ignored, Messages
from ingest_webhook.providers import whatsapp
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import META_SECRET, META_TOKEN
from tests.support.partners.signed_request import SignedRequest
from tests.support.partners.whatsapp import WhatsAppSender
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind

PROVIDER = whatsapp.build({"tokens": [META_TOKEN]}, [META_SECRET])
NUMBER, PERSON = WhatsAppSender.phone_number_id, WhatsAppSender.person
SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "webhooks" / "whatsapp"


def sender() -> WhatsAppSender:
    return WhatsAppSender(META_SECRET, now_seconds)


def said(**message: Any) -> SignedRequest:
    return sender().message("", **message)


def test_a_message_names_its_writer_by_telephone_number() -> None:
    message = read_one(PROVIDER, said(id="wamid.1", text={"body": "My order\nnever came"}))
    assert (message.kind, message.channel, message.provider_id) == (MessageKind.CREATED, Channel.CHAT, "wamid.1")
    assert (message.sender.kind, message.sender.value, message.sender.name) == (
        IdentityKind.PHONE,
        f"+{PERSON}",
        "Li Wei",
    )
    assert (message.conversation, message.sent_at) == (f"{NUMBER}/{PERSON}", NOW)
    assert (message.subject, message.text) == ("My order", "My order\nnever came")


def test_who_hides_the_number_is_known_by_the_id_that_meta_gives() -> None:
    partner = sender()
    hidden = partner.said_without_number("CN.42", "x")
    contacts = [{"user_id": "CN.42", "profile": {"username": "@li"}}]
    message = read_one(PROVIDER, partner.value(messages=[hidden], contacts=contacts))
    assert (message.sender.kind, message.sender.value, message.sender.name) == (IdentityKind.WHATSAPP, "CN.42", "@li")
    shown = read_one(PROVIDER, partner.message("and again", from_user_id="CN.42"))
    assert shown.conversation == message.conversation == f"{NUMBER}/CN.42"
    assert shown.sender.value == f"+{PERSON}"


def test_a_message_of_nobody_is_ignored() -> None:
    assert read(PROVIDER, said(**{"from": None})) == Ignored(IgnoreReason.NO_SENDER)


def test_a_group_is_one_conversation() -> None:
    message = read_one(PROVIDER, said(group_id="group-7", text={"body": "hello all"}))
    assert (message.conversation, message.sender.value) == (f"{NUMBER}/group-7", f"+{PERSON}")


def test_messages_of_one_request_come_in_their_order_beside_receipts() -> None:
    partner = sender()
    messages = [partner.said(type="text", text={"body": text}) for text in "abc"]
    read_by = {"id": "wamid.9", "status": "read", "timestamp": "1763899200", "recipient_id": PERSON}
    reading = read(PROVIDER, partner.value(messages=messages, statuses=[read_by]))
    assert isinstance(reading, Messages)
    assert [message.text for message in reading.messages] == ["a", "b", "c", ""]
    assert reading.messages[-1].kind is MessageKind.STATUS


def test_an_edit_is_a_revision_and_a_revocation_a_deletion_of_its_message() -> None:
    edit = {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "hello"}}}
    edited = read_one(PROVIDER, said(id="wamid.2", type="edit", edit=edit))
    assert (edited.kind, edited.provider_id, edited.revision) == (MessageKind.EDITED, "wamid.1", "wamid.2")
    assert edited.text == "hello"
    revoked = read_one(PROVIDER, said(id="wamid.3", type="revoke", revoke={"original_message_id": "wamid.1"}))
    assert (revoked.kind, revoked.provider_id, revoked.text) == (MessageKind.DELETED, "wamid.1", "")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"type": "button", "button": {"payload": "YES", "text": "Yes please"}}, "Yes please"),
        (
            {
                "type": "interactive",
                "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "Yes"}},
            },
            "Yes",
        ),
        (
            {"type": "interactive", "interactive": {"list_reply": {"title": "Repair", "description": "within a week"}}},
            "Repair\nwithin a week",
        ),
        (
            {"type": "interactive", "interactive": {"nfm_reply": {"body": "Sent", "response_json": '{"model": "X1"}'}}},
            'Sent\n{"model": "X1"}',
        ),
        (
            {"type": "location", "location": {"latitude": 31.2, "longitude": 121.5, "name": "People's Square"}},
            "People's Square\n31.2, 121.5",
        ),
        (
            {"type": "contacts", "contacts": [{"name": {"formatted_name": "Wang"}, "phones": [{"phone": "+86 139"}]}]},
            "Wang +86 139",
        ),
        (
            {
                "type": "order",
                "order": {"text": "Soon?", "product_items": [{"product_retailer_id": "X1", "quantity": 2}]},
            },
            "Soon?\n2 × X1",
        ),
    ],
)
def test_what_is_tapped_shared_or_ordered_is_put_in_words(message: dict[str, Any], text: str) -> None:
    assert read_one(PROVIDER, said(**message)).text == text


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (
            {"type": "image", "image": {"id": "65", "mime_type": "image/jpeg", "caption": "see"}},
            "The image of type image/jpeg stays at WhatsApp: media id 65",
        ),
        (
            {"type": "document", "document": {"id": "66", "filename": "bill.pdf", "caption": "see"}},
            "The document bill.pdf stays at WhatsApp: media id 66",
        ),
        ({"type": "audio", "audio": {"id": "67", "voice": True}}, "The voice message stays at WhatsApp: media id 67"),
        (
            {"type": "unsupported", "errors": [{"code": 131051, "title": "Message type unknown"}]},
            "WhatsApp does not pass on this message: Message type unknown",
        ),
        ({"type": "hologram"}, "WhatsApp messages of the type hologram are not understood here"),
    ],
)
def test_what_stays_at_whatsapp_is_named(message: dict[str, Any], problem: str) -> None:
    read_message = read_one(PROVIDER, said(**{"text": None, **message}))
    assert read_message.reading_problems == (problem,)
    assert read_message.text in ("", "see")


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (sender().value(statuses=[{"id": "wamid.1", "status": "sent"}]), IgnoreReason.RECEIPT),
        (sender().value(field="smb_message_echoes", message_echoes=[{"id": "wamid.1"}]), IgnoreReason.ECHO),
        (sender().value(field="account_update", event="VERIFIED_ACCOUNT"), IgnoreReason.UNKNOWN_TYPE),
        (said(type="system", system={"type": "user_changed_number"}), IgnoreReason.UNKNOWN_TYPE),
        (said(type="reaction", reaction={"message_id": "wamid.1"}), IgnoreReason.UNKNOWN_TYPE),
        (sender().value(), IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_what_no_customer_said_is_ignored(request_: SignedRequest, reason: IgnoreReason) -> None:
    assert read(PROVIDER, request_) == Ignored(reason)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"id": ""}, "id"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "1763899200000"}, "timestamp"),
        ({"type": None}, "type"),
        ({"type": "edit", "edit": {}}, "edit.original_message_id"),
    ],
)
def test_a_wrong_field_is_named(message: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(PROVIDER, said(**message))
    assert raised.value.errors[0].field == f"body.{field}"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared sample payloads are not on this machine")
def test_the_sample_payloads_are_read() -> None:
    inbound = json.loads((SAMPLES / "inbound_messages.json").read_text(encoding="utf-8"))
    for name, document in inbound.items():
        reading = read(PROVIDER, sender().sign(json.dumps(document).encode()))
        if "reaction" in name:
            assert reading == Ignored(IgnoreReason.UNKNOWN_TYPE), name
            continue
        assert isinstance(reading, Messages), name
        [message] = reading.messages
        assert (message.sender.value, message.conversation) == ("+972987654321", "1122334455667/972987654321"), name
        assert message.text or message.reading_problems, name
        assert message.sent_at is not None
        assert message.sent_at > datetime(2023, 10, 11, tzinfo=UTC), name
    for name, document in json.loads((SAMPLES / "statuses.json").read_text(encoding="utf-8")).items():
        reading = read(PROVIDER, sender().sign(json.dumps(document).encode()))
        if name == "sent":
            assert reading == Ignored(IgnoreReason.RECEIPT)
            continue
        assert isinstance(reading, Messages), name
        [message] = reading.messages
        assert message.delivery is not None
        assert (message.delivery.state, message.conversation) == (name, "1122334455667/972987654321")
        assert message.delivery.reason.startswith("130472: ") == (name == "failed")
