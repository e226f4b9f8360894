"""The calendar against an oracle that is slow and obviously right: it looks at every minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from sla_engine.domain.calendar import BusinessCalendar, Interval, OpeningHours

MINUTE = timedelta(minutes=1)
# Around changes of daylight saving: at 02:00, at midnight, by half an hour, in the south; one zone without any, one
# that skipped a whole day.
PLACES = [
    ("Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 5, tzinfo=UTC)),
    ("Asia/Beirut", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC)),
    ("Asia/Shanghai", datetime(2026, 12, 31, tzinfo=UTC)),
]
WINDOW = 3 * 24 * 60


class MinuteOracle:
    """Opens a minute when the latest wall time that clocks have shown by then lies in an interval."""

    def __init__(self, week: tuple[tuple[Interval, ...], ...], zone: ZoneInfo, start: datetime) -> None:
        self._week = week
        reached = (start - timedelta(days=2)).astimezone(zone).replace(tzinfo=None)
        self.open: list[bool] = []
        for minute in range(-2 * 24 * 60, WINDOW):
            wall = (start + minute * MINUTE).astimezone(zone).replace(tzinfo=None)
            reached = max(reached, wall)
            if minute >= 0:
                self.open.append(self._is_open(reached))

    def _is_open(self, wall: datetime) -> bool:
        midnight = wall.replace(hour=0, minute=0)
        minutes = (wall - midnight) // MINUTE
        today = any(start <= minutes < end for start, end in self._week[wall.weekday()])
        yesterday = self._week[(midnight - timedelta(days=1)).weekday()]
        return today or any(start <= minutes + 24 * 60 < end for start, end in yesterday)

    def between(self, first: int, last: int) -> int:
        return sum(self.open[first:last])

    def add(self, first: int, minutes: int) -> int | None:
        for index in range(first, WINDOW):
            if minutes == 0:
                return index
            minutes -= self.open[index]
        return None

    def next_opening(self, first: int) -> int | None:
        return next((index for index in range(first, WINDOW) if self.open[index]), None)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    start = draw(st.integers(0, 24 * 60 - 1))
    return start, draw(st.integers(start + 1, start + 24 * 60))


weeks = st.tuples(*[st.lists(intervals(), max_size=2).map(tuple)] * 7).filter(any)


@settings(max_examples=60, deadline=None)
@given(weeks, st.sampled_from(PLACES), st.integers(0, WINDOW), st.integers(0, WINDOW), st.integers(1, 2000))
def test_the_calendar_agrees_with_a_minute_by_minute_oracle(
    week: tuple[tuple[Interval, ...], ...], place: tuple[str, datetime], first: int, last: int, minutes: int
) -> None:
    zone, start = ZoneInfo(place[0]), place[1]
    calendar = BusinessCalendar(OpeningHours("test", zone, week))
    oracle = MinuteOracle(week, zone, start)
    asked = start + first * MINUTE
    assert calendar.between(asked, start + last * MINUTE) == oracle.between(first, last) * MINUTE
    if (due := oracle.add(first, minutes)) is not None:
        assert calendar.add(asked, minutes * MINUTE) == start + due * MINUTE
    if (opening := oracle.next_opening(first)) is not None:
        assert calendar.next_opening(asked) == start + opening * MINUTE


@settings(max_examples=60, deadline=None)
@given(weeks, st.sampled_from(PLACES), st.integers(0, WINDOW), st.integers(1, 10**11))
def test_what_was_added_is_what_lies_between(
    week: tuple[tuple[Interval, ...], ...], place: tuple[str, datetime], first: int, microseconds: int
) -> None:
    calendar = BusinessCalendar(OpeningHours("test", ZoneInfo(place[0]), week))
    asked, duration = place[1] + first * MINUTE, timedelta(microseconds=microseconds)
    minutes_a_week = sum(end - start for day in week for start, end in day)
    duration = min(duration, timedelta(minutes=minutes_a_week) * 50)  # some weeks open for a minute only
    due = calendar.add(asked, duration)
    assert calendar.between(asked, due) == duration
    assert calendar.between(asked, due - timedelta(microseconds=1)) == duration - timedelta(microseconds=1)
