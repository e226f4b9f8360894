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


_WORDS: Mapping[Language, _Words] = {
    "en": _Words(
        missed_subject="Missed call from {caller}",
        answered_subject="Call from {caller}",
        missed="Missed call from {caller} to {callee} at {time}. Nobody answered.",
        answered="Call from {caller} to {callee} at {time}, talked for {duration}.",
        ended="Ended with {cause}.",
        withheld="a withheld number",
    ),
    "zh": _Words(
        missed_subject="未接来电：{caller}",
        answered_subject="来电：{caller}",
        missed="{time}，{caller} 致电 {callee}，无人接听。",
        answered="{time}，{caller} 致电 {callee}，通话 {duration}。",
        ended="挂断原因：{cause}。",
        withheld="隐藏号码",
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


def _values(call: CallRecord, words: _Words) -> dict[str, str]:
    minutes, seconds = divmod(call.seconds, 60)
    return {
        "caller": call.caller or words.withheld,
        "callee": call.callee or "?",
        "time": _utc(call.started_at),
        "duration": f"{minutes}:{seconds:02d}",
        "cause": call.hangup_cause,
    }


def _utc(time: datetime) -> str:
    return time.isoformat(" ", "seconds").removesuffix("+00:00") + " UTC"
