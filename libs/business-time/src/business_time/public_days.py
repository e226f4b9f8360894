"""Public holidays and make-up working days, from the library `holidays`."""

from datetime import date

import holidays

YEARLY_NOTICES = frozenset({"AZ", "BY", "CN", "HU", "KG", "KZ", "LV", "MM", "RU", "UZ", "VN"})
"""Countries whose government says anew each year which working days are exchanged (调休); what the library computes
for a year without a notice lacks these days. Taiwan stopped exchanging after 2025; Armenia, Bulgaria, Ukraine before.
"""


class PublicDays:
    """The public days of one country, looked up a year at a time; without a country there are none."""

    def __init__(self, country: str | None, subdivision: str | None = None) -> None:
        """:raises NotImplementedError: the library does not know the country or the subdivision."""
        self._country = country
        self._subdivision = subdivision
        self._holidays: dict[int, frozenset[date]] = {}
        self._make_up_days: dict[int, frozenset[date]] = {}
        # The last day that the library can speak for, None where there is nothing to know.
        self.known_until = None if country is None else date(_last_known_year(country, subdivision), 12, 31)

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


def _last_known_year(country: str, subdivision: str | None) -> int:
    """Return the year of the last notice, where there are notices; else the last year that the library computes."""
    public = holidays.country_holidays(country, subdiv=subdivision)
    if public.country in YEARLY_NOTICES:  # two letters, even where the document gives three
        last_notice: int = max(public.special_public_holidays)
        return last_notice
    return public.end_year
