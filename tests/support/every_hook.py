"""One hook of every provider of mail, and who posts to it: rows beside those of `every_source`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.deployment_files import BRAND
from tests.support.every_source import ANSWERS, WORDS, Clock, Requests
from tests.support.partners.amazon_ses import TOPIC, AmazonSes
from tests.support.partners.mail_sender import write_mail
from tests.support.partners.mailgun import MailgunSender
from tests.support.partners.postmark import PostmarkSender
from tests.support.partners.sendgrid import SendGridSender
from tests.support.partners.signed_request import SignedRequest, Way

DOMAIN = "hooks.example"
CUSTOMER = "li@customer.example"
MESSAGE_BYTES = 100_000
"""What ingest-email is to be told as the largest mail, so that one above it is no heavy thing to send."""

# Just above `hook_body_bytes` of that, so that next to nothing is left unread when the answer is given.
_OVERSIZED = 1_199_000


class MailPartner(Protocol):
    """What every partner can do."""

    def mail(self, raw: bytes, sender: str, recipient: str, way: Way = Way.GOOD) -> SignedRequest: ...


@dataclass(frozen=True)
class SpokenHook:
    """One hook, whose name is its provider's. `more` is its entry in the mailboxes file besides name and provider."""

    provider: str
    partner: Callable[[Clock], MailPartner]
    more: Mapping[str, Any]
    suffix: str = ""
    """Of its address."""
    ask: Callable[[Clock], SignedRequest] | None = None
    lacks: frozenset[Way] = frozenset()
    """In which ways it cannot be wrong: what signs no time is never stale."""
    answers: Mapping[Way, int] = field(default_factory=lambda: {**ANSWERS, Way.UNKNOWN_TYPE: 422})
    oversized: int = _OVERSIZED
    repeats: bool = True

    def __str__(self) -> str:
        return self.provider

    def sends(self, way: Way) -> bool:
        return way not in self.lacks

    def sender(self, now: Clock) -> Requests:
        """Customers write to the hook's own mailbox, each mail another."""
        partner, numbers = self.partner(now), count(1)

        def speak(way: Way) -> SignedRequest:
            text = WORDS if way is not Way.OVERSIZED else "x" * self.oversized
            address = f"{self.provider}@{DOMAIN}"
            message_id = f"<{self.provider}-{next(numbers)}@customer.example>"
            return partner.mail(
                write_mail(CUSTOMER, address, "parcel", text, message_id=message_id), CUSTOMER, address, way
            )

        return speak

    @property
    def entry(self) -> dict[str, Any]:
        return {"name": self.provider, "provider": self.provider, **self.more}

    @property
    def mailbox(self) -> dict[str, Any]:
        return {"address": f"{self.provider}@{DOMAIN}", "brand": BRAND, "source": self.provider}


def _values(secrets: Sequence[str]) -> list[dict[str, str]]:
    return [{"value": secret} for secret in secrets]


_POLICY_KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]


def _sendgrid(now: Clock) -> SendGridSender:
    return SendGridSender(now, key=_POLICY_KEYS[0], next_key=_POLICY_KEYS[1])


EVERY_HOOK: tuple[SpokenHook, ...] = (
    SpokenHook(
        "mailgun",
        lambda now: MailgunSender("signing-key", "next-key", now),
        {"secrets": _values(["signing-key", "next-key"])},
        suffix="/mime",
    ),
    SpokenHook("sendgrid", _sendgrid, {"secrets": _values(_sendgrid(lambda: 0).public_keys())}),
    SpokenHook(
        "postmark",
        lambda _: PostmarkSender("postmark:secret", "postmark:next"),
        {"basic": _values(["postmark:secret", "postmark:next"])},
        lacks=frozenset({Way.STALE}),
    ),
    SpokenHook(
        "ses",
        AmazonSes,
        {"topics": [TOPIC]},
        ask=lambda now: AmazonSes(now).subscription(),
        lacks=frozenset({Way.ROTATED}),
        answers=ANSWERS,
        oversized=_OVERSIZED * 3 // 4,  # base64
    ),
)


def mailboxes_file() -> str:
    """The mailboxes file of all of them."""
    hooks, boxes = [hook.entry for hook in EVERY_HOOK], [hook.mailbox for hook in EVERY_HOOK]
    return yaml.safe_dump({"mailboxes": boxes, "hooks": hooks})
