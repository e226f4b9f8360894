"""Whose word about a sender counts."""

import pytest

from ingest_email.domain.authentication import read_results
from ingest_email.read_mail import SPOOFED
from tests.unit.ingest_email.mails import raw_mail, read
from ticket_contracts.messages import Authentication
from ticket_contracts.vocabulary import AuthenticationResult

PASS, FAIL, UNDECIDED = AuthenticationResult.PASS, AuthenticationResult.FAIL, AuthenticationResult.UNDECIDED
MX = "mx.acme.example"
OURS = ("authentication-results", f"{MX}; spf=pass smtp.mailfrom=a@b.example; dkim=fail; dkim=pass; dmarc=pass")
HOP = ("received", "from b.example by mx.acme.example")


def test_results_of_the_trusted_server_are_read() -> None:
    assert read_results([OURS, HOP], MX) == Authentication(dmarc=PASS, spf=PASS, dkim=PASS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"{MX} 1; dmarc=fail (p=none; dmarc=pass) header.from=b.example", Authentication(dmarc=FAIL)),
        (f"{MX}; dmarc=temperror; spf=softfail", Authentication(dmarc=UNDECIDED, spf=UNDECIDED)),
        ("MX.Acme.example;\r\n\tDMARC = PASS", Authentication(dmarc=PASS)),
        (f"{MX}; none", None),
        ("mx.other.example; dmarc=pass", None),
        (f"({MX}) mx.other.example; dmarc=pass", None),
        (f"evil.example; x={MX}; dmarc=pass", None),
        ("", None),
    ],
)
def test_values_are_read_as_rfc_8601_writes_them(value: str, expected: Authentication | None) -> None:
    assert read_results([("authentication-results", value)], MX) == expected


def test_what_came_with_the_mail_under_our_name_does_not_count() -> None:
    forged = ("authentication-results", f"{MX}; dmarc=pass")
    honest = ("authentication-results", f"{MX}; dmarc=fail")
    assert read_results([honest, HOP, forged], MX) == Authentication(dmarc=FAIL)
    assert read_results([HOP, honest, forged], MX) == Authentication(dmarc=FAIL)


def test_without_a_trusted_server_nobody_is_believed() -> None:
    assert read_results([OURS, HOP], "") is None
    assert read(raw_mail(f"Authentication-Results: {MX}; dmarc=fail")).authentication is None


def test_a_mail_that_failed_dmarc_joins_no_ticket_and_gets_no_automatic_answer() -> None:
    raw = raw_mail(f"Authentication-Results: {MX}; dmarc=fail", "In-Reply-To: <known@acme.example>")
    mail = read(raw, trusted_server=MX)
    assert mail.authentication == Authentication(dmarc=FAIL)
    assert mail.thread.refers_to == ()
    assert "known" not in mail.thread.root + mail.thread.message_id
    assert mail.thread.message_id != mail.summary.message_id
    assert not mail.classification.may_auto_answer
    assert SPOOFED in mail.problems


@pytest.mark.parametrize("result", ["pass", "none", "temperror"])
def test_a_mail_that_did_not_fail_joins_its_ticket(result: str) -> None:
    raw = raw_mail(f"Authentication-Results: {MX}; dmarc={result}", "In-Reply-To: <known@acme.example>")
    mail = read(raw, trusted_server=MX)
    assert mail.thread.refers_to == ("<known@acme.example>",)
    assert mail.classification.may_auto_answer
