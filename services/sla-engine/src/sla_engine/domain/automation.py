"""Automation rules at work: what facts and the passing of time set off, in the same decision.

A fact that a rule caused may set off other rules. A chain ends: no rule runs twice in it, none because of what it did
itself, and it has at most LONGEST_CHAIN links. Conditions are asked only here, while deciding; what came of them is in
the facts, so that a replay asks nothing (rule 49; docs/decisions/0026).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sla_engine.domain import timing
from sla_engine.domain.automation_effects import perform
from sla_engine.domain.automation_rules import Rule
from sla_engine.domain.automation_view import short_name
from sla_engine.domain.draft import ENGINE, Draft
from sla_engine.domain.policies import Policies
from sla_engine.domain.rule_memory import BURST_WITHIN, MOST_RUNS, ONCE, RuleMemory, Wait
from sla_engine.domain.settling import settle
from sla_engine.domain.writing import write
from ticket_contracts.automation import RuleOutcome, RuleRan, RuleWait, WaitingBegun
from ticket_contracts.commands import Actor, AddNote
from ticket_contracts.exchanges import MergeUndone
from ticket_contracts.expressions import ExpressionFailed
from ticket_contracts.tickets import StatusChanged, TicketFact, TicketOpened, TicketSummary

LONGEST_CHAIN = 5
"""Rules that set each other off, from the fact that people or time made. A longer chain is a mistake that nobody would
find by reading the rules."""

MOST_IN_CHAIN = 20
"""Rules that one command or moment may set off, directly or not: each makes facts, and all stand in one batch."""

OWN_FACTS = (WaitingBegun, RuleRan)
"""Bookkeeping of rules; it sets none off."""


@dataclass(slots=True)
class Chain:
    """What one command or moment has set off. `lineage` holds, by the index of a fact, the rules that led to it."""

    lineage: dict[int, tuple[str, ...]] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)

    def refusal(self, rule: Rule, lineage: tuple[str, ...]) -> str:
        """Return why the rule may not run because of a fact of this lineage, or nothing."""
        if rule.name in lineage:
            return f"it set itself off: {' → '.join((*lineage, rule.name))}"
        if len(lineage) >= LONGEST_CHAIN:
            return f"rules set each other off more than {LONGEST_CHAIN} times: {' → '.join((*lineage, rule.name))}"
        if len(self.ran) >= MOST_IN_CHAIN:
            return f"more than {MOST_IN_CHAIN} rules were set off at once"
        return ""


def pass_time(draft: Draft, policies: Policies, until: datetime) -> None:
    """Let everything happen that is due up to `until`, each at its time, with the rules that each sets off.

    Called before every command for the command's own time, so that it makes no difference whether a timer had fired.
    """
    while (due := draft.ticket.next_transition()) and due.at <= until:
        if isinstance(due, Wait):
            come_due(draft, policies, due)
        else:
            start = len(draft.facts)
            settle(draft, policies, due.at)  # all of this moment, then the rules
            with _acting(draft, draft.actor, due.at):
                react(draft, policies, start)


def come_due(draft: Draft, policies: Policies, wait: Wait) -> None:
    """Let the time of a rule come, with what that sets off."""
    start = len(draft.facts)
    with _acting(draft, ENGINE, wait.at):
        rule = _fall_due(draft, policies, wait)
        react(draft, policies, start, (rule.name,) if rule else ())


def react(draft: Draft, policies: Policies, start: int, lineage: tuple[str, ...] = ()) -> None:
    """Let the rules follow the facts of the draft from index `start` on; `lineage` are the rules behind these facts."""
    rules = policies.automation
    if not rules.rules or draft.imported:
        return
    chain = Chain(dict.fromkeys(range(start, len(draft.facts)), lineage), set(lineage))
    number = start
    while number < len(draft.facts):  # rules add to them
        for rule in rules.by_fact.get(short_name(draft.facts[number]), ()):
            if _try(draft, policies, rule, number, chain) and rule.stop:
                break
        number += 1
    begin_waiting(draft, policies, start)


def _try(draft: Draft, policies: Policies, rule: Rule, number: int, chain: Chain) -> bool:
    """Run a rule if the fact matches it and nothing holds it back; return whether it matched."""
    fact, lineage = draft.facts[number], chain.lineage.get(number, ())
    own = bool(lineage) and lineage[-1] == rule.name  # a rule does not see what it did itself
    if own or isinstance(fact, OWN_FACTS) or not _suits(rule, fact.ticket):
        return False
    try:
        if not _holds(draft, policies, rule, fact):
            return False
    except ExpressionFailed as failed:
        _tell(draft, policies, rule, "failed", _id_of(fact), f"its condition cannot be decided: {failed}")
        return False
    cause = _id_of(fact)
    refusal = chain.refusal(rule, lineage)
    if refusal:
        _tell(draft, policies, rule, "looped", cause, refusal)
    elif rule.name not in chain.ran:
        chain.ran.add(rule.name)
        first = len(draft.facts)
        _run(draft, policies, rule, cause, fact)
        chain.lineage |= dict.fromkeys(range(first, len(draft.facts)), (*lineage, rule.name))
    return True


def _id_of(fact: TicketFact) -> str:
    return f"{fact.ticket_id}:{fact.version}"


def _holds(draft: Draft, policies: Policies, rule: Rule, fact: TicketFact | None) -> bool:
    """:raises ExpressionFailed: the condition gives no answer."""
    return rule.condition.holds(policies.automation.views.context(draft.ticket, fact))


def _run(draft: Draft, policies: Policies, rule: Rule, cause: str, trigger: TicketFact | None) -> None:
    """Carry the rule out, unless it has run too often; without a trigger it was its time that came."""
    use = (draft.ticket.automation or RuleMemory()).use_of(rule.name, rule.version)
    if "stopped" in use.told or use.runs_before(draft.at) >= MOST_RUNS:
        _stop(draft, policies, rule, cause, again=trigger is None)
        return
    before, first = draft.ticket, len(draft.facts)
    with _acting(draft, rule.actor, draft.at):
        _add(draft, policies, rule, "ran", cause)
        draft.cause = f"{before.ticket_id}:{before.version + 1}"  # the fact just added: what the effects come from
        came = perform(draft, policies, rule.effect, trigger)
    if trigger is not None and not any(came):
        draft.ticket = before  # everything was so already: no fact, as for anybody's command
        del draft.facts[first:]
        return
    # Folding does not look at these three, so what was folded stays right.
    draft.facts[first] = draft.facts[first].model_copy(update=came._asdict())


def _fall_due(draft: Draft, policies: Policies, wait: Wait) -> Rule | None:
    """Run a rule whose time has come; wait on when the rule or its calendar was edited meanwhile. Return who ran."""
    ticket = draft.ticket
    found = policies.automation.waiting(wait.rule, ticket.summary.status)
    due_at = found[1].end(wait.since) if found else None
    if found is None or due_at is None or due_at > wait.at:
        waits = ticket.automation.waits if ticket.automation else ()
        kept = [RuleWait(rule=each.rule, at=each.at) for each in waits if each.rule != wait.rule]
        moved = [RuleWait(rule=wait.rule, at=due_at)] if due_at is not None else []
        draft.add(WaitingBegun, since=wait.since, waits=(*kept, *moved))
        return None
    rule, cause = found[0], timing.timer_cause(ticket.ticket_id, wait.at)
    try:
        if _suits(rule, ticket.summary) and _holds(draft, policies, rule, None):
            _run(draft, policies, rule, cause, None)
        else:
            _tell(draft, policies, rule, "passed-over", cause, "its condition does not hold")
    except ExpressionFailed as failed:
        _tell(draft, policies, rule, "failed", cause, f"its condition cannot be decided: {failed}", again=True)
    return rule


def _suits(rule: Rule, ticket: TicketSummary) -> bool:
    return not rule.channels or ticket.channel in rule.channels


def begin_waiting(draft: Draft, policies: Policies, start: int) -> None:
    """Note when rules run that watch the status which the ticket has come to by the facts from `start` on."""
    since = next((fact.at for fact in reversed(draft.facts[start:]) if _begins_stay(fact)), None)
    memory = draft.ticket.automation or RuleMemory()
    if since is None:
        return
    waits = [
        RuleWait(rule=rule.name, at=at)
        for rule, stay in policies.automation.by_status[draft.ticket.summary.status]
        if "stopped" not in memory.use_of(rule.name, rule.version).told and (at := stay.end(since)) is not None
    ]
    if waits:
        with _acting(draft, ENGINE, draft.at):
            draft.add(WaitingBegun, since=since, waits=tuple(waits))


def _begins_stay(fact: TicketFact) -> bool:
    """Whether the ticket is in another status since this fact; another name of the same category is none."""
    if isinstance(fact, StatusChanged):
        return fact.previous is not fact.ticket.status
    return isinstance(fact, TicketOpened | MergeUndone)


def _stop(draft: Draft, policies: Policies, rule: Rule, cause: str, *, again: bool) -> None:
    minutes = int(BURST_WITHIN.total_seconds()) // 60
    reason = f"it ran {MOST_RUNS} times on this ticket within {minutes} minutes and rests here until it is changed"
    if _tell(draft, policies, rule, "stopped", cause, reason, again=again):
        words = f"Rule “{rule.name}”: {reason}. / 规则「{rule.name}」在 {minutes} 分钟内对本工单运行了 {MOST_RUNS} 次，"
        with _acting(draft, rule.actor, draft.at):
            draft.cause = f"{cause}:{rule.name}:stopped"
            note = AddNote(
                ticket_id=draft.ticket.ticket_id, actor=rule.actor, text=f"{words}已在此停用，直到规则被修改。"
            )
            write(draft, note, policies)


def _tell(
    draft: Draft, policies: Policies, rule: Rule, outcome: RuleOutcome, cause: str, reason: str, *, again: bool = False
) -> bool:
    """Add what held a rule back; what stands in ONCE only the first time, or `again` to end a wait. Return if first."""
    memory = draft.ticket.automation or RuleMemory()
    first = outcome not in ONCE or outcome not in memory.use_of(rule.name, rule.version).told
    if first or again:
        with _acting(draft, rule.actor, draft.at):
            _add(draft, policies, rule, outcome, cause, reason)
    return first


def _add(draft: Draft, policies: Policies, rule: Rule, outcome: RuleOutcome, cause: str, reason: str = "") -> None:
    draft.add(
        RuleRan,
        rule=rule.name,
        rule_version=rule.version,
        configuration_version=policies.automation.configuration_version,
        outcome=outcome,
        cause=cause,
        reason=reason,
    )


@contextmanager
def _acting(draft: Draft, actor: Actor, at: datetime) -> Iterator[None]:
    """Let somebody else act in the draft, at a time that we learn of when it comes."""
    before = draft.actor, draft.at, draft.seen_at, draft.cause
    draft.actor = actor
    if at != draft.at:
        draft.at = draft.seen_at = at
    try:
        yield
    finally:
        draft.actor, draft.at, draft.seen_at, draft.cause = before
