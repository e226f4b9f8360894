"""Invitations and the answers to them, in words."""

import pytest

from tests.unit.ingest_email.mails import multipart, raw_mail, read


def _calendar(method: str, *lines: str) -> bytes:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", "BEGIN:VEVENT", "UID:1"]
    return "\r\n".join([*head, *lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()


def _mail(calendar: bytes, words: bytes = b"") -> bytes:
    parts = [b"\r\n" + words, b"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n" + calendar]
    return raw_mail(*multipart(*parts, kind="alternative")[:1], body=multipart(*parts, kind="alternative")[1])


def test_an_invitation_says_what_when_where_and_from_whom() -> None:
    mail = read(
        _mail(
            _calendar(
                "REQUEST",
                "SUMMARY:检修水泵",
                "DTSTART;TZID=China Standard Time:20261130T100000",
                "DTEND;TZID=China Standard Time:20261130T113000",
                "LOCATION:4 号会议室",
                "ORGANIZER;CN=Ann:mailto:ann@customer.example",
            ),
            b"Please come.",
        )
    )
    assert mail.body.text.split("\n") == [
        "Please come.",
        "",
        "Invitation / 会议邀请: 检修水泵",
        "When / 时间: 2026-11-30 10:00–11:30 (China Standard Time)",
        "Where / 地点: 4 号会议室",
        "From / 发起人: Ann <ann@customer.example>",
    ]
    assert [file.media_type for file in mail.body.files] == ["text/calendar"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("ACCEPTED", "Accepted / 已接受: Pump (Bob <bob@customer.example>)"),
        ("DECLINED", "Declined / 已拒绝: Pump (Bob <bob@customer.example>)"),
        ("TENTATIVE", "Tentatively accepted / 暂定接受: Pump (Bob <bob@customer.example>)"),
    ],
)
def test_an_answer_says_who_comes(state: str, words: str) -> None:
    attendee = f"ATTENDEE;PARTSTAT={state};CN=Bob:mailto:bob@customer.example"
    mail = read(_mail(_calendar("REPLY", "SUMMARY:Pump", attendee, "DTSTART:20261130T100000Z")))
    assert mail.body.text == f"{words}\nWhen / 时间: 2026-11-30 10:00 (UTC)"


def test_a_cancelled_day_says_so_in_words() -> None:
    lines = ("SUMMARY:Visit", "DTSTART;VALUE=DATE:20261130", "DTEND;VALUE=DATE:20261202")
    mail = read(_mail(_calendar("CANCEL", *lines)))
    assert mail.body.text == "Cancelled / 已取消: Visit\nWhen / 时间: 2026-11-30 – 2026-12-02"


@pytest.mark.parametrize(
    "calendar", [b"BEGIN:VCALENDAR\r\nnonsense", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", b"x" * 40_000]
)
def test_a_calendar_that_cannot_be_read_stays_a_file_and_the_words_stay(calendar: bytes) -> None:
    mail = read(_mail(calendar, b"Please come."))
    assert mail.body.text.strip() == "Please come."
    assert [file.content for file in mail.body.files] == [calendar]
    assert any("not put into words" in problem for problem in mail.problems)
