"""A rehearsal in which escalation steps act: they hand the ticket over or raise its priority (rule 45).

Steps that only tell are left out; no result depends on them. That such a life ends as the engine would have it is what
`test_sla_rule_48_acting_steps` shows, field by field.
"""

from datetime import datetime

from msgspec.structs import replace

from sla_engine.domain.acts import ASSIGNED, PRIORITY, Act, Holding, Said
from sla_engine.domain.escalating import raised
from sla_engine.domain.policies import Policies
from sla_engine.domain.rehearsal import Rehearsal
from sla_engine.domain.rehearsed_clock import LONG_AGO, NEVER, RehearsedClock
from sla_engine.domain.steps import Step
from ticket_contracts.vocabulary import Priority


class EscalatingRehearsal(Rehearsal):
    """Steps taken up to `imported_until` changed nothing: it was another system's ticket (rule 47).

    `wishes` are what steps still ask for: a team, or a priority; no more time passes before they are fulfilled.
    """

    __slots__ = ("imported_until", "wishes")

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
        return replace(there, team=team, priority=there.priority if kind == PRIORITY else here.priority)

    def let_pass(self, until: datetime) -> None:
        """As `settling.settle`."""
        self.bring_forward(until)
        while self.wishes:
            self._fulfil(*self.wishes.pop(0))
            if until >= self.quiet_until:
                self.bring_forward(until)

    def bring_forward(self, until: datetime) -> None:
        """As `timing.bring_forward`: of two clocks whose turn comes at once, the one that began first."""
        self.quiet_until = LONG_AGO
        while not self.wishes:
            first: RehearsedClock | None = None
            first_at, quiet_until = until, NEVER
            for clock in self.open:
                at = clock.not_before
                if at <= first_at and clock.turn_at is None:
                    at = clock.find_turn()
                if at > first_at:
                    if at < quiet_until:
                        quiet_until = at
                elif first is None or at < first_at:
                    first, first_at = clock, at
            if first is None:
                self.quiet_until = quiet_until
                return
            step = first.turn()
            if step is None:
                if first_at > self.last_due_at:
                    self.last_due_at = first_at
            elif self.imported_until is None or first_at > self.imported_until:
                self._wish(step.step, first_at)

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
            self.follow_priority(replace(self.holding, priority=wish))
        else:
            self.follow_holder(replace(self.holding, team=wish))
        self.at = before
