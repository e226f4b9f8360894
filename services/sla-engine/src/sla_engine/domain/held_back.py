"""What holds automation rules back, and how that is told: once, and in one fact for all rules of one command."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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

MOST_NAMED = 20
"""Rules that one fact names as held back: enough to find the mistake, and the count tells the rest."""


MOST_LOOPS = 5
"""Circles of rules that one fact names; those beyond are told of with the next command."""

_LOOPS: Mapping[bool, Bilingual] = {
    undo: Bilingual(
        en=f"Automation rules {en} on this ticket: {{circles}}. Each of them runs once for one command or moment; this "
        "guard stopped them, and the ticket is as the last of them left it. Narrow their conditions so that they do "
        "not come true in turn, then apply the changed rules.",
        zh=f"自动化规则在本工单上{zh}：{{circles}}。对同一条命令或同一时刻，每条规则只运行一次；这一保护使它们停下，工单保持最后一条"
        "规则留下的样子。请收紧它们的条件，使条件不再轮流成立，修改后重新应用。",
    )
    for undo, en, zh in ((True, "undo each other", "互相抵消"), (False, "set each other off", "互相触发"))
}


class Held(NamedTuple):
    """A rule that did not run, what would have set it off, and what held it back.

    `circle` are the rules of a loop, each answering to the one before, and the first to the last.
    """

    outcome: RuleOutcome
    rule: Rule
    cause: str
    reason: str
    words: Bilingual | None = None
    circle: tuple[Rule, ...] = ()

    @property
    def named(self) -> tuple[Rule, ...]:
        """All rules that it tells of."""
        return self.circle or (self.rule,)


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


def tell_held(draft: Draft, policies: Policies, held: Sequence[Held]) -> None:
    """Add one fact for each outcome of rules that a command held back, unless all that it would name were told of."""
    for outcome in ONCE:
        found: dict[str, Held] = {}
        for each in held:
            if each.outcome == outcome:
                found.setdefault(each.rule.name, each)
        named = list(found.values())[:MOST_NAMED]
        first = next((each for each in named if not _all_told(draft, each)), None)
        if first is None:
            continue
        others = [each for each in named if each is not first]
        more = (
            f"; held back with it, {len(found) - 1} more: {', '.join(each.rule.name for each in others)}"
            if others
            else ""
        )
        content: dict[str, object] = {"also": tuple(_version(each.rule) for each in others), "held": len(found)}
        circles = _circles([first, *others])
        if circles:
            content["loops"] = tuple(tuple(map(_version, circle)) for circle in circles)
        words = _loop_words(circles) if first.circle else first.words
        with acting(draft, first.rule.actor, draft.at):
            add_run(draft, policies, first._replace(reason=f"{first.reason}{more}"), words=words, **content)


def _all_told(draft: Draft, held: Held) -> bool:
    return all(held.outcome in use_of(draft, rule).told for rule in held.named)


def _version(rule: Rule) -> HeldRule:
    return HeldRule(rule=rule.name, rule_version=rule.version)


def _circles(held: Iterable[Held]) -> list[tuple[Rule, ...]]:
    """Return each circle once, wherever it was entered."""
    found = {frozenset(rule.name for rule in each.circle): each.circle for each in reversed(list(held)) if each.circle}
    return list(reversed(found.values()))[:MOST_LOOPS]


def _loop_words(circles: Sequence[tuple[Rule, ...]]) -> Bilingual:
    words = _LOOPS[any(undo_each_other(circle) for circle in circles)]
    en, zh = (
        "; ".join(" → ".join(quotes.format(rule.name) for rule in (*circle, circle[0])) for circle in circles)
        for quotes in ("“{}”", "「{}」")
    )
    return Bilingual(en=words.en.format(circles=en), zh=words.zh.format(circles=zh))


def undo_each_other(circle: Iterable[Rule]) -> bool:
    """Whether one of the rules sets otherwise what another sets."""
    rules = tuple(circle)
    return any(each.undoes(other, other.settings) for each in rules for other in rules)


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
