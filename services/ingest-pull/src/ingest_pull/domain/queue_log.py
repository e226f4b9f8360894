"""Asterisk's queue_log: https://docs.asterisk.org/Configuration/Applications/Queue-Logs/

`epoch|call id|queue|agent|event|data1|data2|…`; the call id is the unique id of the caller's channel, which the CDRs
have too. Unlike a CDR it says for certain whether a caller gave up or an agent took the call.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ingest_pull.domain.asterisk_cdr import RowUnreadable
from ingest_pull.domain.call_so_far import CallSoFar
from ingest_pull.domain.local_times import read_epoch

_FIELDS = 5  # before the data
_NO_CALL = frozenset({"NONE", "MANAGER", "CLI", "REALTIME", ""})
_LEFT = frozenset({"ABANDON", "EXITEMPTY", "EXITWITHTIMEOUT", "EXITWITHKEY", "FULL", "JOINEMPTY", "JOINUNAVAIL"})
_ENDED = frozenset({"COMPLETEAGENT", "COMPLETECALLER", "TRANSFER", "BLINDTRANSFER", "ATTENDEDTRANSFER"})
_MAX_SECONDS = 86_400
# Which of the data is the talking time.
_TALK_TIME: Mapping[str, int] = {"COMPLETEAGENT": 1, "COMPLETECALLER": 1, "TRANSFER": 3, "BLINDTRANSFER": 3}


class QueueEvent(NamedTuple):
    moment: datetime
    call_id: str
    queue: str
    name: str
    data: tuple[str, ...]

    def datum(self, number: int) -> str:
        return self.data[number] if number < len(self.data) else ""


def read_event(line: str) -> QueueEvent | None:
    """Read a line; None: it is about an agent or the queue itself, not about a call.

    :raises RowUnreadable:
    """
    parts = line.split("|")
    if len(parts) < _FIELDS:
        raise RowUnreadable(f"has {len(parts)} fields, expected at least {_FIELDS}")
    moment = read_epoch(parts[0])
    if moment is None:
        raise RowUnreadable("does not begin with Unix seconds")
    if parts[1] in _NO_CALL:
        return None
    return QueueEvent(moment, parts[1], parts[2], parts[4], tuple(parts[5:]))


def add_event(call: CallSoFar | None, event: QueueEvent, now: datetime) -> CallSoFar | None:
    """Return what is known of the call with this event; None: an event that says nothing of how it went."""
    if event.name == "ENTERQUEUE":
        return _joined(call, _call(event, now, caller=event.datum(1)), is_open=True)
    if event.name == "CONNECT":
        return _joined(call, _call(event, now, answered=True), is_open=True)
    if event.name in _ENDED:
        return _joined(call, _call(event, now, answered=True, seconds=_talked(call, event)), is_open=False)
    if event.name in _LEFT:
        return _joined(call, _call(event, now, cause=event.name), is_open=False)
    return call


def _joined(call: CallSoFar | None, leg: CallSoFar, *, is_open: bool) -> CallSoFar:
    """The last event says whether the caller is still there: who leaves one queue may enter the next."""
    joined = leg if call is None else call.with_leg(leg)
    return joined.model_copy(update={"is_open": is_open})


def _talked(call: CallSoFar | None, event: QueueEvent) -> int:
    told = _seconds(event.datum(_TALK_TIME[event.name])) if event.name in _TALK_TIME else 0
    if told or call is None:
        return told
    return min(max(0, int((event.moment - call.ended_at).total_seconds())), _MAX_SECONDS)  # since CONNECT


def _call(
    event: QueueEvent,
    now: datetime,
    *,
    caller: str = "",
    answered: bool = False,
    seconds: int = 0,
    cause: str = "",
) -> CallSoFar:
    return CallSoFar(
        call_id=event.call_id,
        caller=caller,
        callee=event.queue,
        started_at=event.moment,
        ended_at=event.moment,
        answered=answered,
        seconds=seconds,
        cause=cause,
        seen_at=now,
    )


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len(str(_MAX_SECONDS)) + 1 else 0
