"""What GitHub's events become."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_webhook.provider import Handshake, Ignored
from ingest_webhook.providers.github_issues import GitHubIssues
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.partners.github import CUSTOMER, GitHubSender
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind

SECRET = "the-secret-of-the-webhook"
EDITED = "2026-11-23T11:30:00Z"


def provider(**options: object) -> GitHubIssues:
    return GitHubIssues.build(options, [SECRET])


def sender() -> GitHubSender:
    return GitHubSender(SECRET)


def test_an_issue_is_the_first_message_of_its_conversation() -> None:
    message = read_one(provider(), sender().issue("Crash at start", "Steps: …", id=99, number=7))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.SOCIAL)
    assert (message.provider_id, message.conversation) == ("issue/99", "1296269/7")
    assert (message.sender.kind, message.sender.value, message.sender.name) == (
        IdentityKind.GITHUB,
        "583231",
        "octocat",
    )
    assert (message.subject, message.text) == ("Crash at start", "Steps: …")
    assert message.sent_at == datetime(2026, 11, 23, 11, tzinfo=UTC)


def test_a_comment_joins_its_issue() -> None:
    repository = sender()
    issue = read_one(provider(), repository.issue("Crash", number=7))
    comment = read_one(provider(), repository.comment("Me too", id=99))
    assert comment.conversation == issue.conversation
    assert (comment.provider_id, comment.text) == ("comment/99", "Me too")


def test_an_edit_is_a_revision_and_a_deletion_names_what_is_gone() -> None:
    repository = sender()
    first = read_one(provider(), repository.comment("helo", id=99))
    edit = read_one(provider(), repository.comment("hello", action="edited", id=99, updated_at=EDITED))
    gone = read_one(provider(), repository.comment("hello", action="deleted", id=99))
    assert {first.provider_id, edit.provider_id, gone.provider_id} == {"comment/99"}
    assert (edit.kind, edit.revision, edit.text) == (MessageKind.EDITED, "2026-11-23T11:30:00+00:00", "hello")
    assert (gone.kind, gone.sent_at) == (MessageKind.DELETED, None)


def test_two_webhooks_that_tell_of_one_comment_tell_of_one_message() -> None:
    """One of the repository, one of its organisation: two deliveries, each with an id of its own."""
    repository = sender()
    told = [repository.comment("once", action="edited", id=99, updated_at=EDITED) for _ in range(2)]
    assert told[0].headers["x-github-delivery"] != told[1].headers["x-github-delivery"]
    messages = [read_one(provider(), request) for request in told]
    assert len({(message.provider_id, message.kind, message.revision) for message in messages}) == 1


def test_a_private_repository_is_no_public_place() -> None:
    repository = sender()
    repository.private = True
    assert read_one(provider(), repository.issue("Crash")).channel is Channel.WEB


def test_an_issue_without_words_has_an_empty_text() -> None:
    assert read_one(provider(), sender().issue("Crash", body=None)).text == ""


def test_the_ping_of_a_new_webhook_is_answered() -> None:
    assert isinstance(read(provider(), sender().event("ping", b'{"zen": "Keep it logically awesome."}')), Handshake)


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ({"action": "pinned"}, IgnoreReason.UNKNOWN_TYPE),
        ({"action": ["created"]}, IgnoreReason.UNKNOWN_TYPE),
        (
            {"issue": {"pull_request": {"url": "https://api.github.com/repos/acme/shop/pulls/7"}}},
            IgnoreReason.UNKNOWN_TYPE,
        ),
        ({"user": None}, IgnoreReason.NO_SENDER),
        ({"user": {**CUSTOMER, "type": "Bot"}}, IgnoreReason.BOT),
        ({"user": {**CUSTOMER, "login": "Acme-Support"}}, IgnoreReason.ECHO),
    ],
)
def test_what_no_customer_said_is_ignored(comment: dict[str, Any], reason: IgnoreReason) -> None:
    github = provider(own_logins=["acme-support"])
    assert read(github, sender().comment("text", **comment)) == Ignored(reason)


def test_other_events_are_ignored() -> None:
    assert read(provider(), sender().event("star", b'{"action": "created"}')) == Ignored(IgnoreReason.UNKNOWN_TYPE)


@pytest.mark.parametrize("wrong", [{"id": 0}, {"created_at": "yesterday"}, {"body": 7}])
def test_a_wrong_field_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), sender().comment("text", **wrong))
    assert raised.value.errors[0].field == f"body.comment.{next(iter(wrong))}"


def test_a_form_is_told_to_be_json() -> None:
    with pytest.raises(Undecodable, match="400") as raised:
        read(provider(), sender().event("issues", b"payload=%7B%7D"))
    assert "github.md" in raised.value.errors[0].fix
