"""The `hooks` part of the mailboxes file: who may send mail here over HTTP, and how it proves that it may.

hooks:
  - name: mailgun                    # the address is /mail/mailgun (Mailgun's must end in /mime: /mail/mailgun/mime)
    provider: mailgun                # mailgun, sendgrid, postmark or ses
    secrets: [env:MAILGUN_SIGNING_KEY]      # mailgun: signing keys; sendgrid: public keys of security policies;
                                            # all are active: add the new one before the old one goes
    basic: [file:/run/secrets/hook]         # user:password in the address that the provider is given
    path_secrets: [env:HOOK_PATH]           # or a secret at its end: /mail/NAME/SECRET
    topics: [arn:aws:sns:eu-west-1:111122223333:mail]       # ses: topics of ours
    buckets: {our-mail: "s3://our-mail"}                    # ses: where receipt rules put mail

`postmark` signs nothing, and `sendgrid` nothing without a security policy: they need `basic` or `path_secrets`.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingest_email.hooks.mailgun import Mailgun, UsedTokens
from ingest_email.hooks.postmark import Postmark
from ingest_email.hooks.provider import HookProvider
from ingest_email.hooks.sendgrid import SendGrid
from ingest_email.hooks.ses import AmazonSes, bucket_reader
from ingest_email.hooks.sns import Fetch, SnsTopics
from ingest_email.secret_references import SecretReference

SHORTEST_PATH_SECRET = 20  # characters; it is all that stands between a stranger and the mailbox


class HookEntry(BaseModel):
    """One hook."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    provider: Literal["mailgun", "sendgrid", "postmark", "ses"]
    secrets: list[SecretReference] = Field(default_factory=list)
    basic: list[SecretReference] = Field(default_factory=list)
    path_secrets: list[SecretReference] = Field(default_factory=list)
    topics: list[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+$")]] = Field(
        default_factory=list
    )
    buckets: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_checked(self) -> "HookEntry":
        if self.provider == "mailgun" and not self.secrets:
            raise ValueError("mailgun needs its signing key under secrets")
        if self.provider == "ses" and not self.topics:
            raise ValueError("ses needs its topics")
        if self.provider in ("postmark", "ses") and self.secrets:
            raise ValueError(f"{self.provider} has no secrets; use basic or path_secrets")
        if self.provider != "ses" and (self.topics or self.buckets):
            raise ValueError("topics and buckets are of ses")
        if not (self.secrets or self.topics or self.basic or self.path_secrets):
            raise ValueError(f"{self.provider} signs nothing here: set basic or path_secrets")
        return self

    def provider_of(self, secrets: Sequence[str], fetch: Fetch, most_bytes: int, used: UsedTokens) -> HookProvider:
        """Return the provider, ready to use.

        :param secrets: those that `secrets` refers to.
        :param used: what this hook remembers of tokens.
        :raises ValueError: a secret (KeyMalformed) or a bucket's URL is malformed.
        """
        match self.provider:
            case "mailgun":
                return Mailgun(secrets, used)
            case "sendgrid":
                return SendGrid(secrets)
            case "postmark":
                return Postmark()
            case "ses":
                buckets = {name: bucket_reader(url, most_bytes) for name, url in self.buckets.items()}
                return AmazonSes(SnsTopics(self.topics, fetch), buckets)
