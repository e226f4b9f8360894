"""Business calendars as they are today, compiled once a version."""

from collections.abc import Collection
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from business_time.calendar import BusinessCalendar, CalendarNeverOpens
from ticket_store.documents import Calendar
from ticket_store.opening_hours import opening_hours
from ticket_store.tables.configuration_documents import CONFIGURATION_DOCUMENTS as DOCUMENTS

MOST_KEPT = 500  # versions; an installation has a dozen calendars, each of some 100 kB once years are laid out

Version = tuple[str, int]


class CalendarBook:
    """Remembers what it compiled: laying out a year of a country's holidays takes milliseconds."""

    def __init__(self) -> None:
        self._known: dict[Version, BusinessCalendar | None] = {}

    async def newest(self, connection: AsyncConnection, names: Collection[str]) -> dict[str, BusinessCalendar]:
        """Return the calendars of these names that can be used, archived ones too: clocks go on with them (rule 33)."""
        if not names:
            return {}
        query = (
            select(DOCUMENTS.c.name, DOCUMENTS.c.version, DOCUMENTS.c.body)
            .where(DOCUMENTS.c.kind == Calendar.kind, DOCUMENTS.c.name.in_(sorted(names)))
            .ext(distinct_on(DOCUMENTS.c.name))
            .order_by(DOCUMENTS.c.name, DOCUMENTS.c.version.desc())
        )
        found = {row.name: self._compiled(row.name, row.version, row.body) for row in await connection.execute(query)}
        return {name: calendar for name, calendar in found.items() if calendar is not None}

    def _compiled(self, name: str, version: int, body: object) -> BusinessCalendar | None:
        if (name, version) not in self._known:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[name, version] = compile_calendar(Calendar.model_validate(body, extra="ignore"))
        return self._known[name, version]


def compile_calendar(document: Calendar) -> BusinessCalendar | None:
    """Return the calendar, or None when it cannot be used; the engine has said why on the tickets it concerns."""
    try:
        return BusinessCalendar(opening_hours(document))
    except (CalendarNeverOpens, ZoneInfoNotFoundError, NotImplementedError):  # the last: unknown country
        return None
