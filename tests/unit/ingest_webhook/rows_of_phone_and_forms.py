"""Telephone systems and forms: one source each, and who sends to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from tests.support.partners.aircall import AircallSender
from tests.support.partners.dialpad import DialpadSender
from tests.support.partners.github import GitHubSender
from tests.support.partners.hmac_system import OPTIONS, HmacSystem
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.twilio import TwilioSender
from tests.support.partners.web_form import WebFormSender
from tests.unit.ingest_webhook.edge import now_seconds

Requests = Callable[[Way], SignedRequest]

TWILIO_TOKEN = "1f2e3d4c5b6a79808897a6b5c4d3e2f1"
AIRCALL_TOKEN = "45f0c1d2a08b4f0b9f1a2c3d4e5f6071"
DIALPAD_SECRET = "the-secret-of-the-webhook"
DESK_SECRET = "the-secret-of-the-desk"
GITHUB_SECRET = "the-secret-of-the-webhook-at-github"
FORM_SECRET = "a-random-text-that-signs-tokens-of-the-form"
PUBLIC = "https://support.example.com/webhooks"


@dataclass(frozen=True, slots=True)
class Row:
    """One provider. `sender` makes a new partner; `answer` is the body of each 200."""

    source: str
    provider: str
    secrets: tuple[str, str]
    options: str
    sender: Callable[[], Requests]
    answer: bytes = b""
    without: frozenset[Way] = frozenset()

    @property
    def entry(self) -> str:
        """The source as the sources file has it."""
        now, following = self.secrets
        return (
            f"  - name: {self.source}\n    provider: {self.provider}\n    brand: acme\n    account: {self.source}\n"
            f"    secrets: [value: '{now}', value: '{following}']\n    options: {self.options}\n"
        )


def _sms() -> Requests:
    sender = TwilioSender(TWILIO_TOKEN, f"{PUBLIC}/sms")
    return lambda way: sender.sms("Where is my parcel?", way)


def _voice() -> Requests:
    return TwilioSender(TWILIO_TOKEN, f"{PUBLIC}/voice").call


def aircall_sender() -> AircallSender:
    return AircallSender(AIRCALL_TOKEN, now_seconds)


def dialpad_sender() -> DialpadSender:
    return DialpadSender(DIALPAD_SECRET, now_seconds)


def desk_sender() -> HmacSystem:
    return HmacSystem(DESK_SECRET, now_seconds)


def github_sender() -> GitHubSender:
    return GitHubSender(GITHUB_SECRET)


def _desk() -> Requests:
    sender = desk_sender()
    return lambda way: sender.note("Where is my parcel?", way)


def _github() -> Requests:
    sender = github_sender()
    return lambda way: sender.comment("Where is my parcel?", way)


def form_sender() -> WebFormSender:
    return WebFormSender(FORM_SECRET, now_seconds)


def _form() -> Requests:
    sender = form_sender()
    return lambda way: sender.submit("Where is my parcel?", way)


TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
# Their schemes sign no time.
TIMELESS = frozenset({Way.STALE})

ROWS = [
    Row(
        source="sms",
        provider="twilio-sms",
        secrets=(TWILIO_TOKEN, TwilioSender.next_token),
        options=f"{{public_url: '{PUBLIC}/sms'}}",
        sender=_sms,
        answer=TWIML,
        without=TIMELESS,
    ),
    Row(
        source="voice",
        provider="twilio-voice",
        secrets=(TWILIO_TOKEN, TwilioSender.next_token),
        options=f"{{public_url: '{PUBLIC}/voice'}}",
        sender=_voice,
        answer=TWIML,
        without=TIMELESS,
    ),
    Row(
        source="aircall",
        provider="aircall",
        secrets=(AIRCALL_TOKEN, AircallSender.next_token),
        options="{language: zh}",
        sender=lambda: aircall_sender().call,
        without=TIMELESS,
    ),
    Row(
        source="dialpad",
        provider="dialpad",
        secrets=(DIALPAD_SECRET, DialpadSender.next_secret),
        options="{region: CN}",
        sender=lambda: dialpad_sender().call,
        without=TIMELESS,
    ),
    Row(
        source="desk",
        provider="hmac",
        secrets=(DESK_SECRET, HmacSystem.next_secret),
        options=json.dumps(yaml.safe_load(OPTIONS)),
        sender=_desk,
    ),
    Row(
        source="github",
        provider="github",
        secrets=(GITHUB_SECRET, GitHubSender.next_secret),
        options="{}",
        sender=_github,
        without=TIMELESS,
    ),
    Row(
        source="form",
        provider="web-form",
        secrets=(FORM_SECRET, WebFormSender.next_secret),
        options="{form: contact, origins: ['https://www.example.com']}",
        sender=_form,
        answer=b'{"received":true}',
    ),
]

SOURCES = "sources:\n" + "".join(row.entry for row in ROWS)
SOURCE_ALONE = {row.source: f"sources:\n{row.entry}" for row in ROWS}
"""For property tests, which read the file a thousand times."""
