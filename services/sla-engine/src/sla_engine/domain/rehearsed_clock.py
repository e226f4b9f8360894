"""A clock under another promise: what `clock.py` does, without a record of it.

Here a clock is changed in place and nobody is told why; it has no warnings, since no result depends on them. That a
life of it ends as that of a real clock does is what `test_sla_rule_48_what_if` shows, field by field.
"""

from datetime import datetime, timedelta

from business_time.calendar import NOTHING, BusinessCalendar
from sla_engine.domain.policies import Policy
from sla_engine.domain.steps import moment_after
from ticket_contracts.vocabulary import ClockStatus, Metric

RUNNING, PAUSED, MET = ClockStatus.RUNNING, ClockStatus.PAUSED, ClockStatus.MET
BREACHED, CANCELLED = ClockStatus.BREACHED, ClockStatus.CANCELLED
MICROSECONDS = 1_000_000  # of a second


class RehearsedClock:
    """One metric in one cycle. Used time is kept as a `ClockState` keeps it: up to the start of the running stretch.

    The last stretch of a stopped clock is counted only when somebody asks (`settle`): few go on afterwards.
    """

    __slots__ = (
        "breached_at",
        "calendar",
        "cancel_reason",
        "counted_from",
        "cycle",
        "due_at",
        "metric",
        "paused_at",
        "policy",
        "started_at",
        "status",
        "stopped_at",
        "target_seconds",
        "uncounted_from",
        "used",
    )

    def __init__(
        self,
        metric: Metric,
        cycle: int,
        policy: Policy,
        calendar: BusinessCalendar,
        target_seconds: int,
        opening: datetime,
        due_at: datetime,
    ) -> None:
        self.metric = metric
        self.cycle = cycle
        self.policy = policy
        self.calendar = calendar
        self.target_seconds = target_seconds
        self.status = RUNNING
        self.used = NOTHING
        self.counted_from: datetime | None = opening
        self.started_at = opening
        self.due_at: datetime | None = due_at
        self.paused_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.breached_at: datetime | None = None
        self.cancel_reason: str | None = None
        self.uncounted_from: datetime | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether it is neither met nor missed."""
        return self.status is RUNNING or self.status is PAUSED

    def withdraws(self, at: datetime) -> bool:
        """Take a breach back that was recorded too early, if it is one (rule 9)."""
        if self.status is not BREACHED or self.due_at is None or at >= self.due_at:
            return False
        spent = timedelta(seconds=self.target_seconds) - self.calendar.between(at, self.due_at)
        self.used = max(spent, NOTHING)
        self.status = RUNNING
        self.breached_at = self.stopped_at = self.counted_from = self.uncounted_from = None
        return True

    def stop(self, at: datetime) -> None:
        """End it: met, unless its breach is recorded."""
        if self.status is not BREACHED:
            self.status = MET
        self.stopped_at = at
        self.uncounted_from = self.counted_from
        self.counted_from = self.paused_at = None

    def settle(self) -> None:
        """Count the stretch that ended when the clock was stopped."""
        if self.uncounted_from is not None and self.stopped_at is not None:
            self.used += self.calendar.between(self.uncounted_from, self.stopped_at)
            self.uncounted_from = None

    def cancel(self, at: datetime, reason: str) -> None:
        """End it without a result."""
        self.stop(at)
        self.status, self.cancel_reason = CANCELLED, reason

    def pause(self, at: datetime) -> None:
        """Freeze the time used (rule 16)."""
        self._count(at)
        self.counted_from, self.paused_at = None, at
        if self.status is RUNNING:
            self.status, self.due_at = PAUSED, None

    def resume(self, at: datetime) -> None:
        """Run on; not from before the pause began."""
        self.counted_from = at if self.paused_at is None or at > self.paused_at else self.paused_at
        self.paused_at = None
        if self.status is not BREACHED:
            self.status = RUNNING
            self._foresee()

    def reopen(self, at: datetime) -> None:
        """Go on where it stopped (rule 22, `continue`)."""
        self.settle()
        self.counted_from, self.stopped_at = at, None
        if self.status is not BREACHED:
            self.status = RUNNING
            self._foresee()

    def retarget(self, target_seconds: int, at: datetime) -> None:
        """Count another target from its start; what that makes late is late from `at` on (rule 28, `from_start`)."""
        self.target_seconds = target_seconds
        if self.status is not RUNNING:
            return
        self._count(at)
        if self.counted_from is None or at > self.counted_from:
            self.counted_from = at
        self._foresee()

    def recount(self, target_seconds: int, at: datetime) -> None:
        """Count another target from now (rule 28, `from_now`)."""
        self.target_seconds, self.used = target_seconds, NOTHING
        if self.status is RUNNING:
            self.counted_from = at
            self._foresee()

    def carried_on(
        self, policy: Policy, calendar: BusinessCalendar, target_seconds: int, at: datetime, paused_at: datetime | None
    ) -> "RehearsedClock":
        """Return the next cycle under another policy, with the time that this one, just cancelled, has used."""
        fresh: RehearsedClock = object.__new__(type(self))
        self.settle()
        fresh.metric, fresh.cycle, fresh.policy, fresh.calendar = self.metric, self.cycle + 1, policy, calendar
        fresh.used, fresh.started_at = self.used, self.started_at
        fresh.target_seconds, fresh.paused_at = target_seconds, paused_at
        fresh.due_at = fresh.stopped_at = fresh.breached_at = fresh.cancel_reason = fresh.uncounted_from = None
        if paused_at is None:
            fresh.status, fresh.counted_from = RUNNING, at
            fresh._foresee()
        else:
            fresh.status, fresh.counted_from = PAUSED, None
        return fresh

    def _count(self, at: datetime) -> None:
        if self.counted_from is not None:
            self.used += self.calendar.between(self.counted_from, at)

    def _foresee(self) -> None:
        assert self.counted_from is not None  # only running clocks come here
        self.due_at = moment_after(self.calendar, self.counted_from, timedelta(seconds=self.target_seconds) - self.used)
