"""How long the configuration's durations are."""

from datetime import timedelta

from business_time.calendar import SEARCH_YEARS, BusinessCalendar

LONGEST_WAIT = timedelta(days=SEARCH_YEARS * 365)
"""What comes later is left out: an impossible sum would stop every partition."""

_DIGITS = 12
_FOREVER = 1_000 * 365 * 24 * 3600  # seconds: far above LONGEST_WAIT, and a sum that can still be done


def seconds(duration: str, calendar: BusinessCalendar) -> int:
    """Return the business seconds of `30m`, `4h` or `2bd`; a business day is the calendar's own (rule 39)."""
    return wall_seconds(duration, int(calendar.business_day.total_seconds()))


def wall_seconds(duration: str, day: int = 24 * 3600) -> int:
    """Return the seconds, with as many to a day; of what is longer than anybody waits, so many that it is left out."""
    digits = duration.rstrip("smhbd")
    unit_seconds = {"s": 1, "m": 60, "h": 3600, "bd": day}[duration.removeprefix(digits)]
    return _FOREVER if len(digits) > _DIGITS else min(int(digits) * unit_seconds, _FOREVER)
