"""An oracle for calendars that is slow and obviously right: it looks at every minute of a few weeks."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from business_time.calendar import Interval, OpeningHours

MINUTE = timedelta(minutes=1)
WINDOW = 20 * 24 * 60  # minutes
LEAD_IN = 2 * 24 * 60  # enough for every jump of a clock: the longest, in Apia, was a day


@cache
def reached_times(zone: ZoneInfo, start: datetime) -> tuple[datetime, ...]:
    """For each minute of the window the latest wall time that clocks in `zone` have shown by then."""
    reached = [(start - LEAD_IN * MINUTE).astimezone(zone).replace(tzinfo=None)]
    for minute in range(1 - LEAD_IN, WINDOW):
        wall = (start + minute * MINUTE).astimezone(zone).replace(tzinfo=None)
        reached.append(max(reached[-1], wall))
    return tuple(reached[LEAD_IN:])


class MinuteOracle:
    """Opens a minute when the wall time reached by then lies in an interval of its day, or of a night before it."""

    def __init__(self, hours: OpeningHours, start: datetime, minutes: int = WINDOW) -> None:
        self._hours = hours
        self._start = start
        self.open = [self._is_open(wall) for wall in reached_times(hours.zone, start)[:minutes]]

    def between(self, first: datetime, last: datetime) -> timedelta:
        """Return the business time; both within the window."""
        within = (min(until, last) - since for since, until in self._stretches(first) if since < last)
        return sum(within, timedelta())

    def add(self, first: datetime, duration: timedelta) -> datetime | None:
        """Return when `duration`, above zero, has passed since `first`; None when that is not within the window."""
        for since, until in self._stretches(first):
            if until - since >= duration:
                return since + duration
            duration -= until - since
        return None

    def next_opening(self, first: datetime) -> datetime | None:
        """Return the next open moment, `first` included; None when there is none within the window."""
        return next((since for since, _ in self._stretches(first)), None)

    def changes(self) -> list[datetime]:
        """Return the moments of the window at which the calendar opens or closes."""
        return [self._start + index * MINUTE for index in range(1, WINDOW) if self.open[index - 1] != self.open[index]]

    def _stretches(self, first: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open minutes from `first` on; of the minute in which `first` lies only the rest."""
        minute = (first - self._start) // MINUTE
        for index in range(minute, WINDOW):
            if self.open[index]:
                opens = self._start + index * MINUTE
                yield max(first, opens), opens + MINUTE

    def _is_open(self, wall: datetime) -> bool:
        minutes = wall.hour * 60 + wall.minute
        return any(start <= minutes < end for start, end in self._hours_of(wall.date())) or any(
            start <= minutes + 24 * 60 < end for start, end in self._hours_of(wall.date() - timedelta(days=1))
        )

    def _hours_of(self, day: date) -> tuple[Interval, ...]:
        if day in self._hours.working:
            return self._hours.working[day]
        return () if day in self._hours.closed else self._hours.week[day.weekday()]
