"""A clock under another promise: what `clock.py` does, without a record of it.

Here a clock is changed in place and nobody is told why; it has no warnings and no steps that only tell, since no result
depends on them. That a life of it ends as that of a real clock does is what `test_sla_rule_48_what_if` and
`test_sla_rule_48_acting_steps` show, field by field.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from business_time.calendar import NOTHING, BusinessCalendar, OutOfCalendar
from sla_engine.domain.policies import Policy, Promise
from sla_engine.domain.steps import Step, done_name, moment_after, within_hours
from ticket_contracts.vocabulary import ClockStatus, Metric

RUNNING, PAUSED, MET = ClockStatus.RUNNING, ClockStatus.PAUSED, ClockStatus.MET
BREACHED, CANCELLED = ClockStatus.BREACHED, ClockStatus.CANCELLED

LONG_AGO, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""Before and after everything."""


class RehearsedClock(Struct, gc=False, eq=False):
    """One metric in one cycle. Used time is kept as a `ClockState` keeps it: up to the start of the running stretch.

    The last stretch of a stopped clock is counted only when somebody asks (`settle`): few go on afterwards. When time
    changes it next is worked out only when somebody asks too (`turns_by`); until then `not_before` is a lower bound.
    """

    metric: Metric
    cycle: int
    promise: Promise
    calendar: BusinessCalendar
    started_at: datetime
    counted_from: datetime | None
    due_at: datetime | None
    status: ClockStatus = RUNNING
    used: timedelta = NOTHING
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    breached_at: datetime | None = None
    cancel_reason: str | None = None
    steps_done: tuple[str, ...] = ()
    late: timedelta = NOTHING
    late_on_the_wall: timedelta = NOTHING
    not_before: datetime = LONG_AGO
    turn_at: datetime | None = None
    next_step: Step | None = None

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
        """End it: met, unless its breach is recorded. Its lateness is kept."""
        if self.status is not BREACHED:
            self.status = MET
        elif self.promise.steps:
            self._count_lateness(at)
        self.stopped_at = at
        if self.paused_at is not None:
            self.paused_at = None

    def settle(self) -> None:
        """Count the stretch that ended when the clock was stopped."""
        if self.stopped_at is not None:
            self._count(self.stopped_at)
            self.counted_from = None

    def cancel(self, at: datetime, reason: str) -> None:
        """End it without a result."""
        self.stop(at)
        self.status, self.cancel_reason = CANCELLED, reason

    def pause(self, at: datetime) -> None:
        """Freeze the time used (rule 16), and how late it is."""
        if self.status is BREACHED and self.promise.steps:
            self._count_lateness(at)
        self._count(at)
        self.counted_from, self.paused_at = None, at
        self._forget()
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
        return RehearsedClock(
            metric=self.metric,
            cycle=self.cycle + 1,
            promise=promise,
            calendar=calendar,
            started_at=self.started_at,
            counted_from=counted_from,
            due_at=due_at,
            status=RUNNING if paused_at is None else PAUSED,
            used=self.used,
            paused_at=paused_at,
            steps_done=self.steps_done,
        )

    def take_over(self, cancelled: "RehearsedClock", since: datetime) -> None:
        """As `clock.take_over`: in the place of a cancelled one its steps are not taken again."""
        assert cancelled.stopped_at is not None  # `cancel` stops first
        if since <= cancelled.stopped_at:
            self.steps_done = cancelled.steps_done
            self._forget()

    def earliest(self) -> datetime:
        """Return a moment before which time does not change it: business time passes no faster than time."""
        if self.counted_from is None:
            return NEVER
        if not self.promise.steps:
            return self.due_at if self.status is RUNNING and self.due_at is not None else NEVER
        if self.status is RUNNING:
            return self.counted_from + (self.promise.first_turn - self.used)
        return self._late_since() if self.status is BREACHED else NEVER

    def turns_by(self, until: datetime) -> datetime:
        """Return when time alone changes it next, by its breach or by a step that acts; if that is later than `until`,
        perhaps a moment in between."""
        if self.turn_at is None:
            if self.not_before > until:
                return self.not_before
            self.turn_at = self.not_before = self._next_turn()
        return self.turn_at

    def turn(self) -> Step | None:
        """Let its turn come: take the next step and return it, or breach."""
        step = self.next_step
        if step is None:
            self.status, self.breached_at = BREACHED, self.due_at
            self.late = self.late_on_the_wall = NOTHING  # one that was withdrawn before is none
        else:
            self.steps_done = (*self.steps_done, done_name(self.promise.policy.name, step.name))
        self._forget()
        return step

    def _count(self, at: datetime) -> None:
        if self.counted_from is not None:
            self.used += self.calendar.between(self.counted_from, at)

    def _run_on(self) -> None:
        if self.status is BREACHED:
            self._forget()
        else:
            self.status = RUNNING
            self._foresee()

    def _foresee(self) -> None:
        assert self.counted_from is not None  # only running clocks come here
        self.due_at = moment_after(self.calendar, self.counted_from, self.promise.target - self.used)
        self._forget()

    def _forget(self) -> None:
        """What time does next is to be worked out anew."""
        self.turn_at = self.next_step = None
        self.not_before = self.earliest()

    def _count_lateness(self, at: datetime) -> None:
        if self.counted_from is not None and self._steps_ahead():
            since = self._late_since()
            self.late += self.calendar.between(since, at)
            self.late_on_the_wall += max(at - since, NOTHING)

    def _late_since(self) -> datetime:
        assert self.counted_from is not None  # only while it counts
        assert self.breached_at is not None
        return max(self.counted_from, self.breached_at)

    def _steps_ahead(self) -> Sequence[Step]:
        """Return those that may still come, as `steps._is_ahead`."""
        steps = self.promise.steps
        if not steps or self.counted_from is None:
            return ()
        if self.status is RUNNING:
            steps = self.promise.shares
        elif self.status is not BREACHED:
            return ()
        if not self.steps_done:
            return steps
        policy, done = self.promise.policy.name, self.steps_done
        return [step for step in steps if done_name(policy, step.name) not in done]

    def _next_turn(self) -> datetime:
        """As `steps.with_next_step` and `clock.due_transition`: of a step and a breach at once the step comes first."""
        at, first = NEVER, None
        steps = self._steps_ahead()
        if len(steps) == 1:
            first = steps[0]
            at = self._due(first)
        elif steps:
            at, *_, first = min(
                (self._due(step), step.percent is None, step.after, step.percent or 0, index, step)
                for index, step in enumerate(steps)
            )
        if self.status is RUNNING and self.due_at is not None and self.due_at < at:
            return self.due_at
        self.next_step = first
        return at

    def _due(self, step: Step) -> datetime:
        """As `steps._due`. What lies ahead by the calendar lies within its hours."""
        if self.status is BREACHED:
            since = self._late_since()
            if step.out_of_hours:
                return since + max(step.after - self.late_on_the_wall, NOTHING)
            wait = step.after - self.late
        else:
            assert step.percent is not None  # before the breach only shares of the target come
            assert self.counted_from is not None
            since, wait = self.counted_from, self.promise.target * step.percent / 100 - self.used
        if wait > NOTHING:
            try:
                return self.calendar.add(since, wait)
            except OutOfCalendar:
                since = moment_after(self.calendar, since, wait)
        return since if step.out_of_hours else within_hours(self.calendar, since)
