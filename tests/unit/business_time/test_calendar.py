"""Rules 36 to 40 of the SLA semantics by example; the oracle of test_calendar_oracle.py proves the rest."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from business_time.calendar import BusinessCalendar, CalendarNeverOpens, OpeningHours, OutOfCalendar
from tests.unit.business_time.chinese_days import DAYS_OFF, MAKE_UP_DAYS
from tests.unit.sla_engine.case import NINE_TO_FIVE, office

HOUR = timedelta(hours=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def calendar_of(zone: str, week: tuple[tuple[tuple[int, int], ...], ...]) -> BusinessCalendar:
    return BusinessCalendar(OpeningHours("test", ZoneInfo(zone), week))


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_rule_36_a_lunch_break_does_not_count() -> None:
    day = ((9 * 60, 12 * 60), (13 * 60, 17 * 60))
    calendar = calendar_of("UTC", (day,) * 5 + ((), ()))
    assert calendar.add(utc(2026, 1, 5, 11, 30), HOUR) == utc(2026, 1, 5, 13, 30)
    assert calendar.between(utc(2026, 1, 5, 11, 30), utc(2026, 1, 5, 13, 30)) == HOUR


def test_rule_36_a_night_shift_belongs_to_the_day_it_begins_on() -> None:
    friday_night = ((22 * 60, 30 * 60),)
    calendar = calendar_of("UTC", ((), (), (), (), friday_night, (), ()))
    assert calendar.add(utc(2026, 1, 9, 23), 4 * HOUR) == utc(2026, 1, 10, 3)
    assert calendar.add(utc(2026, 1, 10, 5), 2 * HOUR) == utc(2026, 1, 16, 23)


def test_rule_36_an_interval_that_ends_at_24_00_joins_the_next_day_without_a_gap() -> None:
    calendar = calendar_of("UTC", (((0, 24 * 60),),) * 7)
    assert calendar.add(utc(2026, 1, 5, 23), 48 * HOUR) == utc(2026, 1, 7, 23)
    evening = calendar_of("UTC", (((18 * 60, 24 * 60),),) * 7)
    assert evening.add(utc(2026, 1, 5, 23), HOUR) == utc(2026, 1, 6)
    assert evening.next_opening(utc(2026, 1, 6)) == utc(2026, 1, 6, 18)


def test_rule_37_a_day_of_23_or_25_hours_has_as_much_business_time_as_a_stop_watch_shows() -> None:
    calendar = calendar_of("Europe/Berlin", (((0, 24 * 60),),) * 7)
    always = timedelta(hours=24)
    berlin = ZoneInfo("Europe/Berlin")
    for day, length in ((date(2026, 3, 29), always - HOUR), (date(2026, 10, 25), always + HOUR)):
        midnight = datetime(day.year, day.month, day.day, tzinfo=berlin)
        following = midnight + timedelta(days=1)  # wall clock arithmetic of a zoned time
        assert calendar.between(midnight.astimezone(UTC), following.astimezone(UTC)) == length


def test_rule_37_hours_are_meant_in_the_calendar_s_zone_on_both_sides_of_a_change() -> None:
    calendar = calendar_of("Europe/Berlin", (NINE_TO_FIVE,) * 7)
    assert calendar.next_opening(utc(2026, 3, 28, 3)) == utc(2026, 3, 28, 8)
    assert calendar.next_opening(utc(2026, 3, 29, 3)) == utc(2026, 3, 29, 7)


def test_rule_37_an_opening_that_the_clock_skips_opens_when_it_has_jumped() -> None:
    calendar = calendar_of("Europe/Berlin", (((2 * 60 + 30, 4 * 60),),) * 7)
    assert calendar.next_opening(utc(2026, 3, 29)) == utc(2026, 3, 29, 1)  # 02:00 becomes 03:00
    assert calendar.between(utc(2026, 3, 29), utc(2026, 3, 30)) == HOUR


@pytest.mark.parametrize("day", MAKE_UP_DAYS)
def test_rule_38_a_make_up_working_day_works_although_it_is_a_weekend(day: str) -> None:
    calendar = office(zone=SHANGHAI, country="CN")
    assert date.fromisoformat(day).weekday() >= 5
    assert calendar.is_open(datetime.fromisoformat(f"{day}T10:00+08:00").astimezone(UTC))


@pytest.mark.parametrize("day", DAYS_OFF)
def test_rule_38_a_public_holiday_is_closed_although_it_is_a_weekday(day: str) -> None:
    calendar = office(zone=SHANGHAI, country="CN")
    assert date.fromisoformat(day).weekday() < 5
    assert not calendar.is_open(datetime.fromisoformat(f"{day}T10:00+08:00").astimezone(UTC))


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_rule_38_no_other_day_of_the_year_differs_from_its_weekday(year: int) -> None:
    calendar = office(zone=SHANGHAI, country="CN")
    day = date(year, 1, 1)
    while day.year == year:
        named = day.isoformat() in MAKE_UP_DAYS + DAYS_OFF
        at_ten = datetime.fromisoformat(f"{day}T10:00+08:00").astimezone(UTC)
        assert calendar.is_open(at_ten) == ((day.weekday() < 5) != named), day
        day += timedelta(days=1)


def test_rule_38_own_closures_and_own_working_days_outrank_the_library() -> None:
    calendar = office(
        zone=SHANGHAI,
        country="CN",
        closed=frozenset({date(2026, 1, 5), date(2026, 2, 14)}),
        working={date(2026, 1, 1): ((10 * 60, 11 * 60),)},
    )
    assert not calendar.is_open(datetime(2026, 1, 5, 10, tzinfo=SHANGHAI).astimezone(UTC))
    assert not calendar.is_open(datetime(2026, 2, 14, 10, tzinfo=SHANGHAI).astimezone(UTC))
    assert calendar.between(utc(2026, 1, 1), utc(2026, 1, 2)) == HOUR


def test_rule_38_a_closed_date_may_open_for_part_of_the_day() -> None:
    calendar = office(zone=ZoneInfo("Europe/Berlin"), country="DE", working={date(2026, 12, 25): ((9 * 60, 10 * 60),)})
    christmas, eve = utc(2026, 12, 25), utc(2026, 12, 24)
    assert calendar.between(christmas, christmas + 24 * HOUR) == HOUR
    assert calendar.add(eve + 15 * HOUR, 2 * HOUR) == christmas + 9 * HOUR


def test_rule_38_a_subdivision_has_holidays_of_its_own() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    epiphany = datetime(2026, 1, 6, 10, tzinfo=berlin).astimezone(UTC)
    assert not office(zone=berlin, country="DE", subdivision="BY").is_open(epiphany)
    assert office(zone=berlin, country="DE", subdivision="BE").is_open(epiphany)


@pytest.mark.parametrize(("year", "working_days"), [(2024, 251), (2025, 248), (2026, 248)])
def test_rule_38_a_chinese_year_has_as_many_working_days_as_its_payrolls_count(year: int, working_days: int) -> None:
    calendar = office(zone=SHANGHAI, country="CN")
    begins, ends = (datetime(each, 1, 1, tzinfo=SHANGHAI).astimezone(UTC) for each in (year, year + 1))
    assert calendar.between(begins, ends) == working_days * 8 * HOUR


def test_rule_39_one_business_day_is_the_opening_time_of_an_ordinary_working_day() -> None:
    short_friday = ((9 * 60, 12 * 60),)
    calendar = calendar_of("UTC", (NINE_TO_FIVE,) * 4 + (short_friday, (), ()))
    assert calendar.business_day == 8 * HOUR


def test_rule_40_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(CalendarNeverOpens, match="test"):
        calendar_of("UTC", ((),) * 7)


def test_rule_40_a_due_time_past_the_last_notice_is_known_to_be_uncertain() -> None:
    calendar = office(zone=SHANGHAI, country="CN")
    assert calendar.known_until is not None
    last_evening = datetime.combine(calendar.known_until, time(23, 59), SHANGHAI).astimezone(UTC)
    assert calendar.knows(last_evening)
    assert not calendar.knows(last_evening + timedelta(minutes=1))


def test_rule_40_without_public_holidays_there_is_nothing_not_to_know() -> None:
    assert office().known_until is None
    assert office().knows(utc(9000, 1, 1))


def test_a_target_that_no_decade_of_openings_can_hold_is_an_error_and_no_endless_search() -> None:
    calendar = calendar_of("UTC", (((9 * 60, 9 * 60 + 1),), *((),) * 6))
    with pytest.raises(OutOfCalendar, match="test"):
        calendar.add(utc(2026, 1, 5), timedelta(hours=10))


def test_a_night_shift_of_new_year_s_eve_is_open_however_the_years_were_asked_for() -> None:
    night = calendar_of("UTC", (((22 * 60, 30 * 60),),) * 7)
    assert night.is_open(utc(2026, 1, 1, 2))
    assert night.is_open(utc(2025, 1, 1, 2))


def test_a_zone_ahead_of_utc_is_in_the_new_year_already() -> None:
    calendar = calendar_of("Pacific/Apia", (((0, 9 * 60),),) * 7)
    assert calendar.is_open(utc(2026, 6, 30, 12))
    assert calendar.between(utc(2027, 12, 31, 11), utc(2027, 12, 31, 18)) == 7 * HOUR


def test_a_target_out_of_reach_stays_so_when_later_years_were_asked_before() -> None:
    calendar = calendar_of("UTC", (((9 * 60, 9 * 60 + 1),), *((),) * 6))
    assert calendar.is_open(utc(2050, 1, 3, 9))
    with pytest.raises(OutOfCalendar, match="test"):
        calendar.add(utc(2026, 1, 5), timedelta(hours=10))


def test_earlier_years_may_be_asked_after_later_ones() -> None:
    calendar = office()
    later = calendar.between(utc(2026, 1, 5), utc(2026, 1, 6))
    assert calendar.between(utc(2020, 1, 6), utc(2020, 1, 7)) == later
    assert calendar.between(utc(2026, 1, 5), utc(2026, 1, 6)) == later
    assert calendar.between(utc(2019, 12, 31), utc(2020, 1, 2)) == 2 * later
