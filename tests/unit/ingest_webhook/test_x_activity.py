"""What the notifications of X become, of its older interface and of its newer one."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from ingest_webhook.provider import Handshake, Ignored, Messages
from ingest_webhook.providers.x_activity import XActivity
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import X_SECRET
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.x import XSender
from tests.unit.ingest_webhook.edge import NOW, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.incoming import IncomingMessage
from ticket_intake.signatures import SignatureInvalid

PROVIDER = XActivity.build({}, [X_SECRET, XSender.next_secret])
ACCOUNT, PERSON = XSender.account, XSender.person


def sender() -> XSender:
    return XSender(X_SECRET, now_seconds)


def test_the_published_challenge_gets_the_published_answer() -> None:
    """gist.github.com/jcipriano: the secret of the vector is the one that `all_providers` uses."""
    reading = read(PROVIDER, sender().check("9b4507b3-9040-4669-9ca3-6b94edb50553"))
    answer = {"response_token": "sha256=Cytd4Sq+NvEcV3MMrXxWJGJx5A+y/lXzzU2Maartkx8="}
    assert reading == Handshake("application/json", json.dumps(answer).encode())


@pytest.mark.parametrize("token", ["", '{"for_user_id":"1"}', '"text"', "[1]", " ", "a\n", "a" * 201, "令牌"])
def test_the_check_signs_nothing_that_could_be_an_event(token: str) -> None:
    """Anybody may ask, and the answer is the signature that would make a delivery of the same text genuine."""
    with pytest.raises(Undecodable) as raised:
        read(PROVIDER, sender().check(token))
    assert raised.value.errors[0].field == "query.crc_token"


@pytest.mark.parametrize("token", ["12345", "true", "9b4507b3-9040", "1e5"])
def test_what_the_check_does_sign_is_no_event(token: str) -> None:
    reading = read(PROVIDER, sender().check(token))
    assert isinstance(reading, Handshake)
    signature = json.loads(reading.body)["response_token"]
    with pytest.raises(Undecodable):
        read(PROVIDER, SignedRequest({"x-twitter-webhooks-signature": signature}, token.encode()))


def test_a_question_without_a_token_names_it() -> None:
    with pytest.raises(Undecodable) as raised:
        read(PROVIDER, SignedRequest({}, b"", urlencode({"nonce": "1"}), "GET"))
    assert raised.value.errors[0].field == "query.crc_token"


def test_a_delivery_without_a_signature_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        read(PROVIDER, SignedRequest({}, sender().message("hello").body))


def direct_messages() -> list[IncomingMessage]:
    older, newer = sender(), sender()
    return [
        read_one(PROVIDER, older.message("My order\nnever &amp;lt; came")),
        read_one(PROVIDER, newer.newer("dm.received", newer.direct("My order\nnever &amp;lt; came"))),
    ]


def test_a_direct_message_is_the_same_through_both_interfaces() -> None:
    message, newer = direct_messages()
    assert (message.kind, message.channel, message.sent_at) == (MessageKind.CREATED, Channel.CHAT, NOW)
    assert (message.sender.kind, message.sender.value, message.sender.name) == (IdentityKind.X, PERSON, "Li Wei")
    assert message.conversation == f"{ACCOUNT}/dm/{PERSON}"
    assert (message.subject, message.text) == ("My order", "My order\nnever &lt; came")
    assert message == newer


def test_the_newer_interface_writes_names_one_level_deeper() -> None:
    partner = sender()
    payload = partner.direct("hello") | {"users": {PERSON: {"data": {"name": "Wang Fang"}}}}
    assert read_one(PROVIDER, partner.newer("dm.received", payload)).sender.name == "Wang Fang"


def test_an_encrypted_message_still_reaches_the_agent() -> None:
    payload = {"id": "e4f4d3fc", "sender_id": PERSON, "created_at_msec": "1763899200000", "encoded_event": "CwAB"}
    message = read_one(PROVIDER, sender().newer("chat.received", payload))
    assert message.reading_problems == ("The message is encrypted from end to end; read it in X",)
    assert (message.conversation, message.sent_at) == (
        f"{ACCOUNT}/dm/{PERSON}",
        datetime(2025, 11, 23, 12, tzinfo=UTC),
    )


def posts() -> list[IncomingMessage]:
    older, newer = sender(), sender()
    return [
        read_one(PROVIDER, older.older(tweet_create_events=[older.older_post("@aurora it &gt; broke")])),
        read_one(PROVIDER, newer.newer("post.mention.create", newer.newer_post("@aurora it &gt; broke"))),
    ]


def test_a_post_is_the_same_through_both_interfaces() -> None:
    message, newer = posts()
    assert (message.kind, message.channel, message.sent_at) == (MessageKind.CREATED, Channel.SOCIAL, NOW)
    assert (message.sender.value, message.sender.name) == (PERSON, "Li Wei")
    assert (message.conversation, message.text) == (f"{ACCOUNT}/post/{PERSON}", "@aurora it > broke")
    assert message == newer


def test_a_mention_that_is_also_a_reply_is_one_message() -> None:
    partner = sender()
    post = partner.newer_post("@aurora still broken")
    kinds = ("post.mention.create", "post.reply.create", "post.quote.create")
    assert len({read_one(PROVIDER, partner.newer(kind, post)) for kind in kinds}) == 1


def test_a_long_post_is_read_whole() -> None:
    partner = sender()
    older = partner.older_post("the begin…", extended_tweet={"full_text": "the beginning and the end"})
    newer = partner.newer_post("the begin…", note_tweet={"text": "the beginning and the end"})
    texts = {
        read_one(PROVIDER, partner.older(tweet_create_events=[older])).text,
        read_one(PROVIDER, partner.newer("post.mention.create", newer)).text,
    }
    assert texts == {"the beginning and the end"}


def test_an_edited_post_is_a_revision_of_its_first_version() -> None:
    partner = sender()
    older = partner.older_post("hello", id_str="20", edit_history={"initial_tweet_id": "10"})
    newer = partner.newer_post("hello", id="20", edit_history_tweet_ids=["10", "20"])
    for request in (partner.older(tweet_create_events=[older]), partner.newer("post.reply.create", newer)):
        edit = read_one(PROVIDER, request)
        assert (edit.kind, edit.provider_id, edit.revision) == (MessageKind.EDITED, "post/10", "20")


def test_a_deleted_post_is_deleted() -> None:
    event = {"status": {"id": "10", "user_id": PERSON}, "timestamp_ms": "1763899200000"}
    deletion = read_one(PROVIDER, sender().older(tweet_delete_events=[event]))
    assert (deletion.kind, deletion.provider_id) == (MessageKind.DELETED, "post/10")


def test_pictures_stay_at_x_and_are_named() -> None:
    partner = sender()
    photo = {"type": "photo", "media_url_https": "https://ton.x.com/1.jpg"}
    data = {"text": "see", "attachment": {"type": "media", "media": photo}}
    assert read_one(PROVIDER, partner.message("", message_data=data)).reading_problems == (
        "The photo stays at X: https://ton.x.com/1.jpg",
    )
    older = partner.older_post("see", extended_entities={"media": [photo]})
    assert "1.jpg" in read_one(PROVIDER, partner.older(tweet_create_events=[older])).reading_problems[0]
    newer = partner.newer_post("see", attachments={"media_keys": ["3_77"]})
    assert read_one(PROVIDER, partner.newer("post.mention.create", newer)).reading_problems == (
        "The media stays at X: media key 3_77",
    )


def test_all_that_one_request_tells_comes_in_order_without_what_we_said() -> None:
    partner = sender()
    ours = partner.older_post("thanks", user={"id_str": ACCOUNT, "name": "Aurora"})
    told = partner.direct("first") | {"tweet_create_events": [ours, partner.older_post("second")]}
    reading = read(PROVIDER, partner.older(**told))
    assert isinstance(reading, Messages)
    assert [message.text for message in reading.messages] == ["first", "second"]


def older(**told: Any) -> SignedRequest:
    return sender().older(**told)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (sender().message("our answer", sender_id=ACCOUNT), IgnoreReason.ECHO),
        (older(tweet_delete_events=[{"status": {"id": "1", "user_id": ACCOUNT}}]), IgnoreReason.ECHO),
        (older(tweet_create_events=[sender().older_post("RT", retweeted_status={})]), IgnoreReason.UNKNOWN_TYPE),
        (older(direct_message_events=[{"type": "welcome"}]), IgnoreReason.UNKNOWN_TYPE),
        (older(direct_message_indicate_typing_events=[{}]), IgnoreReason.INTERIM),
        (older(favorite_events=[{}]), IgnoreReason.UNKNOWN_TYPE),
        (sender().notification({"user_event": {"revoke": {}}}), IgnoreReason.UNKNOWN_TYPE),
        (sender().newer("dm.sent", {}), IgnoreReason.ECHO),
        (sender().newer("post.create", {}), IgnoreReason.ECHO),
        (sender().newer("dm.read", {}), IgnoreReason.RECEIPT),
        (sender().newer("dm.indicate_typing", {}), IgnoreReason.INTERIM),
        (sender().newer("like.create", {}), IgnoreReason.UNKNOWN_TYPE),
        (
            sender().newer(
                "post.quote.create", sender().newer_post("RT", referenced_tweets=[{"type": "retweeted", "id": "1"}])
            ),
            IgnoreReason.UNKNOWN_TYPE,
        ),
        (
            sender().newer("chat.received", {"id": "1", "sender_id": ACCOUNT, "created_at_msec": 1}),
            IgnoreReason.ECHO,
        ),
    ],
)
def test_what_no_customer_said_is_ignored(request_: SignedRequest, reason: IgnoreReason) -> None:
    assert read(PROVIDER, request_) == Ignored(reason)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (sender().message("x", sender_id="me"), "message_create.sender_id"),
        (older(tweet_create_events=[sender().older_post("x", id_str="")]), "id_str"),
        (older(tweet_create_events={}), "tweet_create_events"),
        (sender().newer("post.mention.create", {"id": "1"}), "author_id"),
        (sender().notification({"for_user_id": "us"}), "for_user_id"),
        (sender().notification({"for_user_id": "2244994945\n"}), "for_user_id"),
    ],
)
def test_a_wrong_field_is_named(request_: SignedRequest, field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(PROVIDER, request_)
    assert raised.value.errors[0].field == f"body.{field}"


def test_during_a_rotation_the_first_secret_answers_and_both_are_accepted() -> None:
    swapped = XActivity.build({}, [XSender.next_secret, X_SECRET])
    first, second = read(PROVIDER, sender().check()), read(swapped, sender().check())
    assert first != second
    for way in (Way.GOOD, Way.ROTATED):
        assert read_one(swapped, sender().message("hello", way)).text == "hello"
