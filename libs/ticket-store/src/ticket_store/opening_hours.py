"""From a calendar document to what business time is counted with."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from business_time.calendar import Interval, OpeningHours
from ticket_store.documents import WEEKDAYS, Calendar


def opening_hours(calendar: Calendar) -> OpeningHours:
    """Parse a calendar document.

    :raises ZoneInfoNotFoundError: there is no such zone.
    """
    return OpeningHours(
        name=calendar.name,
        zone=ZoneInfo(calendar.zone),
        week=tuple(_intervals(calendar.week.get(day, ())) for day in WEEKDAYS),
        country=calendar.country,
        subdivision=calendar.subdivision,
        closed=frozenset(calendar.closed),
        working={day: _intervals(intervals) for day, intervals in calendar.working.items()},
    )


def _intervals(intervals: Iterable[str]) -> tuple[Interval, ...]:
    return tuple(_interval(interval) for interval in intervals)


def _interval(interval: str) -> Interval:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in interval.split("-"))
    return (start, end if end > start else end + 24 * 60)  # 22:00-06:00 ends on the next day
