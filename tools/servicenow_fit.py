"""The targets and hours that agree best with `made_sla`: the desk does not tell its own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from business_time.calendar import BusinessCalendar, OpeningHours
from ticket_contracts.vocabulary import Priority
from tools.servicenow_log import Incident, Reading, policies_of, resolution

ZONE = ZoneInfo("UTC")
ENDLESS = int(timedelta(days=3650).total_seconds())

Window = tuple[int, int]
"""Opening hours of a working day in whole hours after midnight, on the log's own clock: start and end."""

WINDOWS: tuple[Window, ...] = tuple((opens, closes) for opens in range(24) for closes in range(opens + 1, 25))


def daily(name: str, window: Window, days: int = 5) -> BusinessCalendar:
    """Return the calendar that opens on the first `days` of a week, always at the same hours."""
    interval = (window[0] * 60, window[1] * 60)
    return BusinessCalendar(OpeningHours(name, ZONE, ((interval,),) * days + ((),) * (7 - days)))


ALWAYS = daily("always open", (0, 24), days=7)


@dataclass(frozen=True, slots=True)
class Run:
    """An incident and the stretch of time that its resolution clock ran; `end` is None when it never stopped."""

    incident: Incident
    start: datetime
    end: datetime | None


def measure(incidents: Iterable[Incident], reading: Reading) -> list[Run]:
    """Import under a target that is never missed, and return when each incident's clock ran."""
    endless = policies_of(dict.fromkeys(Priority, (ENDLESS, ALWAYS)), reading)
    clocks = ((incident, resolution(incident, reading, endless)) for incident in incidents)
    return [Run(incident, clock.started_at, clock.stopped_at) for incident, clock in clocks]


@dataclass(frozen=True, slots=True)
class Span:
    """The targets between which the log does not decide, in seconds: all disagree with `made_sla` equally often.

    `met` is the longest time that counts as met, `missed` the shortest that counts as missed; None when there is none.
    """

    met: int | None
    missed: int | None
    disagreeing: int

    @property
    def target(self) -> int:
        """The middle, as far as can be from both; without an upper end just what counts as met."""
        low = self.met or 0
        return max((low + self.missed) // 2, 1) if self.missed is not None else low + 1

    def __str__(self) -> str:
        met, missed = ("none" if end is None else f"{end / 3600:.2f} h" for end in (self.met, self.missed))
        return f"met up to {met}, missed from {missed}"

    def leaves_open(self, seconds: float) -> bool:
        """Whether an equally good target would judge a clock that ran so long the other way."""
        return (self.met or 0) < seconds and (self.missed is None or seconds < self.missed)


def best_span(times: Iterable[tuple[int, bool]]) -> Span:
    """Return the targets that agree best with pairs of seconds and `made_sla`; of equals the shortest."""
    ran = sorted(times)
    disagreeing = fewest = sum(made for _, made in ran)
    best = 0
    for place, (_, made) in enumerate(ran, 1):
        disagreeing += -1 if made else 1
        if disagreeing < fewest:
            fewest, best = disagreeing, place
    return Span(ran[best - 1][0] if best else None, ran[best][0] if best < len(ran) else None, fewest)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one priority is promised."""

    calendar: BusinessCalendar
    span: Span


def fit(runs: Sequence[Run], hours: BusinessCalendar) -> dict[Priority, Terms]:
    """Return the best terms per priority; `hours` only where an always open calendar agrees less."""
    fitted: dict[Priority, Terms] = {}
    for priority, ended in _by_priority(runs).items():
        always, within = (_span(ended, calendar) for calendar in (ALWAYS, hours))
        needed = within.disagreeing < always.disagreeing
        fitted[priority] = Terms(hours, within) if needed else Terms(ALWAYS, always)
    return fitted


def _by_priority(runs: Iterable[Run]) -> Mapping[Priority, list[tuple[datetime, datetime, bool]]]:
    found: defaultdict[Priority, list[tuple[datetime, datetime, bool]]] = defaultdict(list)
    for run in runs:
        ended = found[run.incident.priority]  # there even when nothing ended
        if run.end is not None:
            ended.append((run.start, run.end, run.incident.made_sla))
    return {priority: found[priority] for priority in reversed(Priority) if priority in found}


def _span(ended: Iterable[tuple[datetime, datetime, bool]], calendar: BusinessCalendar) -> Span:
    return best_span((int(calendar.between(start, end).total_seconds()), made) for start, end, made in ended)


def desk_hours(runs: Sequence[Run]) -> list[Window]:
    """Return the opening hours, Monday to Friday, under which fewest disagree: all that are equal, the shortest first.

    Every stretch of whole hours is tried; each priority takes its own best target, and needs the hours or not.
    """
    found = dict.fromkeys(WINDOWS, 0)
    for ended in _by_priority(runs).values():
        always = _span(ended, ALWAYS).disagreeing
        for window, disagreeing in _windows(ended):
            found[window] += min(always, disagreeing)
    fewest = min(found.values())
    best = [window for window, disagreeing in found.items() if disagreeing == fewest]
    return sorted(best, key=lambda window: (window[1] - window[0], window))


def _windows(ended: Sequence[tuple[datetime, datetime, bool]]) -> Iterator[tuple[Window, int]]:
    """Yield every window and how many disagree under it. Hours add up, so each is counted once for all windows."""
    hours = [daily("one hour", (hour, hour + 1)) for hour in range(24)]
    upto = [
        list(accumulate((int(hour.between(start, end).total_seconds()) for hour in hours), initial=0))
        for start, end, _ in ended
    ]
    made = [each for _, _, each in ended]
    for opens, closes in WINDOWS:
        ran = (seconds[closes] - seconds[opens] for seconds in upto)
        yield (opens, closes), best_span(zip(ran, made, strict=True)).disagreeing
