"""The generic HMAC sender: every scheme it can be told, and what its map makes of a document."""

import base64
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from ingest_webhook.domain.hmac_scheme import GITHUB, HmacScheme, known_template, verify_hmac
from ingest_webhook.domain.json_pointer import parse_pointer, resolve_pointer
from ingest_webhook.provider import Ignored
from ingest_webhook.providers.hmac_sender import HmacSender
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.partners.hmac_system import OPTIONS, HmacSystem
from tests.unit.ingest_webhook.edge import now_seconds
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.keyed_hmac import signing_keys
from ticket_intake.signatures import SignatureInvalid, SignatureStale

SECRET = "the-secret-of-the-desk"
# docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the webhook payload validation"
GITHUB_SECRET, GITHUB_BODY = b"It's a Secret to Everybody", b"Hello, World!"
GITHUB_SIGNATURE = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def options(**changed: object) -> dict[str, Any]:
    return {**yaml.safe_load(OPTIONS), **changed}


def provider(**changed: object) -> HmacSender:
    return HmacSender.build(options(**changed), [SECRET])


def sender() -> HmacSystem:
    return HmacSystem(SECRET, now_seconds)


def check(
    scheme: HmacScheme = GITHUB, body: bytes = GITHUB_BODY, signature: bytes = GITHUB_SIGNATURE, **other: Any
) -> None:
    known: dict[str, Any] = {
        "timestamp": b"",
        "keys": signing_keys([b"another", GITHUB_SECRET], scheme.algorithm),
        "now": 0,
        "tolerance_seconds": 300,
    }
    verify_hmac(body, signature=signature, scheme=scheme, **known | other)


def test_the_vector_that_github_publishes_is_accepted() -> None:
    check()
    check(signature=GITHUB_SIGNATURE.upper())


@pytest.mark.parametrize(
    "changed",
    [
        {"body": GITHUB_BODY + b"!"},
        {"signature": GITHUB_SIGNATURE[:-1]},
        {"signature": GITHUB_SIGNATURE.removeprefix(b"sha256=")},
        {"signature": b""},
        {"signature": "签名".encode()},
        {"keys": signing_keys([b"another"])},
        {"scheme": GITHUB._replace(algorithm="sha1")},
        {"scheme": GITHUB._replace(encoding="base64")},
    ],
)
def test_anything_changed_after_signing_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(SignatureInvalid):
        check(**changed)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("template", ["{body}", "{timestamp}.{body}", "v0:{timestamp}:{body}", "{body}{timestamp}"])
def test_each_scheme_signs_what_its_template_says(algorithm: Any, template: str) -> None:
    body = b"a {timestamp} in the body stays what it is"
    literal = template.replace("{timestamp}", "1700000000").encode().partition(b"{body}")
    digest = hmac.digest(GITHUB_SECRET, literal[0] + body + literal[2], algorithm)
    times: dict[str, Any] = {"timestamp": b"1700000000", "now": 1_700_000_000}
    check(HmacScheme(algorithm, "", "hex", template), body, digest.hex().encode(), **times)
    check(HmacScheme(algorithm, "s=", "base64", template), body, b"s=" + base64.b64encode(digest), **times)


@pytest.mark.parametrize("age", [301, -301])
def test_a_signed_time_far_from_ours_is_stale(age: int) -> None:
    scheme = HmacScheme("sha256", "", "hex", "{timestamp}{body}")
    signature = hmac.digest(GITHUB_SECRET, b"1700000000", "sha256").hex().encode()
    check(scheme, b"", signature, timestamp=b"1700000000", now=1_700_000_300)
    with pytest.raises(SignatureStale):
        check(scheme, b"", signature, timestamp=b"1700000000", now=1_700_000_000 + age)


@pytest.mark.parametrize("template", ["", "{timestamp}", "{body}{body}", "{body}{nonce}"])
def test_a_template_that_signs_too_little_is_no_template(template: str) -> None:
    with pytest.raises(ValueError, match="once"):
        known_template(template)


def test_pointers_of_the_standard_find_what_it_says() -> None:
    """RFC 6901 §5, its example."""
    document = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8}
    found = {text: resolve_pointer(document, parse_pointer(text)) for text in ("/foo/0", "/", "/a~1b", "/m~0n")}
    assert found == {"/foo/0": "bar", "/": 0, "/a~1b": 1, "/m~0n": 8}
    assert resolve_pointer(document, parse_pointer("")) is document
    for absent in ("/foo/2", "/foo/01", "/foo/-", "/foo/bar", "/x/y"):
        assert resolve_pointer(document, parse_pointer(absent)) is None


@pytest.mark.parametrize("text", ["foo", "#/foo", "/a~", "/a~2"])
def test_a_pointer_that_is_none_says_how_one_looks(text: str) -> None:
    with pytest.raises(ValueError, match="/ticket/id"):
        parse_pointer(text)


def test_a_document_becomes_what_the_map_says() -> None:
    message = read_one(provider(channel="chat"), sender().note("Still broken", id=7))
    assert (message.kind, message.channel) == (MessageKind.CREATED, Channel.CHAT)
    assert (message.provider_id, message.conversation, message.revision) == ("7", "4711", "")
    assert (message.sender.kind, message.sender.value) == (IdentityKind.EMAIL, "li.wei@example.com")
    assert (message.sender.name, message.subject, message.text) == ("Li Wei", "Broken screen", "Still broken")
    assert message.sent_at == datetime(2026, 11, 23, 11, 59, tzinfo=UTC)


def test_edits_and_deletions_are_told_by_the_names_of_events() -> None:
    edit = read_one(provider(), sender().note("new", event="note.edited", id=7, version=3))
    deletion = read_one(provider(), sender().note("", event="note.deleted", id=7, at=None))
    assert (edit.kind, edit.revision) == (MessageKind.EDITED, "3")
    assert (deletion.kind, deletion.provider_id, deletion.sent_at) == (MessageKind.DELETED, "7", None)


def test_an_event_may_stand_in_a_header_or_nowhere() -> None:
    events = {"header": "X-Desk-Timestamp", "created": [str(int(now_seconds()))]}
    assert read_one(provider(events=events), sender().note("hi")).kind is MessageKind.CREATED
    assert read(provider(events={"header": "X-Other", "created": ["x"]}), sender().note("hi")) == Ignored(
        IgnoreReason.UNKNOWN_TYPE
    )
    assert read_one(provider(events=None), sender().note("hi", event="whatever")).kind is MessageKind.CREATED


def test_a_telephone_number_gets_its_one_spelling() -> None:
    author = {"email": "138 0013 8000"}
    message = read_one(provider(identity="phone", region="CN"), sender().note("hi", author=author))
    assert (message.sender.kind, message.sender.value) == (IdentityKind.PHONE, "+8613800138000")


@pytest.mark.parametrize(
    ("note", "field"),
    [
        ({"id": None}, "note.id"),
        ({"id": True}, "note.id"),
        ({"id": "x" * 201}, "note.id"),
        ({"author": []}, "note.author.email"),
        ({"author": {"email": "a@example.com", "name": 7}}, "note.author.name"),
        ({"at": "yesterday"}, "note.at"),
        ({"at": "2026-11-23T12:00:00"}, "note.at"),
        ({"at": 1e300}, "note.at"),
        ({"at": True}, "note.at"),
    ],
)
def test_a_wrong_field_is_named_by_its_pointer(note: dict[str, Any], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(provider(), sender().note("hi", **note))
    assert raised.value.errors[0].field == f"body.{field}"


@pytest.mark.parametrize(
    ("changed", "fix"),
    [
        ({"signing": {"header": "X-S", "signed": "{timestamp}.{body}"}}, "belong together"),
        ({"signing": {"header": "X-S", "timestamp_header": "X-T"}}, "belong together"),
        ({"signing": {"header": "X-S", "signed": "{id}.{body}"}}, "once"),
        ({"signing": {"header": "not a header"}}, "header"),
        ({"events": {"created": ["x"]}}, "either"),
        ({"fields": {"id": "/id", "sender": "/by"}}, "revision"),
        ({"fields": {"id": "id", "sender": "/by"}}, "JSON pointer"),
        ({"fields": {"id": "/id", "sender": "/by", "mood": "/mood"}}, "mood"),
    ],
)
def test_options_that_cannot_work_are_named(changed: dict[str, Any], fix: str) -> None:
    with pytest.raises(ValidationError, match=fix):
        provider(**changed)
