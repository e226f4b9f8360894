"""A clock under another promise: what `clock.py` does, without a record of it.

Here a clock is changed in place and nobody is told why; it has no warnings and no steps that only tell, since no result
depends on them. That a life of it ends as that of a real clock does is what `test_sla_rule_48_what_if` and
`test_sla_rule_48_acting_steps` show, field by field.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from business_time.calendar import NOTHING, BusinessCalendar, OutOfCalendar
from sla_engine.domain.policies import ActingStep, Policy, Promise
from sla_engine.domain.steps import begin_all, moment_after, within_hours
from ticket_contracts.vocabulary import ClockStatus, Metric

RUNNING, PAUSED, MET = ClockStatus.RUNNING, ClockStatus.PAUSED, ClockStatus.MET
BREACHED, CANCELLED = ClockStatus.BREACHED, ClockStatus.CANCELLED

LONG_AGO, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""Before and after everything."""


class RehearsedClock(Struct, gc=False, eq=False):
    """One metric in one cycle. Used time is kept as a `ClockState` keeps it: up to the start of the running stretch.

    The last stretch of a stopped clock is counted only when somebody asks (`settle`): few go on afterwards. When time
    changes it next is worked out only when somebody asks too (`find_turn`); until then `not_before` is a lower bound
    and `turn_at` None. A clock of which no step acts before it is due turns when it is due.
    """

    metric: Metric
    cycle: int
    promise: Promise
    calendar: BusinessCalendar
    started_at: datetime
    counted_from: datetime | None
    due_at: datetime | None
    not_before: datetime
    turn_at: datetime | None
    status: ClockStatus = RUNNING
    used: timedelta = NOTHING
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    breached_at: datetime | None = None
    cancel_reason: str | None = None
    steps_done: tuple[str, ...] = ()
    late: timedelta = NOTHING
    late_on_the_wall: timedelta = NOTHING
    next_step: ActingStep | None = None

    @property
    def policy(self) -> Policy:
        """The version that it was started under."""
        return self.promise.policy

    @property
    def target_seconds(self) -> int:
        """Of business time."""
        return self.promise.target_seconds

    def withdraws(self, at: datetime) -> bool:
        """Take a breach back that was recorded too early, if it is one (rule 9)."""
        if self.status is not BREACHED or self.due_at is None or at >= self.due_at:
            return False
        spent = self.promise.target - self.calendar.between(at, self.due_at)
        self.used = max(spent, NOTHING)
        self.status = RUNNING
        self.breached_at = self.stopped_at = self.counted_from = None
        return True

    def stop(self, at: datetime) -> None:
        """End it: met, unless its breach is recorded."""
        if self.status is not BREACHED:
            self.status = MET
        self.stopped_at = at
        self.paused_at = None

    def settle(self) -> None:
        """Count the stretch that ended when the clock was stopped, and how late it was."""
        if self.stopped_at is not None:
            self._count(self.stopped_at)
            self.counted_from = None

    def cancel(self, at: datetime, reason: str) -> None:
        """End it without a result."""
        self.stop(at)
        self.status, self.cancel_reason = CANCELLED, reason

    def pause(self, at: datetime) -> None:
        """Freeze the time used (rule 16), and how late it is."""
        self._count(at)
        self.counted_from, self.paused_at = None, at
        self.turn_at = self.not_before = NEVER
        self.next_step = None
        if self.status is RUNNING:
            self.status, self.due_at = PAUSED, None

    def resume(self, at: datetime) -> None:
        """Run on; not from before the pause began."""
        self.counted_from = at if self.paused_at is None or at > self.paused_at else self.paused_at
        self.paused_at = None
        self._run_on()

    def reopen(self, at: datetime) -> None:
        """Go on where it stopped (rule 22, `continue`)."""
        self.settle()
        self.counted_from, self.stopped_at = at, None
        self._run_on()

    def retarget(self, promise: Promise, at: datetime) -> None:
        """Count another target from its start; what that makes late is late from `at` on (rule 28, `from_start`)."""
        self.promise = promise
        if self.status is not RUNNING:
            return
        self._count(at)
        if self.counted_from is None or at > self.counted_from:
            self.counted_from = at
        self._foresee()

    def recount(self, promise: Promise, at: datetime) -> None:
        """Count another target from now (rule 28, `from_now`)."""
        self.promise, self.used = promise, NOTHING
        if self.status is RUNNING:
            self.counted_from = at
            self._foresee()

    def carried_on(
        self, promise: Promise, calendar: BusinessCalendar, at: datetime, paused_at: datetime | None
    ) -> "RehearsedClock":
        """Return the next cycle under another policy, with the time that this one, just cancelled, has used. It does
        not repeat the steps of this one."""
        self.settle()
        counted_from = due_at = None
        if paused_at is None:
            counted_from, due_at = at, moment_after(calendar, at, promise.target - self.used)
        carried = RehearsedClock(
            self.metric,
            self.cycle + 1,
            promise,
            calendar,
            self.started_at,
            counted_from,
            due_at,
            due_at or NEVER,
            due_at or NEVER,
            status=RUNNING if paused_at is None else PAUSED,
            used=self.used,
            paused_at=paused_at,
            steps_done=self.steps_done,
        )
        if promise.steps:
            carried.look_ahead()
        return carried

    def take_over(self, cancelled: "RehearsedClock", since: datetime) -> None:
        """As `clock.take_over`: in the place of a cancelled one its steps are not taken again."""
        assert cancelled.stopped_at is not None  # `cancel` stops first
        if since <= cancelled.stopped_at:
            self.steps_done = cancelled.steps_done
            self.look_ahead()

    def look_ahead(self) -> None:
        """Say before which moment time does not change it: business time passes no faster than time."""
        self.next_step = None
        promise, status, since = self.promise, self.status, self.counted_from
        if since is None or (status is not RUNNING and status is not BREACHED):
            self.turn_at = self.not_before = NEVER
        elif status is RUNNING and not promise.shares:
            self.turn_at = self.not_before = self.due_at or NEVER
        elif promise.steps:
            self.turn_at = None
            self.not_before = since + (promise.first_turn - self.used) if status is RUNNING else self._late_since(since)
        else:
            self.turn_at = self.not_before = NEVER

    def find_turn(self) -> datetime:
        """Return when time alone changes it next, by its breach or by a step that acts.

        As `steps.with_next_step` and `clock.due_transition`: of a step and a breach at once the step comes first.
        """
        at, steps = NEVER, self._steps_ahead()
        if len(steps) == 1:
            self.next_step = steps[0]
            at = self._due(steps[0])
        elif steps:
            dues = [(self._due(each), each.step.percent is None, each.step.after, each.share) for each in steps]
            at, *_ = first = min(dues)
            self.next_step = steps[dues.index(first)]
        if self.status is RUNNING and self.due_at is not None and self.due_at < at:
            at, self.next_step = self.due_at, None
        self.turn_at = self.not_before = at
        return at

    def turn(self) -> ActingStep | None:
        """Let its turn come: take the next step and return it, or breach."""
        step = self.next_step
        if step is None:
            self.status, self.breached_at = BREACHED, self.due_at
            self.late = self.late_on_the_wall = NOTHING  # one that was withdrawn before is none
        else:
            self.steps_done = (*self.steps_done, step.done)
        self.look_ahead()
        return step

    def _count(self, at: datetime) -> None:
        since = self.counted_from
        if since is None:
            return
        self.used += self.calendar.between(since, at)
        if self.status is BREACHED and self._steps_ahead():
            late_since = self._late_since(since)
            self.late += self.calendar.between(late_since, at)
            self.late_on_the_wall += max(at - late_since, NOTHING)

    def _run_on(self) -> None:
        if self.status is BREACHED:
            self.look_ahead()
        else:
            self.status = RUNNING
            self._foresee()

    def _foresee(self) -> None:
        assert self.counted_from is not None  # only running clocks come here
        self.due_at = moment_after(self.calendar, self.counted_from, self.promise.target - self.used)
        self.look_ahead()

    def _late_since(self, counted_from: datetime) -> datetime:
        assert self.breached_at is not None
        return counted_from if counted_from > self.breached_at else self.breached_at

    def _steps_ahead(self) -> Sequence[ActingStep]:
        """Return those that may still come, as `steps._is_ahead`."""
        steps = self.promise.shares if self.status is RUNNING else self.promise.steps
        if not steps or self.counted_from is None or (self.status is not RUNNING and self.status is not BREACHED):
            return ()
        done = self.steps_done
        return [step for step in steps if step.done not in done] if done else steps

    def _due(self, step: ActingStep) -> datetime:
        """As `steps._due`. What lies ahead by the calendar lies within its hours."""
        assert self.counted_from is not None  # only a clock that counts has a step ahead
        if self.status is BREACHED:
            since, after = self._late_since(self.counted_from), step.step.after
            if step.step.out_of_hours:
                return since + max(after - self.late_on_the_wall, NOTHING)
            wait = after - self.late
        else:
            assert step.share is not None  # before the breach only shares of the target come
            since, wait = self.counted_from, step.share - self.used
        if wait > NOTHING:
            try:
                return self.calendar.add(since, wait)
            except OutOfCalendar:
                since = moment_after(self.calendar, since, wait)
        return since if step.step.out_of_hours else within_hours(self.calendar, since)


def begin_clock(promise: Promise, calendar: BusinessCalendar, since: datetime, cycle: int) -> RehearsedClock:
    """Return a clock that starts at the next opening."""
    try:
        opening, due_at = calendar.begin(since, promise.target)
    except OutOfCalendar:
        opening, due_at = begin_all(calendar, since, (promise.target,))
    if promise.shares:
        not_before = opening + promise.first_turn  # as `look_ahead`
        return RehearsedClock(promise.metric, cycle, promise, calendar, opening, opening, due_at, not_before, None)
    return RehearsedClock(promise.metric, cycle, promise, calendar, opening, opening, due_at, due_at, due_at)
