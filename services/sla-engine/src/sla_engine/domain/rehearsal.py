"""A ticket's life once more under other policies: what `decide` would have done to its clocks, and nothing else."""

from collections.abc import Collection
from datetime import datetime

from sla_engine.domain.acts import Act, Holding, Said, Voice
from sla_engine.domain.clock_memory import MOST_KEPT_CLOCKS
from sla_engine.domain.policies import BEGINNING, Policies, Policy, Promise, Terms
from sla_engine.domain.rehearsed_clock import (
    BREACHED,
    CANCELLED,
    LONG_AGO,
    MET,
    NEVER,
    PAUSED,
    RUNNING,
    RehearsedClock,
    begin_clock,
)
from sla_engine.domain.rehearsed_memory import LongMemory
from sla_engine.domain.selection import SUPERSEDED
from sla_engine.domain.timing import ALL_METRICS, ANSWERED_METRICS, REPLY_METRICS
from ticket_contracts.statuses import ENDED
from ticket_contracts.vocabulary import Metric, Status

FOR_ALL_TO_SEE = ALL_METRICS - REPLY_METRICS
"""What is still promised once the customer was answered."""

# Looking a member up costs more than comparing it.
_FIRST_RESPONSE, _NEXT_RESPONSE = Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE
_UPDATE, _RESOLUTION = Metric.UPDATE, Metric.RESOLUTION
_SOLVED, _CLOSED = Status.SOLVED, Status.CLOSED
_ANSWER, _WORDS, _CALL = Voice.ANSWER, Voice.WORDS, Voice.CALL


class Rehearsal:
    """The ticket as the acts so far have left it, as far as its clocks can tell.

    Time changes none of its clocks before `quiet_until`. No breach of a clock counts from after `last_due_at`.
    """

    __slots__ = (
        "answered",
        "at",
        "clocks",
        "first_said_at",
        "held",
        "holding",
        "last_answered_at",
        "last_due_at",
        "latest",
        "memory",
        "open",
        "policies",
        "quiet_until",
        "terms",
        "unanswered_since",
    )

    def __init__(self, opened: Act, said: Said, policies: Policies) -> None:
        self.policies = policies
        self.holding = opened.ticket
        self.at = opened.at
        self.clocks: list[RehearsedClock] = []
        self.open: list[RehearsedClock] = []
        self.memory: LongMemory | None = None
        self.latest: dict[Metric, RehearsedClock] = {}
        self.held: Policy | None = None
        self.terms: Terms | None = None  # the last that were asked for
        self.answered = False
        self.quiet_until = NEVER
        self.last_due_at = LONG_AGO
        self.last_answered_at = said.at if said.is_answer else None
        self.first_said_at = self.unanswered_since = said.at if said.speaks else None

    def open_by(self, said: Said) -> None:
        """Start what a ticket's first message starts (rules 1, 8, 24, 35)."""
        nothing_said = self.first_said_at is None
        if nothing_said and not said.is_held_call:
            return
        terms = self._terms()
        if terms is None:
            return
        promises, calendar = terms.promises.first, terms.calendar
        if nothing_said:
            promises = tuple(promise for promise in promises if promise.metric in FOR_ALL_TO_SEE)
        for promise in promises:
            self._started(begin_clock(promise, calendar, said.at, 1))

    def as_here(self, _: str, act: Act) -> Holding:
        """Return the ticket after an act of this event type: here as there."""
        return act.ticket

    def bring_forward(self, until: datetime) -> None:
        """Breach what was due by then; one breach changes nothing for another clock, so their order is no matter.

        To be asked at or after `quiet_until`: before it nothing happens.
        """
        quiet_until = NEVER
        for clock in self.open:
            due_at = clock.due_at
            if clock.status is not RUNNING or due_at is None:
                continue
            if due_at <= until:
                clock.status, clock.breached_at = BREACHED, due_at
                if due_at > self.last_due_at:
                    self.last_due_at = due_at
            elif due_at < quiet_until:
                quiet_until = due_at
        self.quiet_until = quiet_until

    let_pass = bring_forward

    def record(self, voice: Voice, said_at: datetime) -> None:
        """Remember a message without letting clocks hear of it."""
        if voice is _ANSWER:
            self.last_answered_at, self.unanswered_since = said_at, None
            self.answered = self.answered or self.first_said_at is not None
        elif voice is _WORDS:
            if self.unanswered_since is None and (self.last_answered_at is None or said_at > self.last_answered_at):
                self.unanswered_since = said_at
            if self.first_said_at is None:
                self.first_said_at = said_at

    def hear(self, voice: Voice, said_at: datetime, change: Holding | None) -> None:
        """Let clocks hear a message; `change` is the ticket after the change of status that came with it."""
        if voice is _ANSWER:
            self.record(voice, said_at)
            self.stop(ANSWERED_METRICS)
            if change is not None:
                self.follow_status(change)
            if self.first_said_at is not None or _UPDATE in self.latest:
                self._restart_update()
        elif voice is _WORDS:
            first, was_closed = self.first_said_at is None, self.holding.status is _CLOSED
            self.record(voice, said_at)
            if change is not None:
                self.follow_status(change)
            if was_closed:
                return
            if first:
                self.start_missing(ALL_METRICS, self.at)
            else:
                self.start_next_response()
        elif voice is _CALL:
            waiting = self.latest.get(_FIRST_RESPONSE)
            if waiting is not None and waiting.policy.call_counts_as_reply:
                self.stop(REPLY_METRICS)

    def follow_status(self, after: Holding) -> None:
        """Let clocks follow a change of status (rules 16 to 22)."""
        before, status = self.holding.status, after.status
        self.holding = after
        if status is _SOLVED or status is _CLOSED:
            self.unanswered_since = None
            if before is not _SOLVED and before is not _CLOSED:
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
        for clock in self._undecided():
            policy = clock.policy
            promise = policy.promises[after.priority].of.get(clock.metric)
            if promise is None:
                self._cancel(clock, f"policy {policy.name} promises nothing for priority {after.priority}")
            elif promise.target_seconds != clock.target_seconds or policy.on_priority == "reset":
                self._retarget(clock, promise)
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
        if self.at >= self.quiet_until:
            self.bring_forward(self.at)

    def stop(self, metrics: Collection[Metric]) -> None:
        """What clocks waited for has happened; a breach recorded too early is withdrawn (rule 9)."""
        at, still_open = self.at, []
        if at < self.last_due_at:
            for clock in self._remembered():
                if clock.metric in metrics and clock.withdraws(at):
                    clock.stop(at)
        for clock in self.open:
            if clock.metric not in metrics:
                still_open.append(clock)
                continue
            clock.stopped_at, clock.paused_at = at, None  # as `RehearsedClock.stop`; this is where most are stopped
            if clock.status is not BREACHED:
                clock.status = MET
        self.open = still_open

    def cancel_all(self, reason: str) -> None:
        """End every clock; recorded breaches stay, and stop counting."""
        for clock in self.open:
            clock.stop(self.at)
            if clock.breached_at is None:
                clock.status, clock.cancel_reason = CANCELLED, reason
        self.open = []

    def start_missing(self, metrics: Collection[Metric], since: datetime) -> None:
        """Start the clocks that the ticket lacks, counted from `since`."""
        terms = self._terms()
        if terms is None:
            return
        promised = {clock.metric for clock in self._known() if clock.status is not CANCELLED}
        for metric in BEGINNING:
            if metric in metrics and metric not in promised:
                self._start_cycle(terms, metric, since)

    def start_next_response(self) -> None:
        """One clock for all that is unanswered, from the oldest of it (rules 10 to 14)."""
        since = self.unanswered_since
        if since is None:
            return
        ended = False
        for clock in self._known():
            if clock.metric is not _FIRST_RESPONSE and clock.metric is not _NEXT_RESPONSE:
                continue
            if clock.stopped_at is None:
                return
            ended = True
            if since <= clock.stopped_at:  # what a call has answered is not waited for again (rule 3)
                since = self.at
        terms = self._terms() if ended or self.answered else None
        if terms is not None:
            self._start_cycle(terms, _NEXT_RESPONSE, since)

    def _freeze(self, status: Status) -> None:
        for clock in self.open:
            pause_on = clock.promise.pause_on
            if pause_on is None:
                continue
            paused = clock.counted_from is None
            if status in pause_on:
                if not paused:
                    if clock.status is BREACHED:
                        clock.withdraws(self.at)
                    clock.pause(self.at)
            elif paused:
                clock.resume(self.at)
                self._expect(clock)

    def _restart_update(self) -> None:
        terms = self._terms() if self.holding.status not in ENDED else None
        if terms is not None:
            self._start_cycle(terms, _UPDATE, self.at)

    def _start_new_cycle(self) -> None:
        """Reopened: what happens to `resolution` is the policy's choice (rule 22)."""
        last = self.latest.get(_RESOLUTION)
        if last is None:
            if self.first_said_at is not None:
                self.start_missing(FOR_ALL_TO_SEE, self.at)
            return
        policy = last.policy
        priority, calendar = self.holding.priority, self.policies.calendars[policy.calendar]
        terms = Terms(policy, priority, policy.promises[priority], calendar)
        if policy.on_reopen == "new_cycle":
            self._start_cycle(terms, _RESOLUTION, self.at)
        elif policy.on_reopen == "continue" and last.status is not CANCELLED:
            last.reopen(self.at)
            self._expect(last)
            self.open = [clock for clock in self.clocks if clock.stopped_at is None]
        self._start_cycle(terms, _UPDATE, self.at)

    def _retarget(self, clock: RehearsedClock, promise: Promise) -> None:
        match promise.policy.on_priority:
            case "from_start":
                clock.retarget(promise, self.at)
                self._expect(clock)
            case "from_now":
                clock.recount(promise, self.at)
                self._expect(clock)
            case "reset":
                was_paused = clock.status is PAUSED
                self._cancel(clock, "reset")
                fresh = begin_clock(promise, clock.calendar, self.at, clock.cycle + 1)
                self._started(fresh)
                if was_paused:
                    fresh.pause(self.at)

    def _select(self, policy: Policy | None) -> None:
        """Live under another policy: clocks without a result end, their next ones go on with the time used."""
        self.held = policy
        terms = self._terms() if policy is not None else None
        for clock in self._undecided():
            paused_at = clock.paused_at
            self._cancel(clock, SUPERSEDED)
            if terms is not None and (promise := terms.promises.of.get(clock.metric)) is not None:
                self._started(clock.carried_on(promise, terms.calendar, self.at, paused_at))
        if terms is not None:
            self.start_again()

    def _start_cycle(self, terms: Terms, metric: Metric, since: datetime) -> None:
        promise = terms.promises.of.get(metric)
        if promise is None:
            return
        known = self.latest.get(metric)
        clock = begin_clock(promise, terms.calendar, since, 1 if known is None else known.cycle + 1)
        if known is not None and known.status is CANCELLED:
            clock.take_over(known, since)
        if since < self.at:
            clock.retarget(promise, self.at)
        self._started(clock)
        if promise.pause_on is not None and self.holding.status in promise.pause_on:
            clock.pause(self.at)

    def _started(self, clock: RehearsedClock) -> None:
        self.held = clock.promise.policy
        if clock.not_before < self.quiet_until:
            self.quiet_until = clock.not_before
        self.clocks.append(clock)
        self.open.append(clock)
        self.latest[clock.metric] = clock

    def _expect(self, clock: RehearsedClock) -> None:
        if clock.not_before < self.quiet_until:
            self.quiet_until = clock.not_before

    def _undecided(self) -> list[RehearsedClock]:
        """Return those that are neither met nor missed."""
        return [clock for clock in self.open if clock.status is RUNNING or clock.status is PAUSED]

    def _cancel(self, clock: RehearsedClock, reason: str) -> None:
        clock.cancel(self.at, reason)
        self.open.remove(clock)

    def _remembered(self) -> list[RehearsedClock]:
        """Return the clocks that a ticket would still know of, in the order of their start."""
        return self.clocks if len(self.clocks) <= MOST_KEPT_CLOCKS else self._long_memory().kept

    def _known(self) -> list[RehearsedClock]:
        """Return them with what stands for those that a ticket would not know of any more."""
        return self.clocks if len(self.clocks) <= MOST_KEPT_CLOCKS else self._long_memory().known

    def _long_memory(self) -> LongMemory:
        if self.memory is None:
            self.memory = LongMemory()
        self.memory.follow(self.clocks)
        return self.memory

    def _terms(self) -> Terms | None:
        """Return those of the policy that the ticket holds, else of the one that matches it; None when it cannot start
        a clock."""
        holding, policy, terms = self.holding, self.held, self.terms
        if holding.spam or holding.priority is None:
            return None
        if terms is not None and terms.policy is policy and terms.priority is holding.priority:
            return terms
        if policy is None:
            policy = self.policies.match(holding)
        calendar = self.policies.calendars.get(policy.calendar) if policy is not None else None
        if policy is None or calendar is None:
            return None
        self.terms = Terms(policy, holding.priority, policy.promises[holding.priority], calendar)
        return self.terms
