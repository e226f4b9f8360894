"""What ordered rules make of a message: team, priority and tags, with the trace of what decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cel

from ticket_contracts.expressions import FUNCTIONS, Condition, ExpressionFailed, UnusableExpression
from ticket_contracts.messages import MessageReceived
from ticket_contracts.vocabulary import Priority
from ticket_router.domain.message_view import view_for

NO_RULE_CHOSE = "no rule chose a team"

_KEPT_CONCLUSIONS = 4096
"""Conclusions kept in memory: messages that the same rules match share one. Far above what real rules combine to."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and what it sets; a later rule overrides team and priority, tags add up, spam stays."""

    name: str
    when: str
    team: str | None = None
    priority: Priority | None = None
    tags: tuple[str, ...] = ()
    stop: bool = False
    spam: bool = False

    def effect(self) -> str:
        """Say for the trace what a match sets."""
        parts = [f"team={self.team}"] if self.team else []
        parts += [f"priority={self.priority}"] if self.priority else []
        parts += [f"tags+={','.join(self.tags)}"] if self.tags else []
        parts += ["spam"] if self.spam else []
        parts += ["stop"] if self.stop else []
        return " ".join(parts) or "nothing"


@dataclass(frozen=True, slots=True)
class Classification:
    """Where a ticket goes and why. `trace` has a line per rule that matched or could not be decided."""

    team: str
    priority: Priority
    tags: tuple[str, ...]
    trace: tuple[tuple[str, str], ...]
    reason: str
    spam: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What a rule book is made from. `teams` has every team's members in rotation order."""

    rules: tuple[Rule, ...]
    teams: Mapping[str, tuple[str, ...]]
    triage_team: str
    default_priority: Priority


_Outcome = tuple[Rule, str | None]  # the rule, and why it could not be decided; None when it matched


class RuleBook:
    """Rules made ready to run; one per configuration version."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._conditions = [(rule, _prepare(rule, rules.teams)) for rule in rules.rules]
        self._context = cel.Context(functions=FUNCTIONS)
        self._view = view_for(rule.when for rule in rules.rules)
        self._conclude: Callable[[tuple[_Outcome, ...]], Classification]
        self._conclude = lru_cache(maxsize=_KEPT_CONCLUSIONS)(self._conclude_outcomes)

    def members(self, team: str) -> Sequence[str]:
        return self._rules.teams[team]

    def unusable(self) -> dict[str, str]:
        """Return the rules that never match, with the reason."""
        return {rule.name: ready for rule, ready in self._conditions if isinstance(ready, str)}

    def classify(self, message: MessageReceived) -> Classification:
        self._context.add_variable("message", self._view(message))
        outcomes: list[_Outcome] = []
        for rule, ready in self._conditions:
            if isinstance(ready, str):
                outcomes.append((rule, ready))
                continue
            try:
                matched = ready.holds(self._context)
            except ExpressionFailed as failure:
                outcomes.append((rule, str(failure)))
                continue
            if matched:
                outcomes.append((rule, None))
                if rule.stop:
                    break
        return self._conclude(tuple(outcomes))

    def _conclude_outcomes(self, outcomes: tuple[_Outcome, ...]) -> Classification:
        team: str | None = None
        priority = self._rules.default_priority
        tags: dict[str, None] = {}
        spam = False
        for rule, failure in outcomes:
            if failure is None:
                team = rule.team or team
                priority = rule.priority or priority
                tags.update(dict.fromkeys(rule.tags))
                spam = spam or rule.spam
        return Classification(
            team=team or self._rules.triage_team,
            priority=priority,
            tags=tuple(tags),
            trace=tuple(
                (rule.name, rule.effect() if failure is None else f"no match: {failure}") for rule, failure in outcomes
            ),
            reason="" if team else NO_RULE_CHOSE,
            spam=spam,
        )


def _prepare(rule: Rule, teams: Mapping[str, tuple[str, ...]]) -> Condition | str:
    """Return the condition, or why the rule can never match."""
    if rule.team is not None and rule.team not in teams:
        return f"there is no team {rule.team}"
    try:
        return Condition(rule.when, ("message",))
    except UnusableExpression as error:
        return str(error)
