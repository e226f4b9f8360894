"""A ticket's life once more under other policies: what `decide` would have done to its clocks, and nothing else."""

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

from sla_engine.domain.acts import Act, Holding, Said
from sla_engine.domain.clock_memory import MOST_KEPT_CLOCKS, old_places
from sla_engine.domain.cycles import BEGINNING
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.rehearsed_clock import BREACHED, CANCELLED, MICROSECONDS, PAUSED, RUNNING, RehearsedClock
from sla_engine.domain.selection import SUPERSEDED
from sla_engine.domain.statuses import ENDED
from sla_engine.domain.steps import first_moments
from sla_engine.domain.timing import ALL_METRICS, ANSWERED_METRICS, REPLY_METRICS
from ticket_contracts.vocabulary import Metric, Status

FOR_ALL_TO_SEE = ALL_METRICS - REPLY_METRICS
"""What is still promised once the customer was answered."""

_UPDATE, _NEXT_RESPONSE, _RESOLUTION = Metric.UPDATE, Metric.NEXT_RESPONSE, Metric.RESOLUTION
_SOLVED, _CLOSED = Status.SOLVED, Status.CLOSED  # looking a member up costs more than comparing it


class Rehearsal:
    """The ticket as the acts so far have left it, as far as its clocks can tell."""

    clock_kind: ClassVar[type[RehearsedClock]] = RehearsedClock
    __slots__ = (
        "answered",
        "at",
        "clocks",
        "first_said_at",
        "held",
        "holding",
        "kept",
        "last_answered_at",
        "latest",
        "open",
        "past",
        "policies",
        "unanswered_since",
    )

    def __init__(self, opened: Act, said: Said, policies: Policies) -> None:
        self.policies = policies
        self.holding = opened.ticket
        self.at = opened.at
        self.clocks: list[RehearsedClock] = []
        self.open: list[RehearsedClock] = []
        self.kept: list[RehearsedClock] = []
        self.past: dict[tuple[Metric, bool], RehearsedClock] = {}  # of each metric the last one, cancelled or not
        self.latest: dict[Metric, RehearsedClock] = {}
        self.held: Policy | None = None
        self.answered = False
        self.last_answered_at = said.at if said.is_answer else None
        self.first_said_at = self.unanswered_since = said.at if said.speaks else None

    def open_by(self, said: Said) -> None:
        """Start what a ticket's first message starts (rules 1, 8, 24, 35)."""
        metrics: Collection[Metric] = FOR_ALL_TO_SEE if said.is_held_call else ()
        if self.first_said_at is not None:
            metrics = ALL_METRICS
        policy = self.policies.match(self.holding)
        if not metrics or policy is None or not self._can_start(policy):
            return
        calendar, priority = self.policies.calendars[policy.calendar], self.holding.priority
        targets = [
            (metric, target)
            for metric in BEGINNING
            if metric in metrics and (target := policy.target(metric, priority)) is not None
        ]
        opening, *due = first_moments(calendar, said.at, *[target * MICROSECONDS for _, target in targets])
        for (metric, target), due_at in zip(targets, due, strict=True):
            self._started(self.clock_kind(metric, 1, policy, calendar, target, opening, due_at))

    def as_here(self, _: str, act: Act) -> Holding:
        """Return the ticket after an act of this event type: here as there."""
        return act.ticket

    def let_pass(self, until: datetime) -> None:
        """Let time pass."""
        self.bring_forward(until)

    def bring_forward(self, until: datetime) -> None:
        """Breach what was due by then; one breach changes nothing for another clock, so their order is no matter."""
        for clock in self.open:
            if clock.status is RUNNING and clock.due_at is not None and clock.due_at <= until:
                clock.status, clock.breached_at = BREACHED, clock.due_at

    def record(self, said: Said) -> None:
        """Remember a message without letting clocks hear of it."""
        if said.is_answer:
            self.last_answered_at, self.unanswered_since = said.at, None
            self.answered = self.answered or self.first_said_at is not None
        elif said.speaks:
            if self.last_answered_at is None or said.at > self.last_answered_at:
                self.unanswered_since = self.unanswered_since or said.at
            self.first_said_at = self.first_said_at or said.at

    def hear(self, said: Said, change: Holding | None) -> None:
        """Let clocks hear a message; `change` is the ticket after the change of status that came with it."""
        first, was_closed = self.first_said_at is None, self.holding.status is _CLOSED
        self.record(said)
        if said.is_answer:
            self.stop(ANSWERED_METRICS)
            self._take(change)
            if self.first_said_at is not None or _UPDATE in self.latest:
                self._restart_update()
        elif said.speaks:
            self._take(change)
            if was_closed:
                return
            if first:
                self.start_missing(ALL_METRICS, self.at)
            else:
                self.start_next_response()
        elif said.is_held_call:
            waiting = self.latest.get(Metric.FIRST_RESPONSE)
            if waiting is not None and waiting.policy.call_counts_as_reply:
                self.stop(REPLY_METRICS)

    def follow_status(self, after: Holding) -> None:
        """Let clocks follow a change of status (rules 16 to 22)."""
        before, status = self.holding.status, after.status
        self.holding = after
        if status in ENDED:
            self.unanswered_since = None
            if before not in ENDED:
                self.stop(ALL_METRICS)
        elif before is _SOLVED:
            self._start_new_cycle()
        else:
            self._freeze(status)

    def follow_priority(self, after: Holding) -> None:
        """Give clocks that have no result the target of the new priority (rule 28)."""
        before, self.holding = self.holding.priority, after
        if after.priority is before:
            return
        for clock in [clock for clock in self.open if clock.is_undecided]:
            target = clock.policy.target(clock.metric, after.priority)
            if target is None:
                reason = f"policy {clock.policy.name} promises nothing for priority {after.priority}"
                self._cancel(clock, reason)
            elif target != clock.target_seconds or clock.policy.on_priority == "reset":
                self._retarget(clock, target)
        self.start_again()

    def follow_holder(self, after: Holding) -> None:
        """Let another team bring another policy (rule 31)."""
        before, self.holding = self.holding, after
        if after.team == before.team or after.status in ENDED:
            return
        policy = self.policies.match(after)
        if (policy.name if policy else None) != (self.held.name if self.held else None):
            self._select(policy)

    def follow_spam(self, after: Holding) -> None:
        """Spam has no clocks; what turns out to be none gets those of its first message (rule 27)."""
        self.holding = after
        if after.spam:
            self.cancel_all("spam")
        else:
            self.start_again()

    def follow_merge(self, after: Holding) -> None:
        """What became part of another ticket waits for nothing more (rule 25)."""
        self.cancel_all("merged")
        self.holding = after

    def follow_undone_merge(self, after: Holding) -> None:
        """What stands alone again begins anew from its first message."""
        self.holding = after
        self.start_again()

    def follow_other(self, after: Holding) -> None:
        """What else is done leaves clocks alone."""
        self.holding = after

    def start_again(self) -> None:
        """Start what the ticket lacks by now, counted from the customer's first words."""
        if self.first_said_at is not None and self.holding.status not in ENDED:
            self.start_missing(FOR_ALL_TO_SEE if self.answered else ALL_METRICS, self.first_said_at)
            self.start_next_response()
        self.bring_forward(self.at)

    def stop(self, metrics: Collection[Metric]) -> None:
        """What clocks waited for has happened; a breach recorded too early is withdrawn (rule 9)."""
        for clock in self._remembered():
            if clock.metric in metrics and (clock.withdraws(self.at) or clock.stopped_at is None):
                clock.stop(self.at)
        self._forget_ended()

    def cancel_all(self, reason: str) -> None:
        """End every clock; recorded breaches stay, and stop counting."""
        for clock in self.open:
            clock.stop(self.at)
            if clock.breached_at is None:
                clock.status, clock.cancel_reason = CANCELLED, reason
        self._forget_ended()

    def start_missing(self, metrics: Collection[Metric], since: datetime) -> None:
        """Start the clocks that the ticket lacks, counted from `since`."""
        policy = self._usable_policy()
        if policy is None:
            return
        for metric in BEGINNING:
            if metric in metrics and all(each.status is CANCELLED for each in self._counted(metric)):
                self._start_cycle(policy, metric, since)

    def start_next_response(self) -> None:
        """One clock for all that is unanswered, from the oldest of it (rules 10 to 14)."""
        since = self.unanswered_since
        if since is None:
            return
        ended = False
        for clock in self._counted(*REPLY_METRICS):
            if clock.stopped_at is None:
                return
            ended = True
            if since <= clock.stopped_at:  # what a call has answered is not waited for again (rule 3)
                since = self.at
        policy = self._usable_policy() if ended or self.answered else None
        if policy is not None:
            self._start_cycle(policy, _NEXT_RESPONSE, since)

    def _take(self, change: Holding | None) -> None:
        if change is not None:
            self.follow_status(change)

    def _freeze(self, status: Status) -> None:
        for clock in self.open:
            if clock.metric not in clock.policy.pauses:
                continue
            paused = clock.counted_from is None
            if status in clock.policy.pause_on:
                if not paused:
                    clock.withdraws(self.at)
                    clock.pause(self.at)
            elif paused:
                clock.resume(self.at)

    def _restart_update(self) -> None:
        policy = self._usable_policy()
        if policy is not None and self.holding.status not in ENDED:
            self._start_cycle(policy, _UPDATE, self.at)

    def _start_new_cycle(self) -> None:
        """Reopened: what happens to `resolution` is the policy's choice (rule 22)."""
        last = self.latest.get(_RESOLUTION)
        if last is None:
            if self.first_said_at is not None:
                self.start_missing(FOR_ALL_TO_SEE, self.at)
            return
        if last.policy.on_reopen == "new_cycle":
            self._start_cycle(last.policy, _RESOLUTION, self.at)
        elif last.policy.on_reopen == "continue" and last.status is not CANCELLED:
            last.reopen(self.at)
            self.open = [clock for clock in self.clocks if clock.stopped_at is None]
        self._start_cycle(last.policy, _UPDATE, self.at)

    def _retarget(self, clock: RehearsedClock, target: int) -> None:
        match clock.policy.on_priority:
            case "from_start":
                clock.retarget(target, self.at)
            case "from_now":
                clock.recount(target, self.at)
            case "reset":
                was_paused = clock.status is PAUSED
                self._cancel(clock, "reset")
                opening, due_at = first_moments(clock.calendar, self.at, target * MICROSECONDS)
                fresh = self.clock_kind(
                    clock.metric, clock.cycle + 1, clock.policy, clock.calendar, target, opening, due_at
                )
                self._started(fresh)
                if was_paused:
                    fresh.pause(self.at)

    def _select(self, policy: Policy | None) -> None:
        """Live under another policy: clocks without a result end, their next ones go on with the time used."""
        self.held = policy
        usable = policy if policy is not None and self._can_start(policy) else None
        for clock in [clock for clock in self.open if clock.is_undecided]:
            paused_at = clock.paused_at
            self._cancel(clock, SUPERSEDED)
            target = usable.target(clock.metric, self.holding.priority) if usable else None
            if usable is not None and target is not None:
                calendar = self.policies.calendars[usable.calendar]
                self._started(clock.carried_on(usable, calendar, target, self.at, paused_at))
        if usable is not None:
            self.start_again()

    def _start_cycle(self, policy: Policy, metric: Metric, since: datetime) -> None:
        target = policy.target(metric, self.holding.priority)
        if target is None:
            return
        known, calendar = self.latest.get(metric), self.policies.calendars[policy.calendar]
        opening, due_at = first_moments(calendar, since, target * MICROSECONDS)
        clock = self.clock_kind(metric, known.cycle + 1 if known else 1, policy, calendar, target, opening, due_at)
        if since < self.at:
            clock.retarget(target, self.at)
        self._started(clock)
        if metric in policy.pauses and self.holding.status in policy.pause_on:
            clock.pause(self.at)

    def _started(self, clock: RehearsedClock) -> None:
        self.held = clock.policy
        self.clocks.append(clock)
        self.kept.append(clock)
        self.open.append(clock)
        self.latest[clock.metric] = clock

    def _cancel(self, clock: RehearsedClock, reason: str) -> None:
        clock.cancel(self.at, reason)
        self.open.remove(clock)

    def _forget_ended(self) -> None:
        self.open = [clock for clock in self.open if clock.stopped_at is None]

    def _remembered(self) -> list[RehearsedClock]:
        """Return the clocks that a ticket would still know of, in the order of their start."""
        if len(self.kept) > MOST_KEPT_CLOCKS:
            old = old_places(self.kept)
            for place in sorted(old):
                self._let_go(self.kept[place])
            self.kept = [clock for place, clock in enumerate(self.kept) if place not in old]
        return self.kept

    def _let_go(self, clock: RehearsedClock) -> None:
        assert clock.stopped_at is not None  # it is over
        before = self.past.get((clock.metric, clock.status is CANCELLED))
        if before is None or before.stopped_at is None or before.stopped_at < clock.stopped_at:
            self.past[clock.metric, clock.status is CANCELLED] = clock

    def _counted(self, *metrics: Metric) -> list[RehearsedClock]:
        """Return those of some metrics, with what stands for those that a ticket would not know of any more."""
        kept = self._remembered()  # lets go of more
        return [clock for clock in (*self.past.values(), *kept) if clock.metric in metrics]

    def _usable_policy(self) -> Policy | None:
        policy = self.held if self.held is not None else self.policies.match(self.holding)
        return policy if policy is not None and self._can_start(policy) else None

    def _can_start(self, policy: Policy) -> bool:
        holding = self.holding
        return not holding.spam and holding.priority is not None and policy.calendar in self.policies.calendars
