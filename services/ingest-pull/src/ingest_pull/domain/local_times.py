"""Times without a zone, as switches and exports write them, by the zone that the source's setting names."""

from datetime import MAXYEAR, MINYEAR, UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ASTERISK = "%Y-%m-%d %H:%M:%S"


def read_local_time(text: str, form: str, zone: ZoneInfo) -> datetime | None:
    """Return the moment in UTC; None for what is no time of this form.

    Of an hour that the clocks go back over, the first is meant; a form with an offset (`%z`) needs no zone.
    """
    try:
        time = datetime.strptime(text.strip(), form)  # noqa: DTZ007 - the zone comes from the setting
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC) if _is_meant(time) else None


def read_epoch(text: str) -> datetime | None:
    """Read Unix seconds, with or without a fraction."""
    try:
        time = datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return time if _is_meant(time) else None


def _is_meant(time: datetime) -> bool:
    """Programs write the first or the last moment they know for "never", which another zone or a length moves out."""
    return MINYEAR < time.year < MAXYEAR


def known_zone(name: object) -> ZoneInfo:
    """Check an option.

    :raises ValueError: there is no such zone.
    """
    try:
        return name if isinstance(name, ZoneInfo) else ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of zones, such as Asia
        raise ValueError("is no time zone, e.g. Asia/Shanghai or Europe/Berlin") from error
