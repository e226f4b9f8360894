"""Which warnings, breaches and steps event time demands of a clock, told from what people did, minute by minute.

Independent of how the engine reckons: only when a clock started, what it promises and when it stopped is taken from
the facts. Clocks whose promise changed on the way (another target, another policy, an edited calendar, reopened and
continued) are left to the rows of the scenario table; here they are only asked whether they were open.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from business_time.calendar import Interval, OpeningHours
from sla_engine.domain.escalating import ACTOR_PREFIX
from sla_engine.domain.policies import Policy
from tests.unit.business_time.minute_oracle import MINUTE, MinuteOracle
from ticket_contracts.escalations import TicketEscalated
from ticket_contracts.tickets import (
    BreachWithdrawn,
    ClockBreached,
    ClockFact,
    ClockMet,
    ClockRecalculated,
    ClockResumed,
    ClockRetargeted,
    ClockState,
    ClockStopped,
    ClockWarned,
    TicketFact,
    TicketOpened,
)
from ticket_contracts.vocabulary import Metric, Status

Which = tuple[Metric, int]
Stretch = tuple[datetime, datetime]
Point = int | str
"""A share of the target in percent, or a step's name."""

BREACH = 100


@cache
def open_minutes(week: tuple[tuple[Interval, ...], ...], closed: frozenset[date], start: datetime) -> tuple[int, ...]:
    """How many minutes of the window were open before each of its minutes, in UTC."""
    hours = OpeningHours(name="asked", zone=ZoneInfo("UTC"), week=week, closed=closed)
    return tuple(accumulate(MinuteOracle(hours, start).open, initial=0))


def _point(fact: ClockFact) -> Point | None:
    match fact:
        case ClockWarned():
            return fact.clock.warned_percent
        case ClockBreached():
            return BREACH
        case TicketEscalated():
            return fact.step
        case _:
            return None


@dataclass
class ClockLife:
    """The facts of one clock. It began with the ticket's fact `version`, of which the engine learned at `known_at`."""

    version: int
    known_at: datetime
    started: ClockState
    facts: list[ClockFact] = field(default_factory=list)

    @property
    def last(self) -> ClockState:
        return self.facts[-1].clock if self.facts else self.started

    @property
    def given(self) -> list[tuple[datetime, Point]]:
        """What came of it, and when."""
        return [(fact.at, point) for fact in self.facts if (point := _point(fact)) is not None]

    @property
    def taken(self) -> set[tuple[str, str]]:
        """Its steps, each with the policy that it stands in."""
        return {(fact.clock.policy, fact.step) for fact in self.facts if isinstance(fact, TicketEscalated)}

    @property
    def counted_until(self) -> datetime | None:
        """Up to when all its points must have come: of the very moment at which a step of another clock ends it, none
        need."""
        stopped = self.last.stopped_at
        ended_by_step = stopped is not None and self.facts[-1].actor.id.startswith(ACTOR_PREFIX)
        return stopped - MINUTE if stopped is not None and ended_by_step else stopped

    def is_plain(self) -> bool:
        """Whether it kept one promise, counted from its start, until its end."""
        ended = False
        for fact in self.facts:
            if isinstance(fact, ClockRetargeted | ClockRecalculated | BreachWithdrawn):
                return False
            if ended and isinstance(fact, ClockResumed):  # reopened, and goes on
                return False
            ended = ended or isinstance(fact, ClockMet | ClockStopped)
        return "retargeted" not in self.started.causes and not self.started.used_seconds


def clocks_of(facts: Sequence[TicketFact], known_at: Mapping[int, datetime]) -> dict[Which, ClockLife]:
    """Sort a ticket's facts by clock; `known_at` is the wall time of each version."""
    lives: dict[Which, ClockLife] = {}
    for fact in facts:
        if isinstance(fact, TicketOpened):
            lives |= {
                (clock.metric, clock.cycle): ClockLife(fact.version, known_at[fact.version], clock)
                for clock in fact.clocks
            }
        elif isinstance(fact, ClockFact):
            which = (fact.clock.metric, fact.clock.cycle)
            if which in lives:
                lives[which].facts.append(fact)
            else:
                lives[which] = ClockLife(fact.version, known_at[fact.version], fact.clock)
    return lives


def follows_another(which: Which, lives: Mapping[Which, ClockLife]) -> bool:
    """Whether the clock goes on with the time of one that another policy ended."""
    before = lives.get((which[0], which[1] - 1))
    return before is not None and before.last.cancel_reason == "superseded"


def taken_before(which: Which, lives: Mapping[Which, ClockLife]) -> set[tuple[str, str]]:
    """Return the steps of the clocks with whose time this one goes on."""
    taken: set[tuple[str, str]] = set()
    while follows_another(which, lives):
        which = which[0], which[1] - 1
        taken |= lives[which].taken
    return taken


def paused_stretches(facts: Sequence[TicketFact], pause_on: Container[Status], until: datetime) -> Iterator[Stretch]:
    """Yield when the ticket's status was a pausing one; what is told late changes nothing that is over.

    `facts` begin with a clock's start: one that a late message begins knows nothing of pauses before it.
    """
    since: datetime | None = None
    edge = facts[0].at
    for fact in facts:
        pauses = fact.ticket.status in pause_on
        if pauses is (since is not None):
            continue
        edge = max(edge, fact.at)
        if since is not None:
            yield since, edge
        since = edge if pauses else None
    if since is not None:
        yield since, until


@dataclass(frozen=True)
class Demand:
    """A plain clock's business time. `pauses` are none for a metric that goes on."""

    opened: tuple[int, ...]
    window: datetime
    life: ClockLife
    pauses: Sequence[Stretch]
    policy: Policy

    def flaws(self, until: datetime) -> Iterator[str]:
        """Yield alerts that came at a wrong time, and those that are missing at `until`."""
        shares = self._shares()
        for at, point in self.life.given:
            if not self._used(at - MINUTE) < shares[point] == self._used(at):
                yield f"{point} at {at}, when {self._used(at)} and not {shares[point]} were used"
        end = self.life.counted_until or until
        reached = [point for point, share in shares.items() if share <= self._used(end)]
        given = {point for _, point in self.life.given}
        yield from (f"{point} is missing, {end} it ended" for point in self._wanted(reached) if point not in given)

    def _shares(self) -> dict[Point, timedelta]:
        """Return the business time used by which each point comes; late time is used time too."""
        target = timedelta(seconds=self.life.started.target_seconds)
        shares: dict[Point, timedelta] = {
            percent: target * percent / 100 for percent in (*self.policy.warnings, BREACH)
        }
        for step in self.policy.steps:
            if step.metric is self.life.started.metric:
                shares[step.name] = target * (step.percent or BREACH) / 100 + step.after
        return shares

    def _wanted(self, reached: Sequence[Point]) -> Iterator[Point]:
        """Of the warnings past when we learned of the clock only the highest is wanted (rule 42)."""
        started_at, shares = self.life.started.started_at, self._shares()
        spent = self._open(started_at, min(self.life.known_at, self.life.last.stopped_at or self.life.known_at))
        past = [point for point in self.policy.warnings if shares[point] <= spent]
        return (point for point in reached if point not in past[:-1])

    def _used(self, at: datetime) -> timedelta:
        start = self.life.started.started_at
        paused = [self._open(max(start, since), min(at, until)) for since, until in self.pauses]
        return self._open(start, at) - sum(paused, timedelta())

    def _open(self, since: datetime, until: datetime) -> timedelta:
        if until <= since:
            return timedelta()
        first, last = ((moment - self.window) // MINUTE for moment in (since, until))
        return (self.opened[last] - self.opened[first]) * MINUTE
