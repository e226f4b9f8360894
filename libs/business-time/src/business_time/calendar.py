"""Business time: which moments count, and the arithmetic over them.

An interval is open from the first moment at which the calendar's wall clock has reached its start until the first at
which it has reached its end. So a gap of daylight saving never opens twice, an hour that the clock shows twice counts
twice inside an interval, and a night shift lasts as long as a stop watch says. All arithmetic is on `timedelta`s since
1970 in UTC, whole microseconds and nothing to convert. What was asked before never changes an answer.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from business_time.public_days import PublicDays

Interval = tuple[int, int]
"""Minutes after midnight: start, and end up to 48 h for a shift over midnight; end is later than start."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NOTHING = timedelta()

# How many years without enough opening time are searched before a target counts as unreachable. A real calendar never
# comes near: 5 h a week pass 2,600 h in ten years.
SEARCH_YEARS = 10

# A stretch of this length or more without a closed moment is remembered, so far before and after what was asked for:
# within less than `SEARCH_YEARS` nothing is out of the calendar.
_LONG, _NEAR = timedelta(days=30), timedelta(days=4 * 365)
_NEVER = datetime.max.replace(tzinfo=UTC)


class CalendarNeverOpens(ValueError):
    """No weekday has opening hours: every clock on this calendar would stand still for ever (rule 40)."""


class OutOfCalendar(ArithmeticError):
    """The calendar does not open often enough for the asked duration within `SEARCH_YEARS`."""


@dataclass(frozen=True)
class OpeningHours:
    """What a calendar document says, parsed. `week` holds Monday first, `working` dates with hours of their own."""

    name: str
    zone: ZoneInfo
    week: tuple[tuple[Interval, ...], ...]
    country: str | None = None
    subdivision: str | None = None
    closed: frozenset[date] = frozenset()
    working: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)

    def usual_day(self) -> tuple[Interval, ...]:
        """Return the hours of an ordinary working day: those most weekdays have, the longer ones when even."""
        counts = Counter(hours for hours in self.week if hours)
        return max(counts, key=lambda hours: (counts[hours], _minutes(hours)))


class BusinessCalendar:
    """Openings laid out as sorted UTC segments with their running sum, so that every question is one binary search."""

    def __init__(self, hours: OpeningHours) -> None:
        """
        :raises CalendarNeverOpens: no weekday has opening hours.
        """
        if not any(hours.week):
            raise CalendarNeverOpens(f"calendar {hours.name} has no opening hours on any weekday")
        self.name = hours.name
        self._hours = hours
        self._usual_day = hours.usual_day()
        self._public_days = PublicDays(hours.country, hours.subdivision)
        self._first_year = self._next_year = 0
        self._opens: list[timedelta] = []
        self._closes: list[timedelta] = []
        self._open_before: list[timedelta] = []  # business time before each segment
        self._open_after: list[timedelta] = []  # business time up to the end of each segment
        self._day_and_night = _NEVER, _NEVER  # a long stretch without a closed moment: nothing to search for in it

    @property
    def zone(self) -> ZoneInfo:
        """In which its hours are written."""
        return self._hours.zone

    @property
    def known_until(self) -> date | None:
        """The last day whose public holidays are known; None when the calendar has none to know (rule 40)."""
        return self._public_days.known_until

    def knows(self, instant: datetime) -> bool:
        """Whether all public holidays up to `instant` are known; a due time past them may have to move (rule 40)."""
        known_until = self.known_until
        return known_until is None or instant.astimezone(self._hours.zone).date() <= known_until

    @property
    def business_day(self) -> timedelta:
        """Opening time of one ordinary working day: the unit `bd` (rule 39)."""
        return timedelta(minutes=_minutes(self._usual_day))

    def reaches(self, duration: timedelta) -> bool:
        """Whether `duration` passes within `SEARCH_YEARS` even when half of the openings fall away as holidays."""
        week = timedelta(minutes=sum(map(_minutes, self._hours.week)))
        return duration <= week * (SEARCH_YEARS * 52 // 2)

    def add(self, instant: datetime, duration: timedelta) -> datetime:
        """Return the earliest instant at which `duration` of business time has passed since `instant`.

        :raises OutOfCalendar: it lies more than `SEARCH_YEARS` ahead.
        """
        if duration <= NOTHING:
            return instant
        opens, closes = self._day_and_night
        if opens <= instant and duration <= closes - instant and instant.tzinfo is UTC:
            return instant + duration
        if not self._first_year < instant.year < self._next_year - 1:
            self._cover(instant.year)
        since = instant - EPOCH
        segment, moment = bisect_right(self._opens, since) - 1, since + duration
        if segment >= 0 and moment <= self._closes[segment]:  # in the opening in which it begins
            found = EPOCH + moment
            return found if found.year == instant.year else _within_reach(found, instant, self.name)
        return self._moment(self._position(instant) + duration, instant)

    def plan(self, instant: datetime, *microseconds: int) -> list[datetime]:
        """Return the next opening and when each of the durations, above zero, has passed since: what a clock needs.

        :raises OutOfCalendar: one of them lies more than `SEARCH_YEARS` ahead.
        """
        return self.begin_all(instant, [duration * MICROSECOND for duration in microseconds])

    def begin(self, instant: datetime, duration: timedelta) -> tuple[datetime, datetime]:
        """Do as `plan` does, for one duration."""
        opens, closes = self._day_and_night
        if opens <= instant and duration <= closes - instant and instant.tzinfo is UTC:
            return instant, instant + duration
        opening, moment = self.begin_all(instant, (duration,))
        return opening, moment

    def begin_all(self, instant: datetime, durations: Sequence[timedelta]) -> list[datetime]:
        """Do as `plan` does. What ends in the opening in which it begins is found at once.

        :raises OutOfCalendar: as `plan`.
        """
        year = instant.year
        if not self._first_year < year < self._next_year - 1:
            self._cover(year)
        moment = instant - EPOCH
        segment = bisect_right(self._closes, moment)  # the one that is open, else the one that opens next
        if segment == len(self._closes):
            self._lay_out_until((self._open_after[-1] if segment else NOTHING) + MICROSECOND, instant)
            segment = bisect_right(self._closes, moment)
        opens, opening = self._opens[segment], instant
        if moment < opens:
            moment, opening = opens, _within_reach(EPOCH + opens, instant, self.name)
        left = self._closes[segment] - moment
        if left > _LONG and not self._day_and_night[0] <= instant <= self._day_and_night[1]:
            self._day_and_night = (
                EPOCH + max(opens, moment - _NEAR),
                EPOCH + min(self._closes[segment], moment + _NEAR),
            )
        moments = [opening]
        for duration in durations:
            if duration <= left:
                found = EPOCH + (moment + duration)
                moments.append(found if found.year == year else _within_reach(found, instant, self.name))
            else:
                moments.append(self._moment(self._open_before[segment] + (moment - opens) + duration, instant))
        return moments

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the business time from `start` to `end`; nothing when `end` is not later."""
        if end <= start:
            return NOTHING
        opens, closes = self._day_and_night
        if opens <= start and end <= closes and start.tzinfo is UTC:
            return end - start
        if not self._first_year < start.year < self._next_year - 1:
            self._cover(start.year)  # before any reading: laying out an earlier year shifts the running sums
        since, until = start - EPOCH, end - EPOCH
        segment = bisect_right(self._opens, since) - 1
        if segment >= 0 and until <= self._closes[segment]:  # both in one opening
            return until - since
        return self._position(end) - self._position(start)

    def next_opening(self, instant: datetime) -> datetime:
        """Return `instant` when it is open, else the moment the calendar opens next."""
        return self._opening(self._position(instant), instant)

    def is_open(self, instant: datetime) -> bool:
        """Whether business time passes at `instant`."""
        return self.next_opening(instant) == instant

    def openings(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Return the stretches between the two in which it is open, in order; stretches that touch are one."""
        if end <= start:
            return []
        self._cover(start.year)
        self._cover(end.year)
        since, until = start - EPOCH, end - EPOCH
        first, behind = bisect_right(self._closes, since), bisect_left(self._opens, until)
        stretches = zip(self._opens[first:behind], self._closes[first:behind], strict=True)
        return [(EPOCH + max(opens, since), EPOCH + min(closes, until)) for opens, closes in stretches]

    def _position(self, instant: datetime) -> timedelta:
        """Business time from the first year laid out until `instant`."""
        if not self._first_year < instant.year < self._next_year - 1:
            self._cover(instant.year)
        moment = instant - EPOCH
        index = bisect_right(self._opens, moment) - 1
        if index < 0:
            return NOTHING
        if moment >= self._closes[index]:
            return self._open_after[index]
        return self._open_before[index] + (moment - self._opens[index])

    def _moment(self, position: timedelta, asked_from: datetime) -> datetime:
        """Return the earliest instant at which `position` is reached."""
        index = bisect_left(self._open_after, position)
        if index == len(self._open_after):
            self._lay_out_until(position, asked_from)
            index = bisect_left(self._open_after, position)
        found = EPOCH + (self._opens[index] + position - self._open_before[index])
        return found if found.year == asked_from.year else _within_reach(found, asked_from, self.name)

    def _opening(self, position: timedelta, instant: datetime) -> datetime:
        """Return the later of `instant` and the start of the segment in which business time goes on."""
        index = bisect_right(self._open_after, position)
        if index == len(self._open_after):
            self._lay_out_until(position + MICROSECOND, instant)
            index = bisect_right(self._open_after, position)
        opens = EPOCH + self._opens[index]
        return instant if opens <= instant else _within_reach(opens, instant, self.name)

    def _lay_out_until(self, position: timedelta, asked_from: datetime) -> None:
        while not self._open_after or self._open_after[-1] < position:
            if self._next_year > asked_from.year + SEARCH_YEARS + 1:  # one more: near New Year zones disagree
                raise _out_of_calendar(self.name, asked_from)
            self._append_year()

    def _cover(self, year: int) -> None:
        """Lay out the year of an instant and its neighbours: near New Year zones disagree on the year."""
        if self._first_year < year < self._next_year - 1:
            return
        if not self._first_year or year - 1 < self._first_year:
            end = self._next_year
            self._first_year = self._next_year = year - 1
            for part in (self._opens, self._closes, self._open_before, self._open_after):
                part.clear()
            while self._next_year < end:
                self._append_year()
        while self._next_year <= year + 1:
            self._append_year()

    def _append_year(self) -> None:
        # Only here the zone matters: a year at a time, and only as far as is asked.
        for start, end in sorted(self._segments(self._next_year)):
            if self._closes and start <= self._closes[-1]:  # touches or overlaps the one before, as 24:00 and 00:00 do
                self._closes[-1] = max(self._closes[-1], end)
            else:
                self._opens.append(start)
                self._closes.append(end)
                self._open_before.append(self._open_after[-1] if self._open_after else NOTHING)
                self._open_after.append(NOTHING)
            self._open_after[-1] = self._open_before[-1] + self._closes[-1] - self._opens[-1]
        self._next_year += 1

    def _segments(self, year: int) -> Iterator[tuple[timedelta, timedelta]]:
        day = date(year, 1, 1)
        while day.year == year:
            midnight = datetime.combine(day, time())
            for start, end in self._intervals_on(day):
                opens = _first_moment(midnight + timedelta(minutes=start), self._hours.zone)
                closes = _first_moment(midnight + timedelta(minutes=end), self._hours.zone)
                if opens < closes:
                    yield opens, closes
            day += timedelta(days=1)

    def _intervals_on(self, day: date) -> tuple[Interval, ...]:
        """Own dates outrank the library's, and a make-up working day (调休) outranks the weekend it falls on."""
        if day in self._hours.working:
            return self._hours.working[day]
        if day in self._hours.closed:
            return ()
        if self._public_days.is_make_up_day(day):
            return self._usual_day
        if self._public_days.is_holiday(day):
            return ()
        return self._hours.week[day.weekday()]


def _minutes(intervals: tuple[Interval, ...]) -> int:
    return sum(end - start for start, end in intervals)


def _within_reach(found: datetime, asked_from: datetime, name: str) -> datetime:
    """Refuse what lies too far ahead, even when years so late were laid out for somebody else's question."""
    if found.year > asked_from.year + SEARCH_YEARS:
        raise _out_of_calendar(name, asked_from)
    return found


def _out_of_calendar(name: str, asked_from: datetime) -> OutOfCalendar:
    return OutOfCalendar(f"calendar {name} does not open long enough after {asked_from:%Y-%m-%d}")


def _first_moment(wall: datetime, zone: ZoneInfo) -> timedelta:
    """Return the first moment at which clocks in `zone` have reached `wall`."""
    early, late = (wall.replace(tzinfo=zone, fold=fold) - EPOCH for fold in (0, 1))
    if early <= late:  # shown once, or twice: then the first time counts
        return early
    before, after = late, early  # never shown (PEP 495 gives the two in reverse): the jump lies between them
    offset_before = (EPOCH + before).astimezone(zone).utcoffset()
    while after - before > MICROSECOND:
        middle = before + (after - before) // 2
        if (EPOCH + middle).astimezone(zone).utcoffset() == offset_before:
            before = middle
        else:
            after = middle
    return after
