"""A call in the words of a person, for the ticket."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from ticket_contracts.messages import CallRecord

Language = Literal["en", "zh"]


class _Words(NamedTuple):
    """Templates of one language; `{name}` are the names that `_values` gives."""

    missed_subject: str
    answered_subject: str
    missed: str
    answered: str
    ended: str
    withheld: str
    voicemail_subject: str
    voicemail: str
    voicemail_length: str


_WORDS: Mapping[Language, _Words] = {
    "en": _Words(
        missed_subject="Missed call from {caller}",
        answered_subject="Call from {caller}",
        missed="Missed call from {caller} to {callee} at {time}. Nobody answered.",
        answered="Call from {caller} to {callee} at {time}, talked for {duration}.",
        ended="Ended with {cause}.",
        withheld="a withheld number",
        voicemail_subject="Voicemail from {caller}",
        voicemail="{caller} left a voicemail.",
        voicemail_length="{caller} left a voicemail of {duration}.",
    ),
    "zh": _Words(
        missed_subject="未接来电：{caller}",
        answered_subject="来电：{caller}",
        missed="{time}，{caller} 致电 {callee}，无人接听。",
        answered="{time}，{caller} 致电 {callee}，通话 {duration}。",
        ended="挂断原因：{cause}。",
        withheld="隐藏号码",
        voicemail_subject="语音留言：{caller}",
        voicemail="{caller} 留下语音留言。",
        voicemail_length="{caller} 留下语音留言，时长 {duration}。",
    ),
}


def call_subject(call: CallRecord, language: Language) -> str:
    words = _WORDS[language]
    return (words.answered_subject if call.answered else words.missed_subject).format_map(_values(call, words))


def call_text(call: CallRecord, language: Language) -> str:
    words = _WORDS[language]
    values = _values(call, words)
    happened = (words.answered if call.answered else words.missed).format_map(values)
    return f"{happened}\n{words.ended.format_map(values)}" if call.hangup_cause else happened


def voicemail_subject(caller: str, language: Language) -> str:
    words = _WORDS[language]
    return words.voicemail_subject.format(caller=caller or words.withheld)


def voicemail_text(caller: str, seconds: int | None, language: Language) -> str:
    words = _WORDS[language]
    template = words.voicemail if seconds is None else words.voicemail_length
    return template.format(caller=caller or words.withheld, duration=_duration(seconds or 0))


def _values(call: CallRecord, words: _Words) -> dict[str, str]:
    return {
        "caller": call.caller or words.withheld,
        "callee": call.callee or "?",
        "time": _utc(call.started_at),
        "duration": _duration(call.seconds),
        "cause": call.hangup_cause,
    }


def _duration(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _utc(time: datetime) -> str:
    return time.isoformat(" ", "seconds").removesuffix("+00:00") + " UTC"
