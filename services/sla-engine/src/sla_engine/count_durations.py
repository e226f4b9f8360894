"""How long the configuration's durations are."""

from business_time.calendar import BusinessCalendar


def seconds(duration: str, calendar: BusinessCalendar) -> int:
    """Return the business seconds of `30m`, `4h` or `2bd`; a business day is the calendar's own (rule 39)."""
    amount, unit = int(duration.rstrip("smhbd")), duration.lstrip("0123456789")
    unit_seconds = {"s": 1, "m": 60, "h": 3600, "bd": int(calendar.business_day.total_seconds())}
    return amount * unit_seconds[unit]
