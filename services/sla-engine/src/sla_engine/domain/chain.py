"""What one command or moment has set off, and whether rules go round in a circle there (docs/decisions/0045).

A loop is a circle of rules, each of which answers to the one before: that set it off, or it undoes what that did. And
none of them is sure to find its work done already: it writes, or some rule sets otherwise what it sets. A rule that is
set off a second time and closes no such circle is no mistake: for one command it runs once, and nothing is said.
"""

from dataclasses import dataclass, field

from sla_engine.domain.automation_rules import Rule, Rules, Setting
from sla_engine.domain.held_back import Held, undo_each_other
from ticket_contracts.escalations import Bilingual
from ticket_contracts.tickets import TicketSummary

LONGEST_CHAIN = 5
"""Rules that set each other off, from the fact that people or time made. A longer chain is a mistake that nobody would
find by reading the rules."""

MOST_IN_CHAIN = 20
"""Rules that one command or moment may set off, directly or not: each makes facts, and all stand in one batch."""

_DEEP = Bilingual(
    en=f"Automation rules set each other off more than {LONGEST_CHAIN} times in a row: {{path}}. The last of them was "
    "not run. Let one rule do at once what the long chain comes to.",
    zh=f"自动化规则连续互相触发超过 {LONGEST_CHAIN} 次：{{path}}。最后一条没有运行。请用一条规则直接完成整条链的结果。",
)
_WIDE = Bilingual(
    en=f"One command or moment set off more than {MOST_IN_CHAIN} automation rules. “{{rule}}” and those after it were "
    "not run. Narrow the conditions, or join rules that act on the same facts.",
    zh=f"一条命令或一个时刻触发了超过 {MOST_IN_CHAIN} 条自动化规则。「{{rule}}」及其后的规则没有运行。"
    "请收紧条件，或合并对同一事件起作用的规则。",
)


@dataclass(slots=True)
class Run:
    """A rule that acted, and what of its settings has stayed so since."""

    rule: Rule
    kept: set[Setting]


@dataclass(slots=True)
class Chain:
    """What one command or moment has set off. `lineage` holds, by the index of a fact, the rules that led to it.

    `answers` holds, by a rule's name, those that answered to it; `acted` counts the rules that left facts. `is_full`
    says that a rule was held back because they were so many: whatever follows is not looked at any more.
    """

    rules: Rules
    lineage: dict[int, tuple[str, ...]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    answers: dict[str, set[str]] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    acted: int = 0
    is_full: bool = False

    def add_run(self, rule: Rule, ticket: TicketSummary) -> None:
        """Remember that the rule acted; `ticket` is as it left it."""
        for name, run in self.runs.items():
            undone = run.kept.intersection(run.rule.missing(ticket))
            if undone:
                run.kept -= undone
                self._answer(name, rule.name)
        self.runs[rule.name] = Run(rule, rule.settings.keys() - rule.missing(ticket))

    def holds_back(self, rule: Rule, lineage: tuple[str, ...], cause: str, ticket: TicketSummary) -> bool:
        """Whether a guard keeps the rule from running because of a fact of this lineage; note it if it is to be told.

        A rule that would change nothing is not held back of what it would do, so nothing is told.
        """
        if lineage:
            self._answer(lineage[-1], rule.name)  # though it finds its work done: another may undo that later
        repeated = rule.name in self.runs
        if rule.would_act(ticket):
            held = self._repeat(rule, cause) if repeated else self._refusal(rule, lineage, cause)
            if held is not None:
                self.held.append(held)
                return True
        return repeated

    def _refusal(self, rule: Rule, lineage: tuple[str, ...], cause: str) -> Held | None:
        path = " → ".join((*lineage, rule.name))
        if len(lineage) >= LONGEST_CHAIN:
            reason = f"rules set each other off more than {LONGEST_CHAIN} times: {path}"
            words = Bilingual(en=_DEEP.en.format(path=path), zh=_DEEP.zh.format(path=path))
        elif self.acted >= MOST_IN_CHAIN:
            self.is_full = True
            reason = f"more than {MOST_IN_CHAIN} rules were set off at once"
            words = Bilingual(en=_WIDE.en.format(rule=rule.name), zh=_WIDE.zh.format(rule=rule.name))
        else:
            return None
        return Held("looped", rule, cause, reason, words)

    def _repeat(self, rule: Rule, cause: str) -> Held | None:
        """Return what to tell of a rule that would act a second time; nothing when no circle goes on."""
        for name, run in self.runs.items():
            if rule.undoes(run.rule, run.kept):
                self._answer(name, rule.name)
        circle = self._circle(rule)
        if not circle:
            return None
        path = " → ".join((*(each.name for each in circle), rule.name))
        what = "these rules undo each other" if undo_each_other(circle) else "it set itself off"
        reason = f"{what}: {path}; each of them runs once for one command or moment"
        return Held("looped", rule, cause, reason, circle=circle)

    def _answer(self, before: str, after: str) -> None:
        self.answers.setdefault(before, set()).add(after)

    def _circle(self, rule: Rule) -> tuple[Rule, ...]:
        """Return the shortest circle of the rule among those that need not come to rest, it first; else nothing."""
        way = self._ways(rule.name, self.runs.keys() & self.rules.restless).get(rule.name, ())
        return tuple(self.runs[each].rule for each in way)

    def _ways(self, start: str, among: set[str]) -> dict[str, tuple[str, ...]]:
        """Return for each rule that answers to `start`, over others of these or at once, the shortest way up to it."""
        found: dict[str, tuple[str, ...]] = {}
        ways: list[tuple[str, ...]] = [(start,)] if start in among else []
        for way in ways:  # grows, the shortest first
            for each in sorted(self.answers.get(way[-1], set()) & among - found.keys()):
                found[each] = way
                ways.append((*way, each))
        return found
