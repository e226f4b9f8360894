"""Public holidays and make-up working days, from the library `holidays`."""

from datetime import date

import holidays


class PublicDays:
    """The public days of one country, looked up a year at a time; without a country there are none."""

    def __init__(self, country: str | None, subdivision: str | None = None) -> None:
        self._country = country
        self._subdivision = subdivision
        self._holidays: dict[int, frozenset[date]] = {}
        self._make_up_days: dict[int, frozenset[date]] = {}

    def is_holiday(self, day: date) -> bool:
        return day in self._year(self._holidays, day.year)

    def is_make_up_day(self, day: date) -> bool:
        """Whether a weekend day works in exchange for a day off (调休). The library calls it a weekend workday."""
        return day in self._year(self._make_up_days, day.year)

    def _year(self, of_kind: dict[int, frozenset[date]], year: int) -> frozenset[date]:
        if year not in of_kind:
            self._load(year)
        return of_kind[year]

    def _load(self, year: int) -> None:
        if self._country is None:
            self._holidays[year] = self._make_up_days[year] = frozenset()
            return
        # The neighbours too: a notice for one year may move a day of the year before or after it.
        public = holidays.country_holidays(self._country, subdiv=self._subdivision, years=(year - 1, year, year + 1))
        self._holidays[year] = frozenset(day for day in public if day.year == year)
        self._make_up_days[year] = frozenset(day for day in public.weekend_workdays if day.year == year)
