"""Mail over HTTP from each provider: what is taken, what is refused, and what makes a provider come again."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import httpx
import pytest
from prometheus_client import CollectorRegistry

from ingest_email.delivery import Mailbox
from ingest_email.hooks import mailgun as mailgun_hook
from ingest_email.hooks.mailgun import Mailgun, UsedTokens
from ingest_email.hooks.postmark import Postmark
from ingest_email.hooks.receive_hook import Hook, MailHooks
from ingest_email.hooks.sendgrid import SendGrid, public_key
from ingest_email.hooks.sendgrid import is_signed as is_signed_by_sendgrid
from ingest_email.hooks.ses import AmazonSes as SesHook
from ingest_email.hooks.ses import bucket_reader
from ingest_email.hooks.sns import SnsTopics
from ingest_email.mailboxes import Mailboxes
from ingest_email.metrics import MailMetrics
from tests.support.partners.amazon_ses import SUBSCRIBE_URL, TOPIC, AmazonSes
from tests.support.partners.mailgun import MailgunSender
from tests.support.partners.postmark import PostmarkSender
from tests.support.partners.sendgrid import SendGridSender
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from ticket_stream.edge_publisher import KafkaAway

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SUPPORT = "support@acme.example"
MESSAGE_BYTES = 100_000
RAW = "From: 李雷 <li@customer.example>\r\nSubject: 水泵\r\n\r\nIt leaks.\r\n".encode()


class Sender(Protocol):
    """What every partner can do."""

    def mail(self, raw: bytes, sender: str, recipient: str, way: Way = Way.GOOD) -> SignedRequest: ...


@dataclass
class Taken:
    """In the place of `AcceptMail`: what was handed over."""

    mails: list[tuple[bytes, str, list[str], list[str]]] = field(default_factory=list)
    trouble: Exception | None = None

    async def __call__(
        self, raw: bytes, envelope_sender: str, mailboxes: Sequence[Mailbox], recipients: Sequence[str] = ()
    ) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.mails.append((raw, envelope_sender, [box.address for box in mailboxes], list(recipients)))


@dataclass
class Edge:
    """The app with one hook of each kind, and who sends to it."""

    taken: Taken
    client: httpx.AsyncClient
    senders: dict[str, Sender]
    ses: AmazonSes

    async def send(self, provider: str, way: Way = Way.GOOD, raw: bytes = RAW, to: str = SUPPORT) -> int:
        request = self.senders[provider].mail(raw, "li@customer.example", to, way)
        return await self.post(provider, request)

    async def post(self, name: str, request: SignedRequest) -> int:
        return (await deliver(self.client, f"http://edge/mail/{name}", request)).status_code


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    ses = AmazonSes(NOW.timestamp)
    sendgrid = SendGridSender(NOW.timestamp)
    hooks = {
        "mailgun": Hook(Mailgun(["signing-key", "next-key"], UsedTokens())),
        "sendgrid": Hook(SendGrid(sendgrid.public_keys())),
        "postmark": Hook(Postmark(), basic=["postmark:secret", "postmark:next"]),
        "ses": Hook(SesHook(SnsTopics([TOPIC], ses.fetch), {"our-mail": bucket_reader(tmp_path.as_uri(), 50_000)})),
        "plain-sendgrid": Hook(SendGrid([]), path_secrets=["a-path-that-nobody-guesses"]),
    }
    senders: dict[str, Sender] = {
        "mailgun": MailgunSender("signing-key", "next-key", NOW.timestamp),
        "sendgrid": sendgrid,
        "postmark": PostmarkSender("postmark:secret", "postmark:next"),
        "ses": ses,
    }
    taken = Taken()
    boxes = Mailboxes([Mailbox(SUPPORT, "acme", SUPPORT, "mail")])
    app = MailHooks(hooks.get, boxes.find, MESSAGE_BYTES, MailMetrics(CollectorRegistry()), lambda: NOW)
    app.open(taken)
    return Edge(taken, httpx.AsyncClient(transport=httpx.ASGITransport(app), trust_env=False), senders, ses)


PROVIDERS = ("mailgun", "sendgrid", "postmark", "ses")
SIGNING = ("mailgun", "sendgrid", "ses")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_mail_is_taken_as_its_sender_wrote_it_and_again_when_it_is_repeated(edge: Edge, provider: str) -> None:
    assert await edge.send(provider) == 200
    assert await edge.send(provider, Way.REPEATED) == 200
    raw, sender, boxes, recipients = edge.taken.mails[0]
    assert raw.removeprefix(b"Return-Path: <li@customer.example>\r\n") == RAW
    assert (sender, boxes, recipients) == ("li@customer.example", [SUPPORT], [SUPPORT])
    assert edge.taken.mails[1] == edge.taken.mails[0]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_forged_request_is_refused_and_its_provider_would_come_again(edge: Edge, provider: str) -> None:
    assert await edge.send(provider, Way.FORGED) == 401
    assert edge.taken.mails == []


@pytest.mark.parametrize("provider", SIGNING)
async def test_a_request_of_long_ago_is_refused(edge: Edge, provider: str) -> None:
    assert await edge.send(provider, Way.STALE) == 401
    assert edge.taken.mails == []


@pytest.mark.parametrize("provider", ["mailgun", "sendgrid", "postmark"])
async def test_a_second_secret_is_as_good_as_the_first(edge: Edge, provider: str) -> None:
    assert await edge.send(provider, Way.ROTATED) == 200


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_is_no_mail_of_the_provider_s_is_malformed(edge: Edge, provider: str) -> None:
    assert await edge.send(provider, Way.MALFORMED) == 400
    request = SignedRequest({"content-type": "application/json", "authorization": _BASIC}, b"[" * 100_000)
    assert await edge.post(provider, request) in (400, 401)
    assert edge.taken.mails == []


_BASIC = "Basic " + base64.b64encode(b"postmark:secret").decode()


@pytest.mark.parametrize(("provider", "status"), [("mailgun", 422), ("sendgrid", 422), ("postmark", 422), ("ses", 200)])
async def test_a_provider_that_is_not_set_up_right_says_so_and_keeps_the_mail(
    edge: Edge, provider: str, status: int
) -> None:
    assert await edge.send(provider, Way.UNKNOWN_TYPE) == status  # SES's own notices about a topic are no mail
    assert edge.taken.mails == []


@pytest.mark.parametrize(("provider", "status"), [("mailgun", 406), ("sendgrid", 406), ("postmark", 403), ("ses", 403)])
async def test_a_mail_that_will_never_be_taken_is_refused_so_that_nobody_tries_again(
    edge: Edge, provider: str, status: int
) -> None:
    assert await edge.send(provider, to="nobody@acme.example") == status
    assert await edge.send(provider, raw=RAW + b"x" * MESSAGE_BYTES) == status
    assert edge.taken.mails == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_while_kafka_is_away_the_provider_is_told_to_come_again(edge: Edge, provider: str) -> None:
    edge.taken.trouble = KafkaAway("no leader")
    assert await edge.send(provider) == 503
    edge.taken.trouble = None
    assert await edge.send(provider, Way.REPEATED) == 200


async def test_a_request_larger_than_any_mail_is_cut_off(edge: Edge) -> None:
    assert await edge.send("mailgun", raw=b"x" * 2_000_000) == 413


async def test_mailgun_s_token_brings_one_mail_only(edge: Edge) -> None:
    sender = MailgunSender("signing-key", "next-key", NOW.timestamp, as_form=False, keeps_token=True)
    edge.senders["mailgun"] = sender
    sender._token = "listened-to"
    assert await edge.send("mailgun") == 200
    assert await edge.send("mailgun", Way.REPEATED) == 200
    assert await edge.send("mailgun", raw=b"Subject: another mail under the same token\r\n\r\n") == 401


async def test_addresses_are_exact_and_mailgun_s_ends_in_mime(edge: Edge) -> None:
    request = edge.senders["mailgun"].mail(RAW, "a@b.example", SUPPORT)
    assert await edge.post("mailgun/mime", request) == 200
    assert await edge.post("mailgun/other", request) == 404
    assert await edge.post("nobody", request) == 404
    assert (await edge.client.get("http://edge/mail/mailgun")).status_code == 405


async def test_a_secret_in_the_address_stands_for_a_signature(edge: Edge) -> None:
    request = SendGridSender(NOW.timestamp, signs=False).mail(RAW, "li@customer.example", SUPPORT)
    assert await edge.post("plain-sendgrid", request) == 404
    assert await edge.post("plain-sendgrid/a-path-that-somebody-guesses", request) == 404
    assert await edge.post("plain-sendgrid/a-path-that-nobody-guesses", request) == 200


@pytest.mark.parametrize("version", ["1", "2"])
async def test_both_signatures_of_sns_are_checked_and_the_certificate_is_fetched_once(edge: Edge, version: str) -> None:
    edge.ses.signature_version = version
    assert [await edge.send("ses") for _ in range(3)] == [200] * 3
    assert len(edge.ses.fetched) == 1


async def test_a_signature_of_a_version_that_does_not_exist_is_refused(edge: Edge) -> None:
    edge.ses.signature_version = "3"
    assert await edge.send("ses") == 401


async def test_a_subscription_is_confirmed_for_our_topics_only(edge: Edge) -> None:
    assert await edge.post("ses", edge.ses.subscription()) == 200
    assert edge.ses.fetched[-1] == SUBSCRIBE_URL
    edge.ses.fetched.clear()
    edge.ses.topic = "arn:aws:sns:eu-west-1:999999999999:mail"
    assert await edge.post("ses", edge.ses.subscription()) == 401
    assert edge.ses.fetched == []


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8080/a.pem",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/a.pem",
        "https://s3.amazonaws.com/bucket/a.pem",
        "https://169.254.169.254/a.pem",
        "https://[::1/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.txt",
        "",
    ],
)
async def test_nothing_is_fetched_from_an_address_that_is_not_aws_s(edge: Edge, url: str) -> None:
    edge.ses.certificate_url = url
    assert await edge.send("ses") in (400, 401)
    edge.ses.certificate_url, edge.ses.subscribe_url = AmazonSes(NOW.timestamp).certificate_url, url
    before = list(edge.ses.fetched)
    status = await edge.post("ses", edge.ses.subscription())
    if not url.endswith("a.txt"):  # that is one of AWS's own
        assert status in (400, 401)
        assert edge.ses.fetched in (before, [*before, edge.ses.certificate_url])
    assert edge.taken.mails == []


async def test_while_aws_does_not_answer_the_mail_stays_there(edge: Edge) -> None:
    edge.ses.is_away = True
    assert await edge.send("ses") == 503
    edge.ses.is_away = False
    assert await edge.send("ses", Way.REPEATED) == 200


async def test_a_large_mail_is_read_from_the_bucket_that_the_hook_names(edge: Edge, tmp_path: Path) -> None:
    edge.ses.bucket = "our-mail"
    request = edge.ses.mail(RAW, "li@customer.example", SUPPORT)
    assert await edge.post("ses", request) == 503  # not there yet
    for key, content in edge.ses.objects.items():
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(content)
    assert await edge.post("ses", request) == 200
    assert edge.taken.mails[0][0] == RAW
    edge.ses.bucket = "somebody-s"
    assert await edge.send("ses") == 422


def test_mailgun_s_own_example_is_signed() -> None:
    """From Rails' Action Mailbox, which took it from a real delivery."""
    key = b"tbsy84uSV1Kt3ZJZELY2TmShPRs91E3yL4tzf96297vBCkDWgL"
    token = "7VwW7k6Ak7zcTwoSoNm7aTtbk1g67MKAnsYLfUB7PdszbgR5Xi"
    signature = "ef24c5225322217bb065b80bb54eb4f9206d764e3e16abab07f0a64d1cf477cc"
    assert mailgun_hook.is_signed([b"another", key], "1539112500", token, signature)
    assert not mailgun_hook.is_signed([key], "1539112501", token, signature)


def test_sendgrid_s_own_example_is_signed() -> None:
    """From SendGrid's Python library, test_eventwebhook.py; the trailing line end is part of what is signed."""
    public = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpigl"
        "SI8eNEc6wEA3F+g=="
    )
    signature = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
    event = {
        "email": "hello@world.com",
        "event": "dropped",
        "reason": "Bounced Address",
        "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
        "timestamp": 1600112492,
    }
    body = json.dumps([event], sort_keys=True, separators=(",", ":")).encode() + b"\r\n"
    assert is_signed_by_sendgrid([public_key(public)], "1600112502", body, signature)
    assert not is_signed_by_sendgrid([public_key(public)], "1600112502", body.rstrip(), signature)
