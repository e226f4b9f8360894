"""Weibo's times: `Mon Jul 16 18:09:20 +0800 2012`, English whatever the language of the machine."""

import re
from datetime import datetime

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_TIME = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([0-9]{1,2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) ([+-][0-9]{2})([0-9]{2}) (2[0-9]{3})"
)
_NO_TIME = "is no time as `Mon Jul 16 18:09:20 +0800 2012`"


def weibo_time(text: str) -> datetime:
    """Return the time, with Weibo's own offset.

    :raises ValueError: no such time; its words repeat nothing of the text.
    """
    found = _TIME.fullmatch(text)
    if found is None or found[1] not in _MONTHS:
        raise ValueError(_NO_TIME)
    month, day, time, hours_east, minutes_east, year = found.groups()
    try:
        return datetime.fromisoformat(f"{year}-{_MONTHS[month]:02}-{day:0>2}T{time}{hours_east}:{minutes_east}")
    except ValueError as error:
        raise ValueError(_NO_TIME) from error
