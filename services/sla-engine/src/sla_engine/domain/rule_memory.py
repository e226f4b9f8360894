"""What a ticket remembers of automation rules: those that wait, how often each ran lately, what was told of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from ticket_contracts.automation import RuleRan, WaitingBegun

BURST_WITHIN = timedelta(hours=1)

MOST_RUNS = 20
"""Of one rule on one ticket within BURST_WITHIN. A lively chat sets a rule off some ten times an hour; a mailbox that
answers our answers does it every minute."""

ONCE = ("failed", "looped", "stopped")
"""Outcomes that are told once per version of a rule: a defect of a rule needs one look, not one fact a message."""


class Wait(NamedTuple):
    """A rule runs at this time, of a stay in the status that began at `since`."""

    at: datetime
    rule: str
    since: datetime


class RuleUse(NamedTuple):
    """One version of a rule on one ticket: when it ran lately, and which of ONCE were told."""

    rule: str
    version: int
    runs: tuple[datetime, ...] = ()
    told: tuple[str, ...] = ()

    def runs_before(self, at: datetime) -> int:
        """Return how often it ran within BURST_WITHIN before `at`."""
        return sum(at - BURST_WITHIN < run <= at for run in self.runs)


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
    return _unless_empty(RuleMemory(waits, tuple(_uses(before, fact))))


def leave_status(memory: RuleMemory | None) -> RuleMemory | None:
    """Return what is remembered when the ticket has left its status: nothing waits for that one any more."""
    return None if memory is None else _unless_empty(replace(memory, waits=()))


def _uses(before: RuleMemory, fact: RuleRan) -> Iterator[RuleUse]:
    since = fact.at - BURST_WITHIN
    for use in before.uses:
        if use.rule != fact.rule and (use.told or any(run > since for run in use.runs)):
            yield use
    use = before.use_of(fact.rule, fact.rule_version)
    runs = tuple(run for run in use.runs if run > since)[1 - MOST_RUNS :]
    if fact.outcome == "ran":
        runs = (*runs, fact.at)
    told = (*use.told, fact.outcome) if fact.outcome in ONCE and fact.outcome not in use.told else use.told
    if runs or told:
        yield RuleUse(fact.rule, fact.rule_version, runs, told)


def _unless_empty(memory: RuleMemory) -> RuleMemory | None:
    return memory if memory.waits or memory.uses else None
