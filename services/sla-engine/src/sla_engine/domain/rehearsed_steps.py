"""A rehearsal in which escalation steps act: they hand the ticket over or raise its priority (rule 45).

Steps that only tell are left out; no result depends on them. That such a life ends as the engine would have it is what
`test_sla_rule_48_acting_steps` shows, field by field.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from business_time.calendar import NOTHING, BusinessCalendar
from sla_engine.domain.acts import ASSIGNED, PRIORITY, Act, Holding, Said
from sla_engine.domain.escalating import raised
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.rehearsal import Rehearsal
from sla_engine.domain.rehearsed_clock import BREACHED, CANCELLED, RUNNING, RehearsedClock
from sla_engine.domain.steps import Step, done_name, moment_after, within_hours
from ticket_contracts.vocabulary import Metric, Priority

NEVER = datetime.max.replace(tzinfo=UTC)
"""After everything."""


class EscalatingClock(RehearsedClock):
    """A clock that knows which step of its policy comes next, and when: as `ClockState` does.

    That is worked out only when somebody asks, and exactly only when it may be near: business time passes no faster
    than time. Whatever may change it calls `_forget`. Few clocks have anything to remember of steps, so what is the
    same for all others stands in the class.
    """

    steps_done: tuple[str, ...] = ()
    late = NOTHING
    late_on_the_wall = NOTHING
    not_before: datetime | None = None
    turn_at: datetime | None = None
    next_step: Step | None = None

    def turns_by(self, until: datetime) -> datetime | None:
        """Return when time alone changes it next, by its breach or by a step that acts, if that is up to `until`."""
        if self.not_before is None:
            self.not_before = self._earliest()
        if self.not_before > until:
            return None
        if self.turn_at is None:
            self.turn_at = self._next_turn()
        return self.turn_at if self.turn_at <= until else None

    def turn(self) -> Step | None:
        """Let its turn come: take the next step and return it, or breach."""
        step = self.next_step
        self._forget()
        if step is None:
            self.status, self.breached_at = BREACHED, self.due_at
            self.late = self.late_on_the_wall = NOTHING  # one that was withdrawn before is none
        else:
            self.steps_done = (*self.steps_done, done_name(self.policy.name, step.name))
        return step

    def take_over(self, cancelled: "EscalatingClock", since: datetime) -> None:
        """As `clock.take_over`: in the place of a cancelled one its steps are not taken again."""
        assert cancelled.stopped_at is not None  # `cancel` stops first
        if since <= cancelled.stopped_at:
            self.steps_done = cancelled.steps_done
            self._forget()

    def stop(self, at: datetime) -> None:
        """End it; its lateness is kept."""
        if self.status is BREACHED:
            self._count_lateness(at)
        super().stop(at)

    def pause(self, at: datetime) -> None:
        """Freeze it; its lateness is kept."""
        if self.status is BREACHED:
            self._count_lateness(at)
        self._forget()
        super().pause(at)

    def resume(self, at: datetime) -> None:
        """Run on."""
        self._forget()
        super().resume(at)

    def reopen(self, at: datetime) -> None:
        """Go on where it stopped."""
        self._forget()
        super().reopen(at)

    def carried_on(
        self, policy: Policy, calendar: BusinessCalendar, target_seconds: int, at: datetime, paused_at: datetime | None
    ) -> "EscalatingClock":
        """Return the next cycle, which does not repeat the steps of this one."""
        fresh = super().carried_on(policy, calendar, target_seconds, at, paused_at)
        assert isinstance(fresh, EscalatingClock)  # made of the same class
        fresh.steps_done = self.steps_done
        return fresh

    def _foresee(self) -> None:
        self._forget()
        super()._foresee()

    def _forget(self) -> None:
        self.not_before = self.turn_at = self.next_step = None

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
        steps = self.policy.acting.get(self.metric)
        if steps is None or self.counted_from is None or self.status not in (RUNNING, BREACHED):
            return ()
        if self.status is BREACHED and not self.steps_done:
            return steps
        return [
            step
            for step in steps
            if (step.percent is not None or self.status is BREACHED)
            and (not self.steps_done or done_name(self.policy.name, step.name) not in self.steps_done)
        ]

    def _earliest(self) -> datetime:
        """Return a time before which nothing comes: as if the calendar were always open."""
        earliest = NEVER
        if self.status is RUNNING and self.due_at is not None:
            earliest = self.due_at
        for step in self._steps_ahead():
            since, wait = self._counted(step)
            earliest = min(earliest, since + wait)
        return earliest

    def _next_turn(self) -> datetime:
        """As `steps.with_next_step` and `clock.due_transition`: of a step and a breach at once the step comes first."""
        at, step, steps = NEVER, None, self._steps_ahead()
        if steps:
            at, *_, step = min(
                (self._due(step), step.percent is None, step.after, step.percent or 0, index, step)
                for index, step in enumerate(steps)
            )
        if self.status is RUNNING and self.due_at is not None and self.due_at < at:
            return self.due_at
        self.next_step = step
        return at

    def _due(self, step: Step) -> datetime:
        """As `steps._due`."""
        since, wait = self._counted(step)
        by_night = step.out_of_hours and self.status is BREACHED
        at = since + wait if by_night else moment_after(self.calendar, since, wait)
        return at if step.out_of_hours else within_hours(self.calendar, at)

    def _counted(self, step: Step) -> tuple[datetime, timedelta]:
        """Return from when the step's time is counted, and how much of it there is: of the calendar, unless it comes
        after the breach and out of hours."""
        if self.status is BREACHED:
            late = self.late_on_the_wall if step.out_of_hours else self.late
            return self._late_since(), max(step.after - late, NOTHING)
        assert step.percent is not None  # before the breach only shares of the target come
        assert self.counted_from is not None
        share = timedelta(seconds=self.target_seconds * step.percent) / 100
        return self.counted_from, max(share - self.used, NOTHING)


class EscalatingRehearsal(Rehearsal):
    """Steps taken up to `imported_until` changed nothing: it was another system's ticket (rule 47).

    `wishes` are what steps still ask for: a team, or a priority; no more time passes before they are fulfilled.
    """

    __slots__ = ("imported_until", "wishes")
    clock_kind = EscalatingClock

    def __init__(self, opened: Act, said: Said, policies: Policies, imported_until: datetime | None) -> None:
        super().__init__(opened, said, policies)
        self.imported_until = imported_until
        self.wishes: list[tuple[datetime, str | Priority]] = []

    def as_here(self, kind: str, act: Act) -> Holding:
        """As `QuietDraft.repeat`: what people did, to the ticket that steps here have made of it."""
        there, here = act.ticket, self.holding
        if there.priority is here.priority and there.team == here.team:
            return there
        is_handed_over = kind == ASSIGNED and act.previous_team != there.team  # or to another agent of the team
        team = there.team if is_handed_over else here.team
        return _with(there, team, there.priority if kind == PRIORITY else here.priority)

    def let_pass(self, until: datetime) -> None:
        """As `settling.settle`."""
        self.bring_forward(until)
        while self.wishes:
            self._fulfil(*self.wishes.pop(0))
            self.bring_forward(until)

    def bring_forward(self, until: datetime) -> None:
        """As `timing.bring_forward`: of two clocks whose turn comes at once, the one that began first."""
        while not self.wishes:
            first: EscalatingClock | None = None
            first_at = until
            for clock in cast("list[EscalatingClock]", self.open):
                if clock.not_before is not None and clock.not_before > first_at:
                    continue  # of most clocks no more is asked
                at = clock.turns_by(first_at)
                if at is not None and (first is None or at < first_at):
                    first, first_at = clock, at
            if first is None:
                return
            step = first.turn()
            if step is not None and (self.imported_until is None or first_at > self.imported_until):
                self._wish(step, first_at)

    def _wish(self, step: Step, at: datetime) -> None:
        """As `escalating.plan_of`; who holds the ticket within its team is nothing to clocks."""
        team, priority = step.reassign_team, self.holding.priority
        if team is not None and team != self.holding.team and team in self.policies.people.teams:
            self.wishes.append((at, team))
        higher = raised(priority) if step.raise_priority else None
        if higher is not None:
            self.wishes.append((at, higher))

    def _fulfil(self, at: datetime, wish: str | Priority) -> None:
        before, self.at = self.at, at
        if isinstance(wish, Priority):
            self.follow_priority(_with(self.holding, self.holding.team, wish))
        else:
            self.follow_holder(_with(self.holding, wish, self.holding.priority))
        self.at = before

    def _start_cycle(self, policy: Policy, metric: Metric, since: datetime) -> None:
        known = self.latest.get(metric)
        super()._start_cycle(policy, metric, since)
        fresh = self.latest.get(metric)
        if known is not None and known.status is CANCELLED and fresh is not known:
            cast("EscalatingClock", fresh).take_over(cast("EscalatingClock", known), since)


def _with(holding: Holding, team: str, priority: Priority | None) -> Holding:
    return Holding(
        holding.brand,
        holding.channel,
        holding.status,
        team,
        holding.opened_at,
        priority,
        holding.tags,
        holding.spam,
    )
