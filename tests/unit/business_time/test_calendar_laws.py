"""What holds for every calendar, whatever its hours: the arithmetic is one, and forgets nothing."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from business_time.calendar import BusinessCalendar, OpeningHours, OutOfCalendar
from tests.unit.sla_engine.case import NINE_TO_FIVE

MICROSECOND = timedelta(microseconds=1)
WITH_LUNCH = ((9 * 60, 12 * 60), (13 * 60 + 30, 18 * 60))
NIGHT = ((22 * 60, 30 * 60),)
EVENING = ((18 * 60, 24 * 60),)
HOURS = (
    OpeningHours("china", ZoneInfo("Asia/Shanghai"), (WITH_LUNCH,) * 5 + ((), ()), "CN"),
    OpeningHours("bavaria by night", ZoneInfo("Europe/Berlin"), (NIGHT,) * 5 + ((), ()), "DE", "BY"),
    OpeningHours("always open", ZoneInfo("Australia/Lord_Howe"), (((0, 24 * 60),),) * 7),
    OpeningHours("evenings", ZoneInfo("America/Sao_Paulo"), (EVENING,) * 7, "BR"),
    OpeningHours("a day skipped", ZoneInfo("Pacific/Apia"), (NINE_TO_FIVE,) * 7, closed=frozenset({date(2012, 1, 2)})),
    OpeningHours(
        "day and night but for two days",
        ZoneInfo("Europe/Berlin"),
        (((0, 24 * 60),),) * 7,
        closed=frozenset({date(2014, 12, 25), date(2019, 5, 1)}),
    ),
    OpeningHours("mondays", ZoneInfo("Asia/Kathmandu"), (NINE_TO_FIVE, *((),) * 6), working={date(2026, 5, 1): NIGHT}),
)
ROUND_THE_CLOCK = 5


@cache
def calendar_of(index: int) -> BusinessCalendar:
    return BusinessCalendar(HOURS[index])


calendars = st.integers(0, len(HOURS) - 1).map(calendar_of)
BEGIN = datetime(2011, 1, 1, tzinfo=UTC)  # the year in which Apia skipped its day
moments = st.timedeltas(timedelta(), timedelta(days=17 * 365)).map(lambda passed: BEGIN + passed)
durations = st.timedeltas(MICROSECOND, timedelta(weeks=3))
thorough = settings(max_examples=300, deadline=None)


@thorough
@given(calendars, moments, durations)
def test_what_was_added_is_what_lies_between_and_no_earlier_moment_has_it(
    calendar: BusinessCalendar, start: datetime, duration: timedelta
) -> None:
    due = calendar.add(start, duration)
    assert calendar.between(start, due) == duration
    assert calendar.between(start, due - MICROSECOND) == duration - MICROSECOND


@thorough
@given(calendars, moments, durations, durations)
def test_a_sum_of_durations_is_added_in_one_step_or_in_two(
    calendar: BusinessCalendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    assert calendar.add(calendar.add(start, first), second) == calendar.add(start, first + second)


@thorough
@given(calendars, moments, st.timedeltas(timedelta(), timedelta(weeks=3)), durations, durations)
def test_who_starts_later_or_has_longer_is_never_due_earlier(
    calendar: BusinessCalendar, start: datetime, later: timedelta, duration: timedelta, longer: timedelta
) -> None:
    due = calendar.add(start, duration)
    assert due <= calendar.add(start + later, duration)
    assert due < calendar.add(start, duration + longer)


@thorough
@given(calendars, moments, moments, moments)
def test_time_between_is_the_sum_of_its_parts(
    calendar: BusinessCalendar, one: datetime, two: datetime, three: datetime
) -> None:
    first, second, third = sorted((one, two, three))
    parts = calendar.between(first, second) + calendar.between(second, third)
    assert parts == calendar.between(first, third)


@thorough
@given(calendars, moments)
def test_the_next_opening_is_open_and_no_business_time_passes_before_it(
    calendar: BusinessCalendar, start: datetime
) -> None:
    opening = calendar.next_opening(start)
    assert opening >= start
    assert calendar.next_opening(opening) == opening
    assert calendar.is_open(opening)
    assert calendar.between(start, opening) == timedelta()
    assert calendar.between(start, opening + MICROSECOND) == MICROSECOND


@thorough
@given(calendars, moments, durations, durations)
def test_a_plan_is_the_next_opening_and_each_due_time(
    calendar: BusinessCalendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    planned = calendar.plan(start, first // MICROSECOND, second // MICROSECOND)
    assert planned == [calendar.next_opening(start), calendar.add(start, first), calendar.add(start, second)]
    assert calendar.begin(start, first) == tuple(planned[:2])
    assert calendar.begin_all(start, (first, second)) == planned


def test_a_promise_that_lays_out_more_years_moves_no_other_of_the_same_plan() -> None:
    always = BusinessCalendar(OpeningHours("always open", ZoneInfo("UTC"), (((0, 24 * 60),),) * 7))  # one opening
    targets = [timedelta(days=days) for days in (2500, 1500, 2600)]
    assert always.begin_all(BEGIN, targets) == [BEGIN, *(BEGIN + target for target in targets)]


@thorough
@given(calendars, calendars, moments, st.timedeltas(timedelta(), timedelta(weeks=4)), durations)
@example(
    calendar_of(0), calendar_of(2), datetime(2026, 2, 14, 8, 30, tzinfo=UTC), timedelta(days=9), timedelta(hours=9)
)
def test_rule_41_a_ticket_moved_between_calendars_sums_each_part_in_the_calendar_in_force(
    before: BusinessCalendar, after: BusinessCalendar, start: datetime, moved_after: timedelta, target: timedelta
) -> None:
    moved = start + moved_after
    used = before.between(start, moved)
    if used >= target:  # due before the move: nothing is left for the other calendar
        assert before.add(start, target) <= moved
        return
    due = after.add(moved, target - used)
    assert due > moved
    assert before.between(start, moved) + after.between(moved, due) == target
    assert before.add(start, target) > moved


def test_rule_41_by_example_two_hours_of_an_office_and_the_rest_round_the_clock() -> None:
    office, always = calendar_of(0), calendar_of(2)
    friday_four_pm, saturday = datetime(2026, 1, 9, 8, tzinfo=UTC), datetime(2026, 1, 10, 2, tzinfo=UTC)
    used = office.between(friday_four_pm, saturday)
    assert used == timedelta(hours=2)
    assert always.add(saturday, timedelta(hours=8) - used) == saturday + timedelta(hours=6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, len(HOURS) - 1), moments, durations, st.lists(moments, max_size=3))
def test_an_answer_does_not_depend_on_what_was_asked_before(
    index: int, start: datetime, duration: timedelta, asked_before: list[datetime]
) -> None:
    fresh, asked = BusinessCalendar(HOURS[index]), BusinessCalendar(HOURS[index])
    for moment in asked_before:
        asked.begin(moment, timedelta(hours=100))
    assert asked.begin(start, duration) == fresh.begin(start, duration)
    assert asked.add(start, duration) == fresh.add(start, duration)
    assert asked.between(start, start + duration) == fresh.between(start, start + duration)


def test_a_day_on_which_a_calendar_without_nights_is_closed_interrupts_what_was_asked_around_it() -> None:
    calendar, hour, day = BusinessCalendar(HOURS[ROUND_THE_CLOCK]), timedelta(hours=1), timedelta(days=1)
    closes = datetime(2019, 4, 30, 22, tzinfo=UTC)  # midnight in Berlin
    for asked in (closes - 100 * day, closes + 100 * day):
        assert calendar.begin(asked, hour) == (asked, asked + hour)
        assert calendar.begin(closes - hour, hour) == (closes - hour, closes)
        assert calendar.begin(closes - hour, 2 * hour) == (closes - hour, closes + day + hour)
        assert calendar.begin(closes, hour) == (closes + day, closes + day + hour)
        assert calendar.add(closes - hour, 2 * hour) == closes + day + hour
        assert calendar.between(closes - hour, closes + day + hour) == 2 * hour
        assert calendar.between(closes - hour, closes) == hour


def test_a_calendar_without_nights_counts_what_a_clock_shows_twice_and_answers_in_utc() -> None:
    calendar, hour = BusinessCalendar(HOURS[ROUND_THE_CLOCK]), timedelta(hours=1)
    calendar.begin(datetime(2025, 9, 1, tzinfo=UTC), hour)
    evening, morning = (datetime(2025, 10, day, 12, tzinfo=ZoneInfo("Europe/Berlin")) for day in (25, 26))
    assert calendar.between(evening, morning) == 25 * hour
    due = calendar.add(evening, 25 * hour)
    assert (due, due.tzinfo) == (morning, UTC)
    assert calendar.begin(evening, 25 * hour)[1] == morning


def test_a_calendar_without_nights_reaches_no_further_when_it_was_asked_before() -> None:
    calendar = BusinessCalendar(HOURS[2])
    for year in (2011, 2015, 2019, 2023):
        calendar.begin(datetime(year, 1, 1, tzinfo=UTC), timedelta(days=1))
    for ask in (calendar.add, calendar.begin):
        with pytest.raises(OutOfCalendar):
            ask(datetime(2012, 1, 1, tzinfo=UTC), timedelta(days=12 * 365))


@settings(max_examples=60, deadline=None)
@given(calendars, moments, st.timedeltas(timedelta(), timedelta(weeks=60)))
def test_openings_are_apart_and_all_the_business_time_there_is(
    calendar: BusinessCalendar, start: datetime, length: timedelta
) -> None:
    end = start + length
    openings = calendar.openings(start, end)
    assert sum((closes - opens for opens, closes in openings), timedelta()) == calendar.between(start, end)
    edges = [edge for opening in openings for edge in opening]
    assert edges == sorted(set(edges))
    assert all(start <= edge <= end for edge in edges)
    assert calendar.openings(end, start) == []


def test_what_closes_as_the_stretch_begins_or_opens_as_it_ends_is_no_opening_of_it() -> None:
    evenings, noon = calendar_of(3), BEGIN + timedelta(days=40, hours=12)
    [(opens, closes)] = evenings.openings(noon, noon + timedelta(days=1))
    assert evenings.openings(closes, opens + timedelta(days=1)) == []
    assert evenings.openings(opens, closes) == [(opens, closes)]
