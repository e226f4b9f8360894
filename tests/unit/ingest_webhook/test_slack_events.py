"""What Slack's notifications become."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_webhook.provider import Ignored, Messages, Reading
from ingest_webhook.providers.slack_events import SlackEvents, readable
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.partners.signed_request import SignedRequest, Way
from tests.unit.ingest_webhook.edge import SLACK_SECRET, slack_sender
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import IdentityKind, MessageKind


def provider() -> SlackEvents:
    return SlackEvents.build({}, [SLACK_SECRET])


def reading_of(request: SignedRequest) -> Reading:
    return read(provider(), request)


def test_a_message_names_its_writer_its_thread_and_its_time() -> None:
    message = read_one(provider(), slack_sender().message("My order\nnever came", ts="1763899200.000100"))
    assert (message.kind, message.sender.kind) == (MessageKind.CREATED, IdentityKind.SLACK)
    assert message.sender.value == "T0WORKSPACE/U0CUSTOMER"
    assert message.provider_id == message.conversation == "C0SUPPORT/1763899200.000100"
    assert message.subject == "My order"
    assert message.sent_at == datetime(2025, 11, 23, 12, 0, 0, 100, tzinfo=UTC)


def test_an_answer_in_a_thread_joins_the_thread() -> None:
    sender = slack_sender()
    first = read_one(provider(), sender.message("help", ts="1763899200.000100"))
    answer = read_one(provider(), sender.message("more", thread_ts="1763899200.000100"))
    assert answer.conversation == first.conversation
    assert answer.provider_id != first.provider_id


def test_an_edit_is_a_revision_of_its_message() -> None:
    sender = slack_sender()
    ts = sender.new_ts()
    first = read_one(provider(), sender.message("helo", ts=ts, thread_ts="1763899200.000100"))
    edit = read_one(provider(), sender.edit(ts, "hello", thread_ts="1763899200.000100"))
    again = read_one(provider(), sender.edit(ts, "hello!"))
    assert (edit.kind, edit.text) == (MessageKind.EDITED, "hello")
    assert edit.provider_id == first.provider_id == again.provider_id
    assert edit.conversation == first.conversation
    assert len({first.revision, edit.revision, again.revision}) == 3


def test_a_deletion_names_the_message_that_is_gone() -> None:
    sender = slack_sender()
    ts = sender.new_ts()
    deletion = read_one(provider(), sender.delete(ts))
    assert (deletion.kind, deletion.provider_id) == (MessageKind.DELETED, f"C0SUPPORT/{ts}")


def test_a_deletion_that_does_not_say_whose_message_it_was_is_ignored() -> None:
    """As in the example of docs.slack.dev/reference/events/message/message_deleted."""
    deletion = {"type": "message", "subtype": "message_deleted", "hidden": True, "channel": "C123ABC456"}
    stamps = {"ts": "1358878755.000001", "deleted_ts": "1358878749.000002"}
    assert reading_of(slack_sender().event(deletion | stamps)) == Ignored(IgnoreReason.NO_SENDER)


def test_the_first_message_of_a_living_thread_leaves_a_tombstone() -> None:
    sender = slack_sender()
    ts = sender.new_ts()
    deletion = read_one(provider(), sender.edit(ts, "This message was deleted.", subtype="tombstone"))
    assert (deletion.kind, deletion.provider_id) == (MessageKind.DELETED, f"C0SUPPORT/{ts}")


def test_a_mention_and_its_message_are_one() -> None:
    sender = slack_sender()
    ts = sender.new_ts()
    messages = [read_one(provider(), sender.message("@help", ts=ts, type=kind)) for kind in ("message", "app_mention")]
    assert len({(message.provider_id, message.revision, message.kind) for message in messages}) == 1


def test_a_file_stays_at_slack_and_is_named() -> None:
    file: dict[str, Any] = {
        "name": "invoice.pdf",
        "size": 1234,
        "permalink": "https://acme.slack.com/files/U/F/invoice.pdf",
    }
    message = read_one(provider(), slack_sender().message("see file", subtype="file_share", files=[file]))
    [problem] = message.reading_problems
    assert "invoice.pdf, 1234 bytes" in problem
    assert file["permalink"] in problem


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"bot_id": "B0OURSELVES"}, IgnoreReason.BOT),
        ({"subtype": "bot_message"}, IgnoreReason.BOT),
        ({"subtype": "channel_join"}, IgnoreReason.UNKNOWN_TYPE),
        ({"subtype": ["unhashable"]}, IgnoreReason.UNKNOWN_TYPE),
        ({"type": "reaction_added"}, IgnoreReason.UNKNOWN_TYPE),
        ({"user": None}, IgnoreReason.NO_SENDER),
    ],
)
def test_what_no_customer_said_is_ignored(event: dict[str, Any], reason: IgnoreReason) -> None:
    assert reading_of(slack_sender().message("text", **event)) == Ignored(reason)


def test_an_unfurled_link_is_no_edit() -> None:
    sender = slack_sender()
    assert reading_of(sender.edit(sender.new_ts(), "a link", edited=None)) == Ignored(IgnoreReason.NOT_EDITED)


def test_an_edit_by_our_own_bot_is_ignored() -> None:
    sender = slack_sender()
    assert reading_of(sender.edit(sender.new_ts(), "reply", bot_id="B0OURSELVES")) == Ignored(IgnoreReason.BOT)


def test_the_rate_limit_notice_is_recorded() -> None:
    notice = {"type": "app_rate_limited", "team_id": "T0WORKSPACE", "minute_rate_limited": 1518467820}
    assert reading_of(slack_sender().notification(notice)) == Ignored(IgnoreReason.RATE_LIMITED)


def test_a_retry_is_read_like_the_first_delivery() -> None:
    sender = slack_sender()
    first = reading_of(sender.message("once"))
    assert isinstance(first, Messages)
    assert reading_of(sender.event({}, Way.REPEATED)) == first


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"ts": "yesterday"}, "ts"),
        ({"ts": "99999999999"}, "ts"),
        ({"ts": "1763899200.000100\n"}, "ts"),
        ({"channel": ""}, "channel"),
        ({"user": "U" * 65}, "user"),
        ({"files": 7}, "files"),
    ],
)
def test_a_wrong_field_is_named(event: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        reading_of(slack_sender().message("text", **event))
    assert raised.value.errors[0].field == f"body.{field}"


def test_an_envelope_without_an_event_is_named() -> None:
    with pytest.raises(Undecodable) as raised:
        reading_of(slack_sender().notification({"type": "event_callback", "team_id": "T1", "event": []}))
    assert raised.value.errors[0].field == "body.event"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("see <https://a.example/x|our page>", "see our page (https://a.example/x)"),
        ("see <https://a.example/x>", "see https://a.example/x"),
        ("<@U123> in <#C123|general> for <!here> and <!subteam^S1|@team>", "@U123 in #general for @here and @team"),
        ("<" * 200_000, "<" * 200_000),
        ("<a|" * 100_000, "<a|" * 100_000),
    ],
    ids=["escapes", "label", "link", "mentions", "open", "open-labels"],
)
def test_markup_becomes_what_the_writer_saw(markup: str, text: str) -> None:
    assert readable(markup) == text
