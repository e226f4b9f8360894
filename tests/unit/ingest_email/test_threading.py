"""How a mail finds its conversation, and which deliveries are the same mail."""

import pytest

from ingest_email.domain.message_ids import MOST_REFERENCES, identity_of, read_ids
from tests.unit.ingest_email.mails import multipart, raw_mail, read


def test_the_answered_mail_is_the_strongest_reference_then_the_chain_from_its_end() -> None:
    thread = read(raw_mail("In-Reply-To: <c@x>", "References: <a@x>\r\n <b@x> <c@x>")).thread
    assert thread.refers_to == ("<c@x>", "<b@x>", "<a@x>")
    assert thread.root == "<a@x>"


@pytest.mark.parametrize(
    ("headers", "root"),
    [([], "<m1@customer.example>"), (["In-Reply-To: <b@x>"], "<b@x>"), (["References: <a@x> <b@x>"], "<a@x>")],
)
def test_a_conversation_is_kept_together_by_its_first_mail(headers: list[str], root: str) -> None:
    assert read(raw_mail(*headers)).thread.root == root


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@x>", ["<a@x>"]),
        ("a@x", ["<a@x>"]),
        ('Message from "Ann" of Monday <a@x>', ["<a@x>"]),
        ("<a@x><b@x>,<c@x>", ["<a@x>", "<b@x>", "<c@x>"]),
        ("<very-long-\r\n folded@x>", ["<very-long-folded@x>"]),
        ("<[0a@microsoft.com]>", ["<[0a@microsoft.com]>"]),
        ("<>", []),
        ("<  >", []),
        ("nothing here", []),
        ("<a\x00b@x>", ["<ab@x>"]),
        ("<unclosed@x", ["<unclosed@x>"]),
        ("<中文@x> <日本@x>".encode().decode("ascii", "surrogateescape"), ["<中文@x>", "<日本@x>"]),
    ],
)
def test_ids_are_found_in_whatever_programs_write(value: str, ids: list[str]) -> None:
    assert read_ids(value) == ids


def test_a_very_long_id_is_the_same_where_it_is_given_and_where_it_is_referred_to() -> None:
    name = f"<{'x' * 900}@customer.example>"
    first = read(raw_mail(f"Message-ID: {name}")).thread
    answer = read(raw_mail(f"In-Reply-To: {name}")).thread
    assert len(first.message_id) <= 200
    assert answer.refers_to == (first.message_id,)


def test_of_endless_references_the_nearest_and_the_first_count() -> None:
    chain = " ".join(f"<{number}@x>" for number in range(1000))
    refers_to = read(raw_mail(f"References: {chain}")).thread.refers_to
    assert len(refers_to) == MOST_REFERENCES
    assert (refers_to[0], refers_to[-1]) == ("<999@x>", "<0@x>")


def test_a_mail_does_not_refer_to_itself() -> None:
    thread = read(raw_mail("Message-ID: <a@x>", "In-Reply-To: <a@x>", "References: <a@x> <b@x> <b@x>")).thread
    assert thread.refers_to == ("<b@x>",)


def _identity(raw: bytes) -> str:
    mail = read(raw)
    return identity_of("support@acme.example", mail.thread.message_id, mail.summary.digest)


def test_trace_headers_do_not_make_another_mail() -> None:
    first = raw_mail("Received: from a.example")
    again = raw_mail("Received: from b.example", "Delivered-To: support@acme.example", "DKIM-Signature: v=1")
    assert _identity(first) == _identity(again)


@pytest.mark.parametrize(
    "changed",
    [
        raw_mail("Subject: Another pump"),
        raw_mail("From: Ben <ben@customer.example>"),
        raw_mail("Date: Mon, 23 Nov 2026 10:00:00 +0000"),
        raw_mail("Message-ID: <m2@customer.example>"),
        raw_mail(body="Another text"),
    ],
)
def test_the_same_message_id_with_other_content_is_another_mail(changed: bytes) -> None:
    assert _identity(raw_mail()) != _identity(changed)


def test_a_mail_without_an_id_gets_the_same_one_at_each_delivery() -> None:
    date = "Date: Mon, 23 Nov 2026 10:00:00 +0000"
    first, again = raw_mail("Message-ID:", date), raw_mail("Received: from b.example", "Message-ID: <>", date)
    assert read(first).thread.message_id == read(again).thread.message_id
    assert _identity(first) == _identity(again)


def test_with_neither_id_nor_date_only_its_way_here_tells_a_repeat_from_another_mail() -> None:
    first = raw_mail("Received: from a.example; Mon, 23 Nov 2026 10:00:00 +0000", "Message-ID:")
    later = raw_mail("Received: from a.example; Tue, 24 Nov 2026 10:00:00 +0000", "Message-ID:")
    assert _identity(first) == _identity(first)
    assert _identity(first) != _identity(later)


def test_mails_without_a_header_are_told_apart_by_the_relay_s_word_for_their_senders() -> None:
    ann, ben = (read(b"", envelope_sender=f"{name}@customer.example").summary for name in ("ann", "ben"))
    assert ann.digest != ben.digest


def test_reading_the_headers_alone_gives_the_same_identity() -> None:
    raw = raw_mail("References: <a@x>", body="some text")
    assert read(raw, headers_only=True).summary.digest == read(raw).summary.digest


_OURS = "<ours@acme.example>"


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Type: message/disposition-notification\r\n\r\nReporting-UA: x\r\n"
        b"Original-Message-ID: <ours@acme.example>\r\n",
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\n"
        b"X-Original-Message-ID:\r\n <ours@acme.example>\r\n",
        b"Content-Type: text/rfc822-headers\r\n\r\nSubject: hi\r\nMessage-ID: <ours@acme.example>\r\n",
        b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <ours@acme.example>\r\n\r\nHi",
    ],
)
def test_a_report_refers_to_the_mail_that_it_is_about(part: bytes) -> None:
    kind, body = multipart(b"\r\nNo such user.", part, kind="report")
    assert read(raw_mail(kind, body=body), envelope_sender="").thread.refers_to == (_OURS,)


def test_a_bounce_in_no_format_refers_to_the_mail_that_it_quotes() -> None:
    words = "This message was created automatically.\r\n\r\n> Subject: hi\r\n> Message-ID: <ours@acme.example>\r\n"
    bounce = raw_mail("From: MAILER-DAEMON@customer.example", body=words)
    assert read(bounce, envelope_sender="").thread.refers_to == (_OURS,)


def test_a_person_who_forwards_a_mail_does_not_refer_to_it() -> None:
    kind, body = multipart(
        b"\r\nMessage-ID: <ours@acme.example>",
        b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <ours@acme.example>\r\n\r\nHi",
    )
    assert read(raw_mail(kind, body=body)).thread.refers_to == ()
