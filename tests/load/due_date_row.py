"""How many due dates one core works out a second, beside plain additions that know nothing of business hours."""

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from business_time.calendar import BusinessCalendar, OpeningHours
from tests.load.figures import Figures, Row
from tests.load.rounds import ROUNDS

WorkT = TypeVar("WorkT")

STARTS = 50_000  # for each calendar, a tenth of a second a round: short, so that a disturbance shows in the spread
SEED = 20260101  # the same tickets in every run
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LENGTH = timedelta(days=3 * 365)
TARGET = timedelta(hours=4)
BUDGET = 200_000  # due dates a second and core

WITH_LUNCH = ((9 * 60, 12 * 60), (13 * 60 + 30, 18 * 60))
WHOLE = ((9 * 60, 18 * 60),)
HOURS = (
    OpeningHours("china", ZoneInfo("Asia/Shanghai"), (WITH_LUNCH,) * 5 + ((), ()), "CN"),
    OpeningHours("berlin", ZoneInfo("Europe/Berlin"), (WHOLE,) * 5 + ((), ()), "DE", "BE"),
    OpeningHours("always", ZoneInfo("UTC"), (((0, 24 * 60),),) * 7),
)


def measure_due_dates(figures: Figures, tickets: int = STARTS) -> None:
    """`due_dates`: when a ticket's clock starts and falls due, for tickets of three years on three calendars."""
    random = Random(SEED)
    starts = [FIRST + random.random() * LENGTH for _ in range(tickets)]
    calendars = [BusinessCalendar(hours) for hours in HOURS]
    for calendar in calendars:  # laid out before the watch runs, as in an engine that has decided its first tickets
        calendar.between(FIRST, FIRST + LENGTH + timedelta(days=365))
    limits, ours = [], []
    for _ in range(ROUNDS):
        limits.append(_rate(_add_plainly, len(calendars), starts))
        ours.append(_rate(_plan, calendars, starts))
    note = (
        f"per core; {', '.join(hours.name for hours in HOURS)}; {ROUNDS} rounds of {min(ours):,.0f} to {max(ours):,.0f}"
        f", limit {min(limits):,.0f} to {max(limits):,.0f}; the budget is {BUDGET:,}"
    )
    figures.rows.append(Row("due_dates", sum(ours) / ROUNDS, sum(limits) / ROUNDS, "due dates/s", note))


def _plan(calendars: Sequence[BusinessCalendar], starts: Sequence[datetime]) -> None:
    target = TARGET // timedelta(microseconds=1)
    for calendar in calendars:
        for start in starts:
            calendar.plan(start, target)


def _add_plainly(times: int, starts: Sequence[datetime]) -> None:
    """An addition and one look-up among as many moments as there are days: less no calendar can do."""
    days = [FIRST + timedelta(days=number) for number in range(LENGTH.days)]
    for _ in range(times):
        for start in starts:
            bisect_right(days, start)
            start + TARGET


def _rate(work: Callable[[WorkT, Sequence[datetime]], None], on: WorkT, starts: Sequence[datetime]) -> float:
    """Due dates a second of processor time: what others do on this machine meanwhile is theirs."""
    began = time.process_time()
    work(on, starts)
    return len(HOURS) * len(starts) / (time.process_time() - began)
