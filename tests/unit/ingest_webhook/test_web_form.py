"""A form on a web page: its tokens, where it may stand, and what a filled one becomes."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest_webhook.domain.form_tokens import form_token, nonce_of, verify_form_token
from ingest_webhook.provider import Ignored
from ingest_webhook.providers.web_form import WebForm
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import FORM_SECRET
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.support.partners.web_form import BOUNDARY, WebFormSender, multipart
from tests.unit.ingest_webhook.all_providers import sources_of
from tests.unit.ingest_webhook.edge import Edge, client_of, now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind
from ticket_intake.signatures import SecretMalformed, SignatureInvalid, SignatureStale

SECRET = b"a-random-text-that-signs-tokens"
ORIGIN = "https://www.example.com"


def provider(**options: object) -> WebForm:
    return WebForm.build({"form": "contact", "origins": [ORIGIN], **options}, [SECRET.decode()])


def sender() -> WebFormSender:
    return WebFormSender(SECRET.decode(), now_seconds)


def check(token: str, form: str = "contact", secret: bytes = SECRET, now: float = 1_700_000_000) -> None:
    verify_form_token(token, form=form, secrets=[b"another", secret], now=now, valid_seconds=300)


def test_a_token_is_valid_for_its_form_and_its_time() -> None:
    token = form_token(SECRET, "contact", 1_700_000_000, "abc")
    check(token, now=1_700_000_300)
    assert nonce_of(token) == "abc"
    with pytest.raises(SignatureStale):
        check(token, now=1_700_000_301)


@pytest.mark.parametrize(
    "changed",
    [
        {"form": "complaint"},
        {"secret": b"a-secret-that-is-not-ours"},
        {"token": ""},
        {"token": "..."},
        {"token": form_token(SECRET, "contact", 1_700_000_000, "")},
        {"token": form_token(SECRET, "contact", 1_700_000_000, "abc").replace("abc", "abd")},
        {"token": form_token(SECRET, "contact", 1_700_000_000, "abc").replace("17", "18")},
        {"token": form_token(SECRET, "contact", 1_700_000_000, "abc") + "签"},
    ],
)
def test_any_other_token_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(SignatureInvalid):
        check(**{"token": form_token(SECRET, "contact", 1_700_000_000, "abc"), **changed})


async def test_a_browser_asks_for_a_token_and_sends_the_form_with_it(tmp_path: Path) -> None:
    edge = Edge()
    browser = WebFormSender("unused: the token comes from the server", now_seconds)
    async with client_of(edge.app(tmp_path, sources=sources_of("web-form"))) as client:
        given = await deliver(client, "/webhooks/web-form", browser.ask_for_token())
        again = await deliver(client, "/webhooks/web-form", browser.ask_for_token())
        form = browser.submit("The screen is broken", files=[("photo.png", "image/png", b"\x89PNG")])
        sent = await deliver(
            client, "/webhooks/web-form", SignedRequest(form.headers, form.body, f"token={given.json()['token']}")
        )
    assert given.json()["token"] != again.json()["token"]
    assert given.json()["valid_seconds"] == 300
    assert given.headers["cache-control"] == "no-store"
    assert edge.counted("web-form", "handshake") == 2
    for answer in (given, sent):
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
        assert answer.headers["vary"] == "Origin"
    [message] = edge.messages
    assert message.attachments[0].name == "photo.png"
    assert list(edge.stored.values()) == [b"\x89PNG"]
    assert not message.may_auto_answer


async def test_a_page_can_read_which_field_is_wrong(tmp_path: Path) -> None:
    async with client_of(Edge().app(tmp_path, sources=sources_of("web-form"))) as client:
        answer = await deliver(
            client, "/webhooks/web-form", WebFormSender(FORM_SECRET, now_seconds).submit("", email="")
        )
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (400, ORIGIN)
    assert [error["field"] for error in answer.json()["errors"]] == ["body.email", "body.message"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://www.example.com.evil.example", ORIGIN.upper()]
)
def test_a_page_of_somebody_else_gets_nothing(method: str, origin: str) -> None:
    browser = sender()
    browser.origin = origin
    request = browser.ask_for_token() if method == "GET" else browser.submit("hi")
    with pytest.raises(SignatureInvalid):
        read(provider(), request)


def test_a_form_is_never_sent_without_an_origin() -> None:
    form = sender().submit("hi")
    with pytest.raises(SignatureInvalid):
        read(provider(), SignedRequest({"content-type": form.headers["content-type"]}, form.body, form.query))


def test_a_filled_form_is_a_conversation_of_its_own() -> None:
    message = read_one(provider(), sender().submit("The screen\r\nis broken", subject="Order 17"))
    assert (message.channel, message.subject, message.text) == (Channel.WEB, "Order 17", "The screen\nis broken")
    assert (message.sender.kind, message.sender.value) == (IdentityKind.EMAIL, "li.wei@example.com")
    assert message.sender.name == "Li Wei"
    assert message.provider_id == message.conversation == f"{1:032x}"
    assert not message.may_auto_answer


def test_whatever_is_sent_with_the_same_token_is_a_repeat() -> None:
    first = sender().submit("one")
    other = SignedRequest(first.headers, multipart({"email": "a@b.example", "message": "two"}, ()), first.query)
    assert read_one(provider(), first).provider_id == read_one(provider(), other).provider_id


def test_a_form_without_files_may_be_urlencoded() -> None:
    message = read_one(
        provider(region="CN"), sender().urlencoded(phone="138 0013 8000", message="屏幕碎了", order="17")
    )
    assert (message.sender.kind, message.sender.value) == (IdentityKind.PHONE, "+8613800138000")
    assert message.text == message.subject == "屏幕碎了"


def test_further_fields_stand_above_the_message() -> None:
    form = sender().submit("It is broken", order=" 17 ", colour="")
    message = read_one(provider(more_fields={"order": "Order", "colour": "Colour"}), form)
    assert message.text == "Order: 17\n\nIt is broken"


def test_the_name_of_a_file_is_no_path_and_its_type_is_a_type() -> None:
    files = [
        ("..\\..\\evil/../photo.png", "image/png", b"1"),
        ("a.html", "text/html; charset=utf-8", b"2"),
        ("b", "not a type", b"3"),
        ("", "application/octet-stream", b""),
    ]
    message = read_one(provider(), sender().submit("see files", files=files))
    assert [(file.name, file.media_type) for file in message.files] == [
        ("photo.png", "image/png"),
        ("a.html", "text/html"),
        ("b", "application/octet-stream"),
    ]


def test_whoever_fills_the_field_that_no_person_sees_believes_to_be_heard() -> None:
    reading = read(provider(honeypot="fax"), sender().submit("Cheap pills", fax="1"))
    assert isinstance(reading, Ignored)
    assert reading.reason is IgnoreReason.BOT
    assert reading.answer is not None
    assert json.loads(reading.answer.body) == {"received": True}


@pytest.mark.parametrize(
    ("fields", "files", "field"),
    [
        ({"message": "  "}, 0, "message"),
        ({"email": "li.wei"}, 0, "email"),
        ({"email": "a" * 200 + "@b.example"}, 0, "email"),
        ({"email": ""}, 0, "email"),
        ({"email": "", "phone": "138"}, 0, "phone"),
        ({}, 3, "files"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], files: int, field: str) -> None:
    attached = [("a.txt", "text/plain", b"a")] * files
    form = sender().submit(**{"message": "hi", "files": attached, **fields})
    with pytest.raises(Undecodable) as raised:
        read(provider(max_files=2), form)
    assert [error.field for error in raised.value.errors] == [f"body.{field}"]


def test_a_file_that_is_too_large_is_named() -> None:
    form = sender().submit("hi", files=[("big.bin", "application/zip", b"x" * 11)])
    with pytest.raises(Undecodable, match="400") as raised:
        read(provider(max_file_bytes=10), form)
    assert "big.bin" in raised.value.errors[0].message


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("", b""),
        ("multipart/form-data", b""),
        (f"multipart/form-data; boundary={BOUNDARY}", b""),
        (f"multipart/form-data; boundary={BOUNDARY}", multipart({"message": "hi"}, ())[:-10]),
        (f"multipart/form-data; boundary={BOUNDARY}", multipart({f"f{number}": "" for number in range(101)}, ())),
        (f"multipart/form-data; boundary={'x' * 300}", b""),
        ("application/x-www-form-urlencoded", b"&" * 1000),
    ],
)
def test_what_is_no_form_is_unreadable(content_type: str, body: bytes) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), sender().send(content_type, body))
    assert raised.value.errors[0].field == "body"


@pytest.mark.parametrize("origin", ["https://www.example.com/", "www.example.com", "*", "https://WWW.example.com", ""])
def test_an_origin_has_no_path(origin: str) -> None:
    with pytest.raises(ValidationError, match="no origin"):
        provider(origins=[origin])


def test_a_short_secret_could_be_guessed_offline() -> None:
    with pytest.raises(SecretMalformed, match="openssl"):
        WebForm.build({"form": "contact", "origins": [ORIGIN]}, ["short"])


def test_a_stale_token_is_told_as_such() -> None:
    with pytest.raises(SignatureStale):
        read(provider(), sender().submit("hi", Way.STALE))
