"""Public days of a country, and until when the library can speak for them (rule 40)."""

from datetime import date

import holidays
import pytest

from business_time.public_days import YEARLY_NOTICES, PublicDays

EXCHANGES_ABOLISHED = {"TW"}
"""Its last exchanged Saturday was in February 2025; since 2026 the days off follow from the law alone."""


def test_of_china_no_more_is_known_than_the_last_notice_says() -> None:
    known_until = PublicDays("CN").known_until
    assert known_until is not None
    assert known_until >= date(2026, 12, 31)
    assert PublicDays("CHN").known_until == known_until
    last_year, next_year = known_until.year, known_until.year + 1
    assert any(PublicDays("CN").is_make_up_day(date(last_year, month, day)) for month, day in _days_of_a_year())
    assert not any(PublicDays("CN").is_make_up_day(date(next_year, month, day)) for month, day in _days_of_a_year())


@pytest.mark.parametrize(("country", "known_until"), [("DE", date(2100, 12, 31)), ("JP", date(2099, 12, 31))])
def test_where_the_law_names_the_days_they_are_known_as_long_as_the_library_computes(
    country: str, known_until: date
) -> None:
    days = PublicDays(country)
    assert days.known_until == known_until
    assert days.is_holiday(date(known_until.year, 1, 1))
    assert not days.is_holiday(date(known_until.year + 1, 1, 1))


def test_without_a_country_there_is_nothing_to_know() -> None:
    days = PublicDays(None)
    assert days.known_until is None
    assert not days.is_holiday(date(2026, 1, 1))


def test_the_countries_with_yearly_notices_are_those_that_the_library_has_seen_exchange_days_of_late() -> None:
    exchanging = set()
    for country in holidays.list_supported_countries(include_aliases=False):
        known = holidays.country_holidays(country, years=range(2024, 2030))
        if any(day.year >= 2025 for day in known.weekend_workdays):
            exchanging.add(country)
    assert exchanging - EXCHANGES_ABOLISHED == YEARLY_NOTICES


def _days_of_a_year() -> list[tuple[int, int]]:
    return [(month, day) for month in range(1, 13) for day in range(1, 29)]
