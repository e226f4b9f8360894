"""GitHub's issues and their comments: https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues.

A module of its own and no mapping of `hmac`: the event stands in a header *and* in `action`, the message is in another
place for each event, its conversation is made of two fields, and bots and pull requests have to be told from customers.
The signature is the generic one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import Field

from ingest_webhook.domain.hmac_scheme import GITHUB, verify_hmac
from ingest_webhook.provider import Handshake, Ignored, Messages, Reading, WebhookRequest
from ingest_webhook.providers.decode_model import decode_model, decode_object
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.keyed_hmac import signing_keys
from ticket_intake.message_data import Person
from ticket_intake.options import SourceOptions

DOCUMENTATION = "docs/channels/github.md"

KINDS: Mapping[tuple[str, object], MessageKind] = {
    ("issues", "opened"): MessageKind.CREATED,
    ("issues", "edited"): MessageKind.EDITED,
    ("issues", "deleted"): MessageKind.DELETED,
    ("issue_comment", "created"): MessageKind.CREATED,
    ("issue_comment", "edited"): MessageKind.EDITED,
    ("issue_comment", "deleted"): MessageKind.DELETED,
}
SUBJECT_LENGTH = 300  # of a title, GitHub's limit is 256

GitHubId = Annotated[int, Meta(ge=1, lt=10**18)]
Instant = Annotated[datetime, Meta(tz=True)]


class User(msgspec.Struct, frozen=True):
    id: GitHubId
    login: Annotated[str, Meta(min_length=1, max_length=100)]
    type: str = "User"


class Written(msgspec.Struct, frozen=True):
    """What issues and comments have in common. `user` is null once the account is deleted."""

    id: GitHubId
    created_at: Instant
    updated_at: Instant
    user: User | None = None
    body: str | None = None


class Issue(Written, frozen=True, kw_only=True):
    number: GitHubId
    title: str = ""
    pull_request: dict[str, object] | None = None


class Repository(msgspec.Struct, frozen=True):
    id: GitHubId
    private: bool = True


class IssueEvent(msgspec.Struct, frozen=True):
    repository: Repository
    issue: Issue


class CommentEvent(IssueEvent, frozen=True):
    comment: Written


class GitHubOptions(SourceOptions):
    own_logins: frozenset[str] = Field(
        default=frozenset(), description="Accounts with which our side writes: what they say is no customer's message"
    )


class GitHubIssues:
    """Provider `github`. Secrets: the webhook's secret."""

    methods = ("POST",)
    challenge = None

    def __init__(self, options: GitHubOptions, secrets: Sequence[bytes]) -> None:
        self.time_trusted = options.time_trusted
        self._own_logins = {login.lower() for login in options.own_logins}
        self._keys = signing_keys(secrets, GITHUB.algorithm)

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "GitHubIssues":
        return cls(GitHubOptions.model_validate(options), [secret.encode() for secret in secrets])

    def verify(self, request: WebhookRequest) -> None:
        verify_hmac(
            request.body,
            signature=request.header(b"x-hub-signature-256"),
            timestamp=b"",
            scheme=GITHUB,
            keys=self._keys,
            now=request.received_at.timestamp(),
            tolerance_seconds=0,
        )

    def read(self, request: WebhookRequest) -> Reading:
        event = request.header(b"x-github-event").decode("latin-1")
        if event == "ping":  # once, when the webhook is made
            return Handshake("text/plain; charset=utf-8", b"pong")
        document = decode_object(request.body, DOCUMENTATION)
        action = document.get("action")
        kind = KINDS.get((event, action)) if isinstance(action, str) else None
        if kind is None:
            return Ignored(IgnoreReason.UNKNOWN_TYPE)
        if event == "issues":
            told = decode_model(IssueEvent, document, DOCUMENTATION)
            return self._written(kind, told, told.issue, f"issue/{told.issue.id}")
        comment = decode_model(CommentEvent, document, DOCUMENTATION)
        return self._written(kind, comment, comment.comment, f"comment/{comment.comment.id}")

    def _written(self, kind: MessageKind, event: IssueEvent, written: Written, provider_id: str) -> Reading:
        issue, writer = event.issue, written.user
        if issue.pull_request is not None:
            return Ignored(IgnoreReason.UNKNOWN_TYPE)
        if writer is None:
            return Ignored(IgnoreReason.NO_SENDER)
        if writer.login.lower() in self._own_logins:
            return Ignored(IgnoreReason.ECHO)
        if writer.type == "Bot":
            return Ignored(IgnoreReason.BOT)
        message = IncomingMessage(
            kind=kind,
            channel=Channel.WEB if event.repository.private else Channel.SOCIAL,
            # Not `X-GitHub-Delivery`: two webhooks tell of one comment in two deliveries.
            provider_id=provider_id,
            revision=written.updated_at.isoformat() if kind is MessageKind.EDITED else "",
            # By number and not by name: a repository can be renamed.
            conversation=f"{event.repository.id}/{issue.number}",
            sender=Person(kind=IdentityKind.GITHUB, value=str(writer.id), name=writer.login),
            subject=one_line(issue.title, SUBJECT_LENGTH),
            text=written.body or "",
            sent_at=_said_at(kind, written),
        )
        return Messages((message,))


def _said_at(kind: MessageKind, written: Written) -> datetime | None:
    """GitHub does not tell when something was deleted."""
    if kind is MessageKind.CREATED:
        return written.created_at
    return written.updated_at if kind is MessageKind.EDITED else None
