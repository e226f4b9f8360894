"""A row of Asterisk's call detail records: https://docs.asterisk.org/Configuration/Reporting/Call-Detail-Records-CDR/

Source of the order of columns: asterisk/asterisk, cdr/cdr_csv.c (`build_csv_record`). Three settings of cdr.conf add
columns at the end (`loguniqueid`, `loguserfield`, `newcdrcolumns`), so the number of columns tells which there are.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ingest_pull.domain.call_so_far import CallSoFar
from ingest_pull.domain.local_times import ASTERISK, read_local_time

_ALWAYS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata"),
    *("start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
)
_NEW = ("peeraccount", "linkedid", "sequence")
COLUMNS: Mapping[int, tuple[str, ...]] = {
    16: _ALWAYS,
    17: (*_ALWAYS, "uniqueid"),
    18: (*_ALWAYS, "uniqueid", "userfield"),
    19: (*_ALWAYS, *_NEW),
    20: (*_ALWAYS, "uniqueid", *_NEW),
    21: (*_ALWAYS, "uniqueid", "userfield", *_NEW),
}
"""By the number of columns of a row."""

NAMES = frozenset(COLUMNS[21])

VOICEMAIL = "VoiceMail"
# People talk in these without a second channel of the call.
_PEOPLE_MEET = frozenset({"ConfBridge", "MeetMe", "Bridge", "Pickup"})
# `"Li Wei" <4711>` or `4711`
_CALLER_ID = re.compile(r'\s*"?(?P<name>.*?)"?\s*<(?P<number>[^>]*)>\s*')
_MAX_SECONDS = 86_400  # a day; a longer "call" is a channel that hung


class RowUnreadable(ValueError):
    """The row is no record of a call; says why without its content."""


class RowFormat(NamedTuple):
    """`columns` is empty where the number of columns tells them."""

    columns: Sequence[str]
    zone: ZoneInfo


def read_row(line: str, form: RowFormat, now: datetime) -> CallSoFar:
    """Read one row of `Master.csv`.

    :raises RowUnreadable:
    """
    try:
        values = next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise RowUnreadable(f"is not CSV: {error}") from error
    columns = form.columns or COLUMNS.get(len(values))
    if columns is None or len(columns) != len(values):
        expected = len(form.columns) or "16 to 21"
        raise RowUnreadable(f"has {len(values)} columns, expected {expected}")
    return read_fields(dict(zip(columns, values, strict=True)), form.zone, now)


def read_fields(fields: Mapping[str, str], zone: ZoneInfo, now: datetime) -> CallSoFar:
    """Read the named fields of a record, from whichever way it came.

    :raises RowUnreadable:
    """
    started_at = read_local_time(fields.get("start", ""), ASTERISK, zone)
    if started_at is None:
        raise RowUnreadable("has no start time like 2026-11-26 13:00:00")
    name, number = _caller(fields)
    return CallSoFar(
        call_id=_call_id(fields),
        caller=number,
        caller_name=name,
        callee=fields.get("dst", ""),
        channel=fields.get("channel", ""),
        started_at=started_at,
        ended_at=read_local_time(fields.get("end", ""), ASTERISK, zone) or started_at,
        answered=_is_answered(fields),
        seconds=_seconds(fields.get("billsec", "")) if _is_answered(fields) else 0,
        cause=fields.get("disposition", ""),
        mailbox=_mailbox(fields),
        is_open=_is_side_leg(fields),
        seen_at=now,
    )


def _call_id(fields: Mapping[str, str]) -> str:
    """Return what all legs share; a row of no name is its own call, told by what it says."""
    named = fields.get("linkedid") or fields.get("uniqueid")
    return named or "/".join(fields.get(part, "") for part in ("start", "channel", "src", "dst"))


def _is_side_leg(fields: Mapping[str, str]) -> bool:
    """Whether this is not the caller's own channel: the row of an agent's telephone that rang may come minutes early.

    All rows of one channel come together, when it hangs up.
    """
    linked, unique = fields.get("linkedid"), fields.get("uniqueid")
    return bool(linked and unique and linked != unique)


def _caller(fields: Mapping[str, str]) -> tuple[str, str]:
    written = _CALLER_ID.fullmatch(fields.get("clid", ""))
    name = written["name"].replace('""', '"').strip('" ') if written else ""
    return name, fields.get("src") or (written["number"] if written else "")


def _is_answered(fields: Mapping[str, str]) -> bool:
    """Whether somebody of ours took the call: a queue, a menu or a voicemail box answers too, and is nobody."""
    if fields.get("disposition") != "ANSWERED" or fields.get("lastapp") == VOICEMAIL:
        return False
    return bool(fields.get("dstchannel")) or fields.get("lastapp") in _PEOPLE_MEET


def _seconds(text: str) -> int:
    return min(int(text), _MAX_SECONDS) if text.isascii() and text.isdigit() else 0


def _mailbox(fields: Mapping[str, str]) -> str | None:
    """Return `box@context` of `VoiceMail(1234@default,u)`."""
    return fields.get("lastdata", "").partition(",")[0] if fields.get("lastapp") == VOICEMAIL else None
