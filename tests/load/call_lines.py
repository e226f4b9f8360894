"""What telephone systems write about a call, one call after another, none twice."""

import time
from collections.abc import Iterator
from itertools import count
from uuid import uuid4

CSV_HEADER = "id,caller,start,seconds,outcome\n"
CSV_MAPPING = """
kind: call
time: '%Y-%m-%d %H:%M:%S'
columns: {id: id, caller: caller, started_at: start, seconds: seconds, outcome: outcome}
answered: [answered]
"""


def numbered_calls() -> Iterator[tuple[str, str]]:
    """Yield the id and the caller's number of each call."""
    run = uuid4().hex[:12]
    for number in count():
        yield f"{run}.{number}", f"138{number % 10**8:08}"


def cdr_row(call_id: str, caller: str) -> str:
    """A missed call in Asterisk's `Master.csv`, times in UTC."""
    moment = _now()
    return (
        f'"","{caller}","4000","from-trunk","{caller}","PJSIP/trunk-{call_id}","PJSIP/201-1","Dial","PJSIP/201,30",'
        f'"{moment}","","{moment}",20,0,"NO ANSWER","DOCUMENTATION","{call_id}",""\n'
    )


def queue_lines(call_id: str, caller: str) -> str:
    """A caller who entered a queue and gave up: two lines of `queue_log`."""
    now = int(time.time())
    return f"{now - 60}|{call_id}|support|NONE|ENTERQUEUE||{caller}|1\n{now}|{call_id}|support|NONE|ABANDON|1|1|60\n"


def csv_row(call_id: str, caller: str) -> str:
    """A row under `CSV_HEADER`."""
    return f"{call_id},{caller},{_now()},0,missed\n"


def manager_event(call_id: str, caller: str) -> dict[str, str]:
    """The fields of a `Cdr` event, as cdr_manager.c tells them."""
    moment = _now()
    return {
        "AccountCode": "", "Source": caller, "Destination": "4000", "DestinationContext": "from-trunk",
        "CallerID": f'"Li Wei" <{caller}>', "Channel": f"PJSIP/trunk-{call_id}", "DestinationChannel": "PJSIP/201-1",
        "LastApplication": "Dial", "LastData": "PJSIP/201,30", "StartTime": moment, "AnswerTime": "", "EndTime": moment,
        "Duration": "20", "BillableSeconds": "0", "Disposition": "NO ANSWER", "AMAFlags": "DOCUMENTATION",
        "UniqueID": call_id, "UserField": "",
    }  # fmt: skip


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
