"""Times as people write them at a command line."""

import re
from datetime import UTC, datetime

import typer

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FORM = re.compile(rf"{_DAY}(T[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?")
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between these every sum of times can be done, whatever the zone."""

WRITTEN = "write 2026-11-23 or 2026-11-23T09:00:00, both in UTC, or add an offset such as +08:00"


def moment(text: str) -> datetime:
    """Return the time in UTC; a day is its first moment. The `parser` of an option.

    :raises typer.BadParameter: it is none; the message is a sentence for who wrote it.
    """
    if _FORM.fullmatch(text) is None:
        raise typer.BadParameter(f"{text[:40]!r} is no time; {WRITTEN}")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time: {error}; correct it") from None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not _EARLIEST <= aware < _LATEST:
        raise typer.BadParameter(f"{text!r} is out of every calendar; give a year from 1970 to 8999")
    return aware.astimezone(UTC)
