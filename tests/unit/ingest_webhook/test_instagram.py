"""What the notifications of an Instagram professional account become."""

from typing import Any

import pytest

from ingest_webhook.provider import Ignored
from ingest_webhook.providers import instagram
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import META_SECRET, META_TOKEN
from tests.support.partners.instagram import InstagramSender
from tests.support.partners.signed_request import Way
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind

PROVIDER = instagram.build({"tokens": [META_TOKEN]}, [META_SECRET])
ACCOUNT, PERSON = InstagramSender.account, InstagramSender.person


def sender() -> InstagramSender:
    return InstagramSender(META_SECRET, now_seconds)


def test_a_message_names_its_writer_its_conversation_and_its_time() -> None:
    partner = sender()
    mid = partner.new_mid()
    message = read_one(PROVIDER, partner.message("Is it in stock?", mid=mid))
    assert (message.kind, message.channel, message.provider_id) == (MessageKind.CREATED, Channel.CHAT, mid)
    assert (message.sender.kind, message.sender.value) == (IdentityKind.INSTAGRAM, f"{ACCOUNT}/{PERSON}")
    assert (message.conversation, message.sent_at) == (f"{ACCOUNT}/{PERSON}", NOW)


@pytest.mark.parametrize("is_deleted", [True, "true"])  # Meta's own page has the text
def test_an_unsent_message_is_deleted(is_deleted: object) -> None:
    deletion = read_one(PROVIDER, sender().events({"message": {"mid": "m_1", "is_deleted": is_deleted}}))
    assert (deletion.kind, deletion.provider_id, deletion.text) == (MessageKind.DELETED, "m_1", "")


def test_an_edit_is_a_revision_of_its_message() -> None:
    edit = read_one(PROVIDER, sender().events({"message_edit": {"mid": "m_1", "text": "hello", "num_edit": 1}}))
    assert (edit.kind, edit.provider_id, edit.revision, edit.text) == (MessageKind.EDITED, "m_1", "1", "hello")


def test_a_message_that_the_interface_cannot_show_still_reaches_the_agent() -> None:
    message = read_one(PROVIDER, sender().message("", text=None, is_unsupported=True))
    assert message.reading_problems == ("Instagram does not pass on this kind of message; look at it in Instagram",)


@pytest.mark.parametrize("own_login", [False, True])
def test_a_comment_is_public_and_its_answers_join_it(own_login: bool) -> None:
    """Apps with Instagram's own login get the change in the entry itself."""
    partner = sender()
    comment = read_one(PROVIDER, partner.comment("Mine broke", id="1792", own_login=own_login))
    answer = read_one(PROVIDER, partner.comment("Mine too", parent_id="1792", own_login=own_login))
    assert (comment.channel, comment.provider_id) == (Channel.SOCIAL, "comment/1792")
    assert (comment.sender.value, comment.sender.name) == (f"{ACCOUNT}/{PERSON}", "li.wei")
    assert comment.sent_at is None
    assert answer.conversation == comment.conversation == f"{ACCOUNT}/comment/1792"


def test_who_comments_and_writes_is_one_contact() -> None:
    partner = sender()
    assert (
        read_one(PROVIDER, partner.comment("here")).sender.value
        == read_one(PROVIDER, partner.message("and there")).sender.value
    )


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"message": {"mid": "m_1", "text": "our answer", "is_echo": True}}, IgnoreReason.ECHO),
        ({"message": {"mid": "m_1", "is_echo": True, "is_deleted": True}}, IgnoreReason.ECHO),
        ({"reaction": {"mid": "m_1", "action": "unreact"}}, IgnoreReason.UNKNOWN_TYPE),
        ({"referral": {"ref": "ad"}}, IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_what_no_customer_said_is_ignored(event: dict[str, Any], reason: IgnoreReason) -> None:
    assert read(PROVIDER, sender().events(event)) == Ignored(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"field": "comments", "value": {"id": "1", "from": {"id": ACCOUNT}, "text": "thanks"}}, IgnoreReason.ECHO),
        ({"field": "comments", "value": {"id": "1", "text": "who?"}}, IgnoreReason.NO_SENDER),
        ({"field": "mentions", "value": {"media_id": "1", "comment_id": "2"}}, IgnoreReason.UNKNOWN_TYPE),
        ({"field": "story_insights", "value": {"media_id": "1"}}, IgnoreReason.UNKNOWN_TYPE),
    ],
)
def test_a_change_that_is_no_comment_of_a_customer_is_ignored(change: dict[str, Any], reason: IgnoreReason) -> None:
    assert read(PROVIDER, sender().entry(Way.GOOD, changes=[change])) == Ignored(reason)


def test_a_wrong_field_of_a_comment_is_named() -> None:
    with pytest.raises(Undecodable) as raised:
        read(PROVIDER, sender().comment("text", id=""))
    assert raised.value.errors[0].field == "body.id"
