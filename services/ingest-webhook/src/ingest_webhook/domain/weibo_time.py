"""Weibo's times: `Mon Jul 16 18:09:20 +0800 2012`, English whatever the language of the machine."""

import re
from datetime import datetime, timedelta, timezone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>[0-9]{1,2}) (?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):"
    r"(?P<second>[0-9]{2}) (?P<sign>[+-])(?P<east>[0-9]{2})(?P<minutes_east>[0-9]{2}) (?P<year>2[0-9]{3})"
)


def weibo_time(text: str) -> datetime:
    """Return the time, with Weibo's own offset.

    :raises ValueError: no such time.
    """
    found = _TIME.fullmatch(text)
    if found is None or found["month"] not in _MONTHS:
        raise ValueError("is no time as `Mon Jul 16 18:09:20 +0800 2012`")
    offset = timedelta(hours=int(found["east"]), minutes=int(found["minutes_east"]))
    day, hour, minute, second = (int(found[name]) for name in ("day", "hour", "minute", "second"))
    zone = timezone(-offset if found["sign"] == "-" else offset)
    return datetime(int(found["year"]), _MONTHS.index(found["month"]) + 1, day, hour, minute, second, tzinfo=zone)
