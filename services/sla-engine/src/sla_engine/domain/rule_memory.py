"""What a ticket remembers of automation rules: those that wait, how often each ran lately, what was told of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from ticket_contracts.automation import MOST_RULES, RuleRan, WaitingBegun

BURST_WITHIN = timedelta(hours=1)

MOST_RUNS = 20
"""Of one rule on one ticket within BURST_WITHIN. A lively chat sets a rule off some ten times an hour; a mailbox that
answers our answers does it every minute."""

LONG_WITHIN = timedelta(days=30)

MOST_LONG_RUNS = 100
"""Of one rule on one ticket within LONG_WITHIN of the first of them; then its count begins anew. Two rules that undo
each other every hour reach it after four days. Three runs a day, every day, are more than people look at."""

MOST_USES = 2 * MOST_RULES
"""Rules that a ticket remembers: all that a configuration may have, and as many that it had before. What is forgotten
could be told again, and a loop of it would never be found. It is written anew with each of the ticket's facts; a rule
that did nothing on a ticket takes no room in it."""

MOST_WAITS = 100
"""Rules that wait for a ticket at a time, the earliest: all stand in one fact, and run in one batch."""

ONCE = ("failed", "looped", "stopped")
"""Outcomes that are told once per version of a rule: a defect of a rule needs one look, not one fact a message."""


class Wait(NamedTuple):
    """A rule runs at this time, of a stay in the status that began at `since`."""

    at: datetime
    rule: str
    since: datetime


class RuleUse(NamedTuple):
    """One version of a rule on one ticket: when it ran lately, and which of ONCE were told.

    It ran `total` times since `since`, a run too.
    """

    rule: str
    version: int
    runs: tuple[datetime, ...] = ()
    told: tuple[str, ...] = ()
    since: datetime | None = None
    total: int = 0

    def runs_before(self, at: datetime) -> int:
        """Return how often it ran within BURST_WITHIN before `at`."""
        return sum(at - BURST_WITHIN < run <= at for run in self.runs)

    def long_runs_before(self, at: datetime) -> int:
        """Return how often it ran in the stretch of LONG_WITHIN that `at` lies in; a new one begins with a run."""
        return self.total if self.since is not None and at - self.since < LONG_WITHIN else 0


@dataclass(frozen=True, slots=True)
class RuleMemory:
    waits: tuple[Wait, ...] = ()
    uses: tuple[RuleUse, ...] = ()

    def use_of(self, rule: str, version: int) -> RuleUse:
        """Return what is remembered of this version; of an earlier one nothing counts."""
        return next((use for use in self.uses if (use.rule, use.version) == (rule, version)), RuleUse(rule, version))


def remember(memory: RuleMemory | None, fact: WaitingBegun | RuleRan) -> RuleMemory | None:
    """Return what is remembered after the fact; None when it is nothing."""
    before = memory or RuleMemory()
    if isinstance(fact, WaitingBegun):
        waits = tuple(Wait(each.at, each.rule, fact.since) for each in fact.waits)
        return _unless_empty(replace(before, waits=waits))
    waits = tuple(wait for wait in before.waits if wait.rule != fact.rule)
    return _unless_empty(RuleMemory(waits, _kept(list(_uses(before, fact)))))


def leave_status(memory: RuleMemory | None) -> RuleMemory | None:
    """Return what is remembered when the ticket has left its status: nothing waits for that one any more."""
    return None if memory is None else _unless_empty(replace(memory, waits=()))


def _uses(before: RuleMemory, fact: RuleRan) -> Iterator[RuleUse]:
    named = (*fact.also, *(each for loop in fact.loops for each in loop))
    held = {fact.rule: fact.rule_version, **{each.rule: each.rule_version for each in named}}
    for use in before.uses:
        if use.rule not in held and (quiet := _quiet(use, fact.at)) is not None:
            yield quiet
    for rule, version in held.items():
        use = _quiet(before.use_of(rule, version), fact.at) or RuleUse(rule, version)
        if fact.outcome == "ran":
            total = use.long_runs_before(fact.at) + 1
            since = use.since if total > 1 else fact.at
            use = use._replace(runs=(*use.runs[1 - MOST_RUNS :], fact.at), since=since, total=total)
        elif fact.outcome in ONCE and fact.outcome not in use.told:
            use = use._replace(told=(*use.told, fact.outcome))
        if use.told or use.total:
            yield use


def _quiet(use: RuleUse, at: datetime) -> RuleUse | None:
    """Return what still counts at a time; None when nothing does."""
    runs = tuple(run for run in use.runs if run > at - BURST_WITHIN)
    if use.long_runs_before(at):
        return use if len(runs) == len(use.runs) else use._replace(runs=runs)
    return use._replace(runs=(), since=None, total=0) if use.told else None


def _kept(uses: list[RuleUse]) -> tuple[RuleUse, ...]:
    """Return as many as are kept, the last among them. Those that were told of or ran often are forgotten last."""
    while len(uses) > MOST_USES:
        del uses[min(range(len(uses) - 1), key=lambda place: _weight(uses[place]))]
    return tuple(uses)


def _weight(use: RuleUse) -> tuple[bool, bool, int]:
    return "stopped" in use.told, bool(use.told), use.total


def _unless_empty(memory: RuleMemory) -> RuleMemory | None:
    return memory if memory.waits or memory.uses else None
