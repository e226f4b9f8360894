"""Invitations and answers to them (RFC 5545, RFC 5546) in words, for an agent who has no calendar open."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from ingest_email.domain.header_text import clean, one_line

LARGEST = 32 * 1024
"""Bytes. An invitation of a hundred people has 15 KiB; the library's time grows as the square."""

MOST_EVENTS = 3  # a meeting and its moved instances; more is somebody's whole calendar
LONGEST_WORDS = 300  # characters of one value

_METHODS = {
    "REQUEST": "Invitation / 会议邀请",
    "PUBLISH": "Event / 日程",
    "CANCEL": "Cancelled / 已取消",
    "COUNTER": "Another time proposed / 建议更改时间",
    "DECLINECOUNTER": "Proposed time declined / 未接受建议的时间",
    "REFRESH": "Asks for the event again / 请求重发日程",
    "ADD": "Further date / 新增日期",
}
_ANSWERS = {
    "ACCEPTED": "Accepted / 已接受",
    "DECLINED": "Declined / 已拒绝",
    "TENTATIVE": "Tentatively accepted / 暂定接受",
    "DELEGATED": "Passed on to somebody else / 已转交他人",
}


class NoCalendar(Exception):
    """It is none, or none that is read; the reason is for an agent."""


def words_of(content: bytes) -> str:
    """Return what a calendar part says, in English and Chinese.

    :raises NoCalendar: nothing in it can be put into words.
    """
    from icalendar import Calendar  # loads in 0.2 s, and few mails have one

    if len(content) > LARGEST:
        raise NoCalendar("it is too large")
    try:
        calendar = Calendar.from_ical(content)
        method = str(calendar.get("method", "PUBLISH")).upper()
        events = calendar.walk("VEVENT")[:MOST_EVENTS]
        told = [clean("\n".join(_tell(event, method))) for event in events]
    except Exception as error:
        raise NoCalendar(type(error).__name__) from error
    if not told:
        raise NoCalendar("it has no event")
    return "\n\n".join(told)


def _tell(event: Any, method: str) -> Iterator[str]:
    title = _word(event.get("summary")) or "–"
    if method == "REPLY":
        for who, answer in _answers(event):
            yield f"{answer}: {title} ({who})"
    else:
        yield f"{_METHODS.get(method, method[:20])}: {title}"
    if when := _when(event):
        yield f"When / 时间: {when}"
    if where := _word(event.get("location")):
        yield f"Where / 地点: {where}"
    if method != "REPLY" and (organiser := event.get("organizer")) is not None:
        yield f"From / 发起人: {_person(organiser)}"
    if comment := _word(event.get("comment")):
        yield f"Comment / 备注: {comment}"


def _answers(event: Any) -> Iterator[tuple[str, str]]:
    stated = event.get("attendee", [])
    for attendee in stated if isinstance(stated, list) else [stated]:
        answer = str(attendee.params.get("PARTSTAT", "NEEDS-ACTION")).upper()
        yield _person(attendee), _ANSWERS.get(answer, answer[:20])


def _person(address: Any) -> str:
    mail = str(address)
    mail = mail[7:] if mail[:7].lower() == "mailto:" else mail
    name = str(address.params.get("CN", ""))
    return one_line(f"{name} <{mail}>" if name and name != mail else mail)[:LONGEST_WORDS]


def _when(event: Any) -> str:
    begins, ends = _moment(event, "dtstart"), _moment(event, "dtend")
    if begins is None:
        return ""
    zone = _zone(event)
    if isinstance(begins, datetime) and isinstance(ends, datetime) and begins.date() == ends.date():
        return f"{begins:%Y-%m-%d %H:%M}–{ends:%H:%M}{zone}"
    until = "" if ends is None or ends == begins else f" – {_shown(ends)}"
    return f"{_shown(begins)}{until}{zone}"


def _moment(event: Any, name: str) -> date | None:
    stated = getattr(event.get(name), "dt", None)
    return stated if isinstance(stated, date) else None


def _shown(moment: date) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else f"{moment:%Y-%m-%d}"


def _zone(event: Any) -> str:
    """The zone as the sender names it; a time without one is everybody's own (RFC 5545 §3.3.5)."""
    begins = event.get("dtstart")
    if name := str(begins.params.get("TZID", "")):
        return f" ({one_line(name)[:60]})"
    return " (UTC)" if isinstance(begins.dt, datetime) and begins.dt.tzinfo is not None else ""


def _word(value: Any) -> str:
    first = value[0] if isinstance(value, list) else value
    return one_line(str(first))[:LONGEST_WORDS] if first is not None else ""
