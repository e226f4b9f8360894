"""The calendar against an oracle that looks at every minute, where zones do their worst."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from business_time.calendar import BusinessCalendar, Interval, OpeningHours
from tests.unit.business_time.minute_oracle import MINUTE, WINDOW, MinuteOracle

# A few days before: changes at 02:00, at midnight (in spring an hour of the day is missing, in autumn an hour of the
# evening comes twice), by half an hour, by a quarter of an hour; in the south; a zone that skipped a whole day; none.
PLACES = [
    ("Europe/Berlin", datetime(2026, 3, 24, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 20, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 28, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 9, 30, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 1, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 2, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 10, 31, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2019, 2, 13, tzinfo=UTC)),
    ("Asia/Beirut", datetime(2026, 3, 25, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(1985, 12, 28, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 26, tzinfo=UTC)),
    ("Asia/Shanghai", datetime(2026, 12, 28, tzinfo=UTC)),
]

WEEK = 7 * 24 * 60  # minutes
MICROSECOND = timedelta(microseconds=1)

# Often where the places above change: 00:10 and 00:30, 01:30, 02:00 and 02:30, 23:30.
edges = st.sampled_from([0, 10, 30, 90, 120, 150, 9 * 60, 12 * 60, 23 * 60 + 30, 24 * 60]) | st.integers(0, 24 * 60)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """Any stretch of a day; one that would end before it begins ends on the next day."""
    start, end = draw(edges.filter(lambda edge: edge < 24 * 60)), draw(edges)
    return start, end if end > start else end + 24 * 60


days = st.lists(intervals(), max_size=3).map(tuple)


@st.composite
def opening_hours(draw: st.DrawFn, zone: str, start: datetime) -> OpeningHours:
    """A week that opens, and own dates within the window, the day before it included for its night."""
    near = st.integers(-1, WINDOW // (24 * 60)).map(lambda day: (start + timedelta(days=day)).date())
    week = draw(st.tuples(*[days] * 7).filter(any))
    closed: frozenset[date] = draw(st.frozensets(near, max_size=4))
    working: dict[date, tuple[Interval, ...]] = draw(st.dictionaries(near, days, max_size=4))
    return OpeningHours("test", ZoneInfo(zone), week, closed=closed, working=working)


near_the_change = st.integers(3 * 24 * 3600, 6 * 24 * 3600)
moments = (near_the_change | st.integers(0, WINDOW * 60 - 1)).map(lambda seconds: timedelta(seconds=seconds))
fractions = st.sampled_from([0, 1, 999_999]) | st.integers(0, 999_999)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0]} {place[1]:%Y-%m-%d}")
@pytest.mark.parametrize("offset", [10, 40])
def test_with_an_edge_every_half_hour_every_minute_is_open_or_closed_as_clocks_show(
    place: tuple[str, datetime], offset: int
) -> None:
    comb = tuple((minute + offset, minute + offset + 30) for minute in range(0, 24 * 60, 60))
    hours = OpeningHours("comb", ZoneInfo(place[0]), (comb,) * 7)
    calendar, oracle = BusinessCalendar(hours), MinuteOracle(hours, place[1], WEEK)
    assert [calendar.is_open(place[1] + index * MINUTE) for index in range(WEEK)] == oracle.open


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(PLACES))
def test_the_calendar_agrees_with_a_minute_by_minute_oracle(data: st.DataObject, place: tuple[str, datetime]) -> None:
    hours = data.draw(opening_hours(*place))
    calendar, oracle = BusinessCalendar(hours), MinuteOracle(hours, place[1])
    first, last = sorted(place[1] + data.draw(moments) + timedelta(microseconds=data.draw(fractions)) for _ in range(2))
    assert calendar.between(first, last) == oracle.between(first, last)
    assert calendar.between(last, first) == timedelta()
    for duration in (data.draw(moments) + timedelta(microseconds=1 + data.draw(fractions)), 7 * MINUTE):
        if (due := oracle.add(first, duration)) is not None:
            assert calendar.add(first, duration) == due
    if (opening := oracle.next_opening(first)) is not None:
        assert calendar.next_opening(first) == opening
        assert calendar.is_open(first) == (opening == first)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.sampled_from(PLACES))
def test_at_each_opening_and_closing_the_calendar_is_exact_to_the_microsecond(
    data: st.DataObject, place: tuple[str, datetime]
) -> None:
    hours = data.draw(opening_hours(*place))
    calendar, oracle = BusinessCalendar(hours), MinuteOracle(hours, place[1])
    changes = oracle.changes()
    assume(changes)
    change = data.draw(st.sampled_from(changes))
    for first in (change - MICROSECOND, change, change + MICROSECOND):
        opening, due = oracle.next_opening(first), oracle.add(first, 3 * MINUTE)
        assert opening is None or calendar.next_opening(first) == opening
        assert due is None or (calendar.add(first, 3 * MINUTE), calendar.between(first, due)) == (due, 3 * MINUTE)
    assert calendar.is_open(change) != calendar.is_open(change - MICROSECOND)
