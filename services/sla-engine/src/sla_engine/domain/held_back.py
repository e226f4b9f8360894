"""What holds automation rules back, and how that is told: once, and in one fact for all rules of one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sla_engine.domain.automation_rules import Rule
from sla_engine.domain.draft import Draft
from sla_engine.domain.people import WHOM_A_CLOCK_CONCERNS
from sla_engine.domain.policies import Policies
from sla_engine.domain.rule_memory import (
    BURST_WITHIN,
    LONG_WITHIN,
    MOST_LONG_RUNS,
    MOST_RUNS,
    ONCE,
    RuleMemory,
    RuleUse,
)
from sla_engine.domain.writing import write
from ticket_contracts.automation import HeldRule, RuleOutcome, RuleRan
from ticket_contracts.commands import Actor, AddNote
from ticket_contracts.escalations import Bilingual

LONGEST_CHAIN = 5
"""Rules that set each other off, from the fact that people or time made. A longer chain is a mistake that nobody would
find by reading the rules."""

MOST_IN_CHAIN = 20
"""Rules that one command or moment may set off, directly or not: each makes facts, and all stand in one batch."""

MOST_NAMED = 20
"""Rules that one fact names as held back: enough to find the mistake, and the count tells the rest."""


class Held(NamedTuple):
    """A rule that did not run, what would have set it off, and what held it back."""

    outcome: RuleOutcome
    rule: Rule
    cause: str
    reason: str


@dataclass(slots=True)
class Chain:
    """What one command or moment has set off. `lineage` holds, by the index of a fact, the rules that led to it.

    `is_full` says that a rule was held back because so many had run: whatever follows is not looked at any more.
    """

    lineage: dict[int, tuple[str, ...]] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)
    held: list[Held] = field(default_factory=list)
    is_full: bool = False

    def refusal(self, rule: Rule, lineage: tuple[str, ...]) -> str:
        """Return why the rule may not run because of a fact of this lineage, or nothing."""
        if rule.name in lineage:
            return f"it set itself off: {' → '.join((*lineage, rule.name))}"
        if len(lineage) >= LONGEST_CHAIN:
            return f"rules set each other off more than {LONGEST_CHAIN} times: {' → '.join((*lineage, rule.name))}"
        if len(self.ran) >= MOST_IN_CHAIN:
            self.is_full = True
            return f"more than {MOST_IN_CHAIN} rules were set off at once"
        return ""


class Limit(NamedTuple):
    """A rule ran so many times on one ticket within this time."""

    runs: int
    within: timedelta


def limit_reached(use: RuleUse, at: datetime) -> Limit | None:
    """Return the limit that a rule has reached on a ticket at a time, None while it may run."""
    if use.runs_before(at) >= MOST_RUNS:
        return Limit(MOST_RUNS, BURST_WITHIN)
    if use.long_runs_before(at) >= MOST_LONG_RUNS:
        return Limit(MOST_LONG_RUNS, LONG_WITHIN)
    return None


def use_of(draft: Draft, rule: Rule) -> RuleUse:
    """Return what the ticket remembers of this version of the rule."""
    return (draft.ticket.automation or RuleMemory()).use_of(rule.name, rule.version)


def stop(draft: Draft, policies: Policies, rule: Rule, cause: str, limit: Limit) -> None:
    """Let the rule rest on this ticket: one fact, which people are told of, and a note in words."""
    en, zh = _spans(limit.within)
    reason = f"it ran {limit.runs} times on this ticket within {en} and rests here until it is changed"
    words = Bilingual(
        en=f"Rule “{rule.name}”: {reason}. Look in the timeline at what sets it off again and again: another rule or "
        "an escalation step may undo it. Then change the rule and apply it. The changed rule runs here again.",
        zh=f"规则「{rule.name}」在 {zh}内对本工单运行了 {limit.runs} 次，已在此停用，直到规则被修改。"
        "请在时间线中查看是什么反复触发它：可能是另一条规则或升级步骤与它互相抵消。修改规则并应用后，它会在本工单重新运行。",
    )
    told = policies.people.resolve(WHOM_A_CLOCK_CONCERNS, draft.ticket.summary)
    with acting(draft, rule.actor, draft.at):
        add_run(draft, policies, Held("stopped", rule, cause, reason), notified=told, words=words)
        draft.cause = f"{cause}:{rule.name}:stopped"
        note = AddNote(ticket_id=draft.ticket.ticket_id, actor=rule.actor, text=f"{words.en} / {words.zh}")
        write(draft, note, policies)


def _spans(within: timedelta) -> tuple[str, str]:
    minutes = int(within.total_seconds()) // 60
    return (f"{within.days} days", f"{within.days} 天") if within.days else (f"{minutes} minutes", f"{minutes} 分钟")


def tell_held(draft: Draft, policies: Policies, chain: Chain) -> None:
    """Add one fact for each outcome of rules that a command held back, unless all that it would name were told of."""
    for outcome in ONCE:
        found: dict[str, Held] = {}
        for each in chain.held:
            if each.outcome == outcome:
                found.setdefault(each.rule.name, each)
        named = list(found.values())[:MOST_NAMED]
        first = next((each for each in named if outcome not in use_of(draft, each.rule).told), None)
        if first is None:
            continue
        others = [each.rule for each in named if each is not first]
        more = (
            f"; held back with it, {len(found) - 1} more: {', '.join(rule.name for rule in others)}" if others else ""
        )
        also = tuple(HeldRule(rule=rule.name, rule_version=rule.version) for rule in others)
        with acting(draft, first.rule.actor, draft.at):
            told = first._replace(reason=f"{first.reason}{more}")
            add_run(draft, policies, told, also=also, held=len(found))


def add_run(draft: Draft, policies: Policies, became: Held, **content: object) -> None:
    """Add the fact of what became of a rule."""
    draft.add(
        RuleRan,
        rule=became.rule.name,
        rule_version=became.rule.version,
        configuration_version=policies.automation.configuration_version,
        outcome=became.outcome,
        cause=became.cause,
        reason=became.reason,
        **content,
    )


@contextmanager
def acting(draft: Draft, actor: Actor, at: datetime) -> Iterator[None]:
    """Let somebody else act in the draft, at a time that we learn of when it comes."""
    before = draft.actor, draft.at, draft.seen_at, draft.cause
    draft.actor = actor
    if at != draft.at:
        draft.at = draft.seen_at = at
    try:
        yield
    finally:
        draft.actor, draft.at, draft.seen_at, draft.cause = before
