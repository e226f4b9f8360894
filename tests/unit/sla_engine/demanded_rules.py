"""Automation rules for random lives, and what must hold of them, told from the facts, minute by minute.

Independent of how the engine reckons: when a stay in a status began and ended is read from what changed the status,
how much of a rule's time was used is counted in open minutes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import strategies as st

from business_time.calendar import BusinessCalendar, OpeningHours
from sla_engine.domain.automation_rules import Rule, Rules, Stay
from sla_engine.domain.rule_memory import BURST_WITHIN, LONG_WITHIN, MOST_LONG_RUNS, MOST_RUNS
from sla_engine.domain.timing import TIMER
from tests.unit.business_time.minute_oracle import MINUTE
from tests.unit.sla_engine.demanded_alerts import open_minutes
from tests.unit.sla_engine.rules import a_rule
from ticket_contracts.automation import RULE_ACTOR, RuleRan
from ticket_contracts.exchanges import MergeUndone
from ticket_contracts.tickets import StatusChanged, TicketFact, TicketOpened
from ticket_contracts.vocabulary import Priority, Status

UNDOING = ("give", "take")
"""They undo each other on one fact, whenever both run."""

_ON_FACTS: Mapping[str, dict[str, Any]] = {
    "give": {"on": ("tags-changed",), "when": '!("vip" in ticket.tags)', "then": {"add_tags": ("vip",)}},
    "take": {"on": ("tags-changed",), "when": '"vip" in ticket.tags', "then": {"remove_tags": ("vip",)}},
    "hurry": {"on": ("clock-breached",), "then": {"priority": Priority.URGENT, "notify": [("team-leads",)]}},
    "calm": {"on": ("priority-changed",), "then": {"priority": Priority.NORMAL}, "stop": True},
    "ask": {"on": ("clock-warned",), "then": {"team": "experts", "note": "x"}},
    "park": {
        "on": ("message-added",),
        "when": 'message.public && message.author.kind == "agent"',
        "then": {"status": Status.PENDING},
    },
    "unpark": {
        "on": ("status-changed", "priority-changed"),
        "when": 'ticket.status == "pending" && ticket.priority == "urgent"',
        "then": {"status": Status.OPEN, "reply": "x"},
    },
    "echo": {"on": ("opened", "message-added"), "then": {"note": "x"}},
}
_ON_TIME: Mapping[str, tuple[Status, int, str | None, dict[str, Any]]] = {
    "freeze": (Status.OPEN, 250, None, {"status": Status.PENDING}),
    "thaw": (Status.PENDING, 350, None, {"status": Status.OPEN}),
    "old": (Status.NEW, 90, "office", {"add_tags": ("old",)}),
    "remind": (Status.PENDING, 120, "office", {"reply": "x"}),
    "close": (Status.PENDING, 480, "office", {"status": Status.SOLVED}),
    "reopen": (Status.SOLVED, 300, "always", {"status": Status.OPEN}),
}
"""The status, minutes in it, by which calendar, and what is done."""

NAMES = (*_ON_FACTS, *_ON_TIME)
GROUPS = (
    ("give", "take", "old", "echo"),
    ("freeze", "thaw"),
    ("hurry", "calm", "ask"),
    ("park", "unpark", "hurry"),
    ("remind", "close", "reopen", "old"),
)
"""Rules that have to do with each other."""

some_rules = st.one_of(st.just([]), st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True)).map(
    lambda groups: [name for group in groups for name in group]
)


class Edited(NamedTuple):
    """A version of a rule, and by how much its time is longer than at first."""

    version: int = 1
    factor: float = 1


def rules_of(versions: Mapping[str, Edited], calendars: Mapping[str, BusinessCalendar]) -> Rules:
    """Return these versions, in the order in which `NAMES` has them."""
    rules = [_rule(name, versions[name], calendars) for name in NAMES if name in versions]
    return Rules(tuple(rules), max((each.version for each in versions.values()), default=0))


def _rule(name: str, edited: Edited, calendars: Mapping[str, BusinessCalendar]) -> Rule:
    if name in _ON_FACTS:
        return replace(_on_facts(name), version=edited.version)
    status, length, calendar, _ = _ON_TIME[name]
    stay = Stay(status, edited.factor * length * MINUTE, calendars[calendar] if calendar is not None else None)
    return replace(_on_time(name), version=edited.version, after=stay)


@cache
def _on_facts(name: str) -> Rule:
    content = {**_ON_FACTS[name], "order": NAMES.index(name)}
    return a_rule(name, *content.pop("on"), **{**content, "then": dict(content["then"])})


@cache
def _on_time(name: str) -> Rule:
    return a_rule(name, then=dict(_ON_TIME[name][3]), order=NAMES.index(name))


@dataclass
class InStatus:
    """A stay: when it began, after how many edits, when it ended, and what became of rules on time in it."""

    since: datetime
    status: Status
    edits: int
    until: datetime | None = None
    came: Counter[str] = field(default_factory=Counter)


@dataclass
class RuledLife:
    """What became of rules on one ticket. `roots` holds, by a fact's version, that of the fact which no rule made and
    which led to it; `behind` the same of what each actor does at present."""

    stays: list[InStatus] = field(default_factory=list)
    ran: dict[tuple[str, int], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    roots: dict[int, int] = field(default_factory=dict)
    behind: dict[str, int] = field(default_factory=dict)
    acted: Counter[tuple[str, int]] = field(default_factory=Counter)
    stopped: set[tuple[str, int]] = field(default_factory=set)
    looped: set[tuple[str, int]] = field(default_factory=set)


def runs_of(facts: Sequence[TicketFact]) -> list[tuple[str, int, str, datetime]]:
    """Return what became of rules."""
    runs = (fact for fact in facts if isinstance(fact, RuleRan))
    return [(run.rule, run.rule_version, run.outcome, run.at) for run in runs]


class RuleWatch:
    """Sees every fact once, with the rules and the hours by which it was decided, and fails at the first that is wrong.

    `edits` are names of calendars and rules, in the order in which they were edited.
    """

    def __init__(self, start: datetime, edits: Sequence[str]) -> None:
        self.lives: dict[UUID, RuledLife] = defaultdict(RuledLife)
        self._start = start
        self._edits = edits

    def see(self, facts: Sequence[TicketFact], rules: Rules, hours: Mapping[str, OpeningHours]) -> None:
        """Look at the facts of one decision."""
        for fact in facts:
            self._follow_status(fact)
            self._find_root(fact)
            if isinstance(fact, RuleRan):
                self._follow_run(fact, rules, hours)
        for ticket_id in {fact.ticket_id for fact in facts}:
            both = [self._ran_at(facts, ticket_id, name) for name in UNDOING]
            if both[0].keys() & both[1].keys():
                at = max(both[0].keys() & both[1].keys())
                told = {(name, ran[at]) for name, ran in zip(UNDOING, both, strict=True)}
                assert told <= self.lives[ticket_id].looped, "a loop ended and nobody was told"

    def lasted(self, rules: Rules, hours: Mapping[str, OpeningHours], until: datetime) -> None:
        """Rules that nobody edited ran, or were passed over, once in each stay that was longer than their time."""
        for life in self.lives.values():
            for stay in life.stays:
                end = min(stay.until or until, until)
                for rule, after in rules.by_status[stay.status]:
                    rests = (rule.name, rule.version) in life.stopped
                    used = self._used(after, hours, stay.since, end - MINUTE)
                    assert rests or used < after.duration or stay.came[rule.name] == 1, (rule.name, stay)

    def _follow_status(self, fact: TicketFact) -> None:
        stays = self.lives[fact.ticket_id].stays
        if stays and stays[-1].until is None and stays[-1].status is not fact.ticket.status:
            stays[-1].until = fact.at
        changed = isinstance(fact, StatusChanged) and fact.previous is not fact.ticket.status
        if changed or isinstance(fact, TicketOpened | MergeUndone):
            stays.append(InStatus(fact.at, fact.ticket.status, len(self._edits)))

    def _find_root(self, fact: TicketFact) -> None:
        life = self.lives[fact.ticket_id]
        root = fact.version
        if isinstance(fact, RuleRan) and not fact.cause.startswith(TIMER):
            root = life.roots[int(fact.cause.rpartition(":")[2])]
        elif fact.actor.id.startswith(RULE_ACTOR) and not isinstance(fact, RuleRan):
            root = life.behind[fact.actor.id]
        life.roots[fact.version] = life.behind[fact.actor.id] = root

    def _follow_run(self, fact: RuleRan, rules: Rules, hours: Mapping[str, OpeningHours]) -> None:
        life, version = self.lives[fact.ticket_id], (fact.rule, fact.rule_version)
        if fact.outcome == "looped":
            named = {(each.rule, each.rule_version) for loop in fact.loops for each in loop} or {version}
            assert not named <= life.looped, "the same loop was told twice"
            assert fact.words is not None
            life.looped |= named | {version}
        elif fact.outcome == "stopped" and fact.words is not None:
            assert version not in life.stopped
            life.stopped.add(version)
        elif fact.outcome == "ran":
            life.acted[fact.rule, life.roots[fact.version]] += 1
            assert life.acted[fact.rule, life.roots[fact.version]] == 1, "a rule acted twice on one fact"
            assert version not in life.stopped
            life.ran[version].append(fact.at)
            self._bounded(life.ran[version], fact.at)
        if fact.rule in _ON_TIME:
            self._on_time(life, fact, rules, hours)

    @staticmethod
    def _bounded(runs: Sequence[datetime], at: datetime) -> None:
        assert sum(at - BURST_WITHIN < each <= at for each in runs) <= MOST_RUNS
        assert sum(at - LONG_WITHIN < each <= at for each in runs) <= MOST_LONG_RUNS

    def _on_time(self, life: RuledLife, fact: RuleRan, rules: Rules, hours: Mapping[str, OpeningHours]) -> None:
        """The rule's time is used up at that moment and not before; after an edit it may be more than used up."""
        stay = life.stays[-1]
        assert stay.until is None
        stay.came[fact.rule] += 1
        assert stay.came[fact.rule] == 1, "it came twice in one stay"
        found = rules.waiting(fact.rule, stay.status)
        assert found is not None, "it is gone, or watches another status"
        assert fact.cause.startswith(TIMER)
        after = found[1]
        used = self._used(after, hours, stay.since, fact.at)
        assert used >= after.duration, "it acted before its time"
        names = {fact.rule, after.calendar.name if after.calendar is not None else ""}
        if not names & set(self._edits[stay.edits :]):
            assert used == after.duration
            assert self._used(after, hours, stay.since, fact.at - MINUTE) < after.duration

    def _used(self, after: Stay, hours: Mapping[str, OpeningHours], since: datetime, until: datetime) -> timedelta:
        if after.calendar is None or until <= since:
            return max(until - since, timedelta())
        kept = hours[after.calendar.name]
        opened = open_minutes(kept.week, kept.closed, self._start)
        first, last = ((moment - self._start) // MINUTE for moment in (since, until))
        return (opened[last] - opened[first]) * MINUTE

    @staticmethod
    def _ran_at(facts: Iterable[TicketFact], ticket_id: UUID, rule: str) -> dict[datetime, int]:
        return {
            fact.at: fact.rule_version
            for fact in facts
            if isinstance(fact, RuleRan) and (fact.ticket_id, fact.rule, fact.outcome) == (ticket_id, rule, "ran")
        }
