"""Twilio's signature against the vectors of its own library, and each way of being wrong.

The vectors are facts of twilio/twilio-python, tests/unit/test_request_validator.py.
"""

from urllib.parse import urlencode

import pytest

from ingest_webhook.domain.form_fields import MAX_FIELDS, NotForm, clean_values, read_form_fields
from ingest_webhook.domain.twilio_signatures import public_urls, verify_twilio
from ticket_intake.signatures import SignatureInvalid

URL, QUERY, TOKEN = "https://mycompany.com/myapp.php", b"foo=1&bar=2", b"12345"
CALL = urlencode(
    {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
).encode()
CALL_SIGNATURE = b"RSOYDt4T1cUTdK1PDd93/VVr8B8="
JSON_BODY = b'{"property": "value", "boolean": true}'
JSON_QUERY = QUERY + b"&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON_SIGNATURE = b"a9nBmqA0ju/hNViExpshrM61xv4="


def check(
    *,
    body: bytes = CALL,
    query: bytes = QUERY,
    signature: bytes = CALL_SIGNATURE,
    url: str = URL,
    token: bytes = TOKEN,
) -> None:
    verify_twilio(body, query, signature=signature, urls=public_urls(url), tokens=[b"another", token])


def test_the_published_vector_of_a_form_is_accepted() -> None:
    check()


def test_the_published_vector_of_a_json_body_is_accepted() -> None:
    check(body=JSON_BODY, query=JSON_QUERY, signature=JSON_SIGNATURE)


def test_the_published_vector_of_repeated_fields_is_accepted() -> None:
    body = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234"
    check(body=body, signature=b"IK+Dwps556ElfBT0I3Rgjkr1wJU=")
    check(body=body + b"&Digits=1234", signature=b"IK+Dwps556ElfBT0I3Rgjkr1wJU=")


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("https://mycompany.com:1234/myapp.php", CALL_SIGNATURE),
        ("http://mycompany.com:1234/myapp.php", b"Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://mycompany.com/myapp.php", b"kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com/myapp.php", b"0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ],
)
def test_the_published_vectors_with_and_without_a_port_are_accepted(url: str, signature: bytes) -> None:
    check(url=url, signature=signature)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": CALL + b"&Digits=9"},
        {"body": CALL.replace(b"1234", b"1235", 1)},
        {"body": b""},
        {"body": b"&".join([b"a=b"] * (MAX_FIELDS + 1))},
        {"query": b""},
        {"query": b"foo=1&bar=3"},
        {"query": JSON_QUERY},
        {"url": "https://mycompany.com/other.php"},
        {"url": "http://mycompany.com/myapp.php"},
        {"token": b"12346"},
        {"signature": b""},
        {"signature": "签名".encode()},
        {"body": JSON_BODY + b" ", "query": JSON_QUERY, "signature": JSON_SIGNATURE},
        {"body": JSON_BODY, "query": JSON_QUERY + "é".encode(), "signature": JSON_SIGNATURE},
    ],
)
def test_anything_changed_after_signing_is_refused(changed: dict[str, bytes]) -> None:
    with pytest.raises(SignatureInvalid):
        check(**changed)  # type: ignore[arg-type]  # one table for arguments of several types


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mycompany.com/app",
        "ftp://mycompany.com/",
        "https:///app",
        "https://a.example/?x=1",
        "https://u:p@a.example/",
    ],
)
def test_an_address_that_twilio_cannot_have_called_is_no_option(url: str) -> None:
    with pytest.raises(ValueError, match=r"is no URL|must end"):
        public_urls(url)


def test_form_fields_are_decoded_once_and_the_first_of_a_name_counts() -> None:
    fields = read_form_fields(b"a=%E4%BD%A0+x%2B&a=2&empty=&&bare&bad=%ff%00")
    assert clean_values(fields) == {"a": "你 x+", "empty": "", "bare": "", "bad": "\ufffd"}
    with pytest.raises(NotForm, match=str(MAX_FIELDS)):
        read_form_fields(b"&" * MAX_FIELDS)
