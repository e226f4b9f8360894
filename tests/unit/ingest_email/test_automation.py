"""Who wrote a mail: the table that decides which mails open tickets and which may be answered by a machine."""

import pytest

from tests.unit.ingest_email.mails import OWN_ADDRESS, multipart, raw_mail, read
from ticket_contracts.vocabulary import Automation

_REPORT = "Content-Type: multipart/report; report-type={}; boundary=edge"


@pytest.mark.parametrize(
    ("headers", "envelope_sender", "automation"),
    [
        ([], "ann@customer.example", Automation.HUMAN),
        (["Auto-Submitted: no"], "ann@customer.example", Automation.HUMAN),
        (["X-Auto-Response-Suppress: All"], "ann@customer.example", Automation.HUMAN),
        (["Precedence: first-class"], "ann@customer.example", Automation.HUMAN),
        (["Auto-Submitted: auto-replied"], "ann@customer.example", Automation.AUTOMATIC_ANSWER),
        (["Auto-Submitted: Auto-Replied (vacation); owner=x"], "<>", Automation.AUTOMATIC_ANSWER),
        (["X-Autoreply: yes"], "ann@customer.example", Automation.AUTOMATIC_ANSWER),
        (["X-Autorespond: away"], "ann@customer.example", Automation.AUTOMATIC_ANSWER),
        (["Precedence: auto_reply"], "ann@customer.example", Automation.AUTOMATIC_ANSWER),
        ([f"X-Loop: {OWN_ADDRESS}"], "ann@customer.example", Automation.AUTOMATIC_ANSWER),
        (["X-Loop: list@other.example"], "ann@customer.example", Automation.HUMAN),
        ([_REPORT.format("disposition-notification")], "<>", Automation.AUTOMATIC_ANSWER),
        (["Auto-Submitted: auto-generated"], "form@shop.example", Automation.GENERATED),
        (["Auto-Submitted: auto-notified"], "form@shop.example", Automation.GENERATED),
        ([f"From: {OWN_ADDRESS}"], OWN_ADDRESS, Automation.GENERATED),
        (["From: anybody@own.example"], "anybody@own.example", Automation.GENERATED),
        ([], "<>", Automation.GENERATED),
        ([_REPORT.format("feedback-report")], "abuse@isp.example", Automation.GENERATED),
        ([_REPORT.format("delivery-status")], "<>", Automation.BOUNCE),
        ([_REPORT.format('"delivery-status"')], "postmaster@isp.example", Automation.BOUNCE),
        (["From: MAILER-DAEMON@isp.example"], "<>", Automation.BOUNCE),
        (["X-Failed-Recipients: ann@customer.example"], "<>", Automation.BOUNCE),
        (["List-Id: Customers <customers.shop.example>"], "bounces@shop.example", Automation.BULK),
        (["List-Unsubscribe: <https://shop.example/off>"], "news@shop.example", Automation.BULK),
        (["Precedence: bulk"], "news@shop.example", Automation.BULK),
        (["Precedence: list"], "news@shop.example", Automation.BULK),
    ],
)
def test_a_mail_is_sorted_by_its_headers(headers: list[str], envelope_sender: str, automation: Automation) -> None:
    mail = read(raw_mail(*headers), envelope_sender=envelope_sender)
    assert mail.classification.automation is automation


@pytest.mark.parametrize(
    ("headers", "answerable"),
    [
        ([], True),
        (["X-Auto-Response-Suppress: DR, RN"], True),
        (["X-Auto-Response-Suppress: OOF, AutoReply"], False),
        (["X-Auto-Response-Suppress: All"], False),
        (["From: no-reply@shop.example"], False),
        (["From: postmaster@shop.example"], False),
        (["List-Id: <customers.shop.example>"], False),
        (["Auto-Submitted: auto-generated"], False),
        (["Precedence: junk"], False),
    ],
)
def test_only_a_person_who_did_not_object_is_answered_by_a_machine(headers: list[str], answerable: bool) -> None:
    assert read(raw_mail(*headers)).classification.may_auto_answer is answerable


@pytest.mark.parametrize("returned_type", ["message/rfc822", "text/rfc822-headers"])
def test_a_bounce_refers_to_the_mail_it_returns(returned_type: str) -> None:
    _, body = multipart(
        b"Content-Type: text/plain\r\n\r\nIt could not be delivered.",
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; isp.example\r\n\r\nAction: failed",
        f"Content-Type: {returned_type}\r\n\r\nMessage-ID: <ours@acme.example>\r\nSubject: Re: pump\r\n".encode(),
    )
    mail = read(raw_mail(_REPORT.format("delivery-status"), body=body), envelope_sender="<>")
    assert mail.thread.refers_to == ("<ours@acme.example>",)
    assert mail.thread.root == "<ours@acme.example>"
    assert mail.body.text == "It could not be delivered."


def test_a_bounce_refers_to_what_the_returned_mail_answers_for_nobody_told_us_its_own_id() -> None:
    returned = (
        b"Message-ID: <sent-by-the-crm@acme.example>\r\nIn-Reply-To: <second@customer.example>\r\n"
        b"References: <first@customer.example>\r\n <second@customer.example>\r\n"
    )
    _, body = multipart(b"\r\nNo such user.", b"Content-Type: text/rfc822-headers\r\n\r\n" + returned)
    bounce = read(raw_mail(_REPORT.format("delivery-status"), body=body), envelope_sender="<>")
    assert bounce.thread.refers_to == (
        "<sent-by-the-crm@acme.example>",
        "<second@customer.example>",
        "<first@customer.example>",
    )


def test_a_forwarded_mail_is_an_attachment_and_no_reference() -> None:
    kind, body = multipart(
        b"Content-Type: text/plain\r\n\r\nSee below",
        b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <inner@elsewhere.example>\r\nSubject: x\r\n\r\nInner words",
    )
    mail = read(raw_mail(kind, body=body))
    assert mail.thread.refers_to == ()
    assert mail.body.text == "See below"
    assert [(file.name, file.media_type) for file in mail.body.files] == [("part-2.eml", "message/rfc822")]
    assert b"Inner words" in mail.body.files[0].content
