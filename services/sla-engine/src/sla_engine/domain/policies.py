"""SLA policies: which one a ticket gets, and what it promises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from business_time.calendar import BusinessCalendar, OpeningHours
from sla_engine.domain.acts import Holding
from sla_engine.domain.automation_rules import Rules
from sla_engine.domain.people import People
from sla_engine.domain.steps import Step, done_name
from sla_engine.domain.workflow import Workflow
from ticket_contracts.tickets import ClockState, TicketSummary
from ticket_contracts.vocabulary import Channel, Metric, Priority, Status

BEGINNING = (Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.UPDATE)
"""What a customer's first message may start; `next_response` does not exist before the first response (rule 12)."""


@dataclass(frozen=True, slots=True)
class ActingStep:
    """A step that changes tickets. `done` is how a clock remembers it, `share` the business time of its percentage."""

    step: Step
    done: str
    share: timedelta | None


@dataclass(frozen=True, slots=True)
class Promise:
    """What a policy promises of one metric at one priority, laid out so that a replay need not put it together anew.

    `pause_on` is None where the metric does not pause; `steps` are those that change tickets, `shares` those of them
    that come before the breach, and `first_turn` the business time that passes before the first of them or the breach.
    """

    policy: "Policy"
    metric: Metric
    target_seconds: int
    target: timedelta
    pause_on: frozenset[Status] | None
    steps: tuple[ActingStep, ...]
    shares: tuple[ActingStep, ...]
    first_turn: timedelta


class Promises(NamedTuple):
    """What a policy promises at one priority; `first` is what a customer's first words start."""

    of: Mapping[Metric, Promise]
    first: tuple[Promise, ...]


@dataclass(frozen=True)
class Policy:
    """One version of a policy. `targets` are seconds of business time, business days already counted out (rule 39)."""

    name: str
    version: int
    order: int
    calendar: str
    targets: Mapping[Metric, Mapping[Priority, int]]
    warnings: tuple[int, ...] = (50, 75, 90)
    steps: tuple[Step, ...] = ()
    pause_on: frozenset[Status] = frozenset({Status.PENDING, Status.ON_HOLD})
    pauses: frozenset[Metric] = frozenset({Metric.RESOLUTION, Metric.UPDATE})
    call_counts_as_reply: bool = False
    on_reopen: Literal["new_cycle", "continue", "ignore"] = "new_cycle"
    on_priority: Literal["from_start", "from_now", "reset"] = "from_start"
    effective_from: datetime | None = None
    earlier: tuple["Policy", ...] = ()
    """Versions before this one, the newest first: they hold for tickets opened before `effective_from` (rule 29)."""
    brands: frozenset[str] = frozenset()
    channels: frozenset[Channel] = frozenset()
    teams: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    @cached_property
    def acts(self) -> bool:
        """Whether a step of this version changes tickets."""
        return any(step.acts for step in self.steps)

    @cached_property
    def acting(self) -> Mapping[Metric, tuple[Step, ...]]:
        """The steps that change tickets, by the metric that they watch."""
        acting = [step for step in self.steps if step.acts]
        return {metric: of for metric in Metric if (of := tuple(step for step in acting if step.metric is metric))}

    @cached_property
    def promises(self) -> Mapping[Priority | None, Promises]:
        """All that is promised, by priority; nothing to a ticket without one."""
        return {priority: self._promises(priority) for priority in (None, *Priority)}

    def _promises(self, priority: Priority | None) -> Promises:
        targets = {metric: self.target(metric, priority) for metric in Metric}
        of = {metric: self._promise(metric, seconds) for metric, seconds in targets.items() if seconds is not None}
        first = tuple(of[metric] for metric in BEGINNING if metric in of)
        return Promises(of, first)

    def _promise(self, metric: Metric, seconds: int) -> Promise:
        target = timedelta(seconds=seconds)
        steps = tuple(
            ActingStep(
                step,
                done_name(self.name, step.name),
                target * step.percent / 100 if step.percent is not None else None,
            )
            for step in self.acting.get(metric, ())
        )
        shares = tuple(step for step in steps if step.share is not None)
        return Promise(
            policy=self,
            metric=metric,
            target_seconds=seconds,
            target=target,
            pause_on=self.pause_on if metric in self.pauses else None,
            steps=steps,
            shares=shares,
            first_turn=min([target, *(step.share for step in shares if step.share is not None)]),
        )

    def matches(self, brand: str, channel: Channel, team: str, tags: tuple[str, ...]) -> bool:
        """Whether every condition that is given holds; of the tags any one."""
        return (
            (not self.brands or brand in self.brands)
            and (not self.channels or channel in self.channels)
            and (not self.teams or team in self.teams)
            and (not self.tags or not self.tags.isdisjoint(tags))
        )

    def as_of(self, opened_at: datetime) -> "Policy | None":
        """Return the version that a ticket opened then may get, None when the policy was not in force yet."""
        versions = (self, *self.earlier)
        return next(
            (each for each in versions if each.effective_from is None or each.effective_from <= opened_at), None
        )

    def target(self, metric: Metric, priority: Priority | None) -> int | None:
        """Return the promised seconds of business time, None when nothing is promised."""
        return self.targets.get(metric, {}).get(priority) if priority is not None else None


class Terms(Struct, frozen=True, gc=False, eq=False):
    """What a policy promises at one priority, and the calendar by which it counts."""

    policy: Policy
    priority: Priority | None
    promises: Promises
    calendar: BusinessCalendar


WALL_CLOCK = BusinessCalendar(OpeningHours("wall clock", ZoneInfo("UTC"), (((0, 24 * 60),),) * 7))
"""Stands in for the calendar of a running clock that no engine can read any more."""


@dataclass(frozen=True)
class Policies:
    """All policies and calendars of one configuration version, and the past versions that tickets still hold."""

    in_force: tuple[Policy, ...] = ()
    past: Mapping[tuple[str, int], Policy] = field(default_factory=dict)
    calendars: Mapping[str, BusinessCalendar] = field(default_factory=dict)
    unusable_calendars: Mapping[str, str] = field(default_factory=dict)
    """Why the newest version of a calendar cannot be used; an earlier one may stand in `calendars` in its place."""
    workflow: Workflow = field(default_factory=Workflow)
    automation: Rules = field(default_factory=Rules)
    people: People = field(default_factory=People)

    @cached_property
    def some_act(self) -> bool:
        """Whether a step of any that a ticket may get changes tickets."""
        return any(each.acts for policy in self.in_force for each in (policy, *policy.earlier))

    def match(self, ticket: TicketSummary | Holding) -> Policy | None:
        """Return the first match; `in_force` stands in ascending `order`."""
        for newest in self.in_force:
            policy = newest if newest.effective_from is None else newest.as_of(ticket.opened_at)
            if policy is not None and policy.matches(ticket.brand, ticket.channel, ticket.team, ticket.tags):
                return policy
        return None

    def of_clock(self, clock: ClockState) -> Policy:
        """Return the policy version a clock was started under (rule 32).

        :raises LookupError: the version was removed from the database by hand.
        """
        policy = self.past.get((clock.policy, clock.policy_version))
        if policy is None:
            raise LookupError(f"policy {clock.policy} version {clock.policy_version} is not in the configuration")
        return policy

    def version(self, name: str | None, version: int | None) -> Policy | None:
        """Return a version that a ticket holds, None when it holds none."""
        return self.past.get((name, version)) if name is not None and version is not None else None

    def calendar_of(self, clock: ClockState) -> BusinessCalendar:
        """Return the calendar of a clock, as it is today; of one that cannot be used any more the wall clock.

        What was promised is kept: the due time that is worked out stands, and what has to be counted anew comes rather
        too early than never (docs/decisions/0031).
        """
        return self.calendars.get(clock.calendar, WALL_CLOCK)
