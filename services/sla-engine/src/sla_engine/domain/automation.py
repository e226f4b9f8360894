"""Automation rules at work: what facts and the passing of time set off, in the same decision.

A fact that a rule caused may set off other rules. A chain ends: no rule acts twice in it, none because of what it did
itself, and it has at most LONGEST_CHAIN links (`chain`). Conditions are asked only here, while deciding; what came of
them is in the facts, so that a replay asks nothing (rule 49; docs/decisions/0026).
"""

from datetime import datetime

from sla_engine.domain import timing
from sla_engine.domain.automation_effects import perform
from sla_engine.domain.automation_rules import Rule
from sla_engine.domain.automation_view import short_name
from sla_engine.domain.chain import Chain
from sla_engine.domain.draft import ENGINE, Draft
from sla_engine.domain.held_back import Held, acting, add_run, limit_reached, stop, tell_held, use_of
from sla_engine.domain.policies import Policies
from sla_engine.domain.rule_memory import MOST_WAITS, Wait
from sla_engine.domain.settling import settle
from ticket_contracts.automation import RuleRan, RuleWait, WaitingBegun
from ticket_contracts.exchanges import MergeUndone
from ticket_contracts.expressions import ExpressionFailed
from ticket_contracts.tickets import StatusChanged, TicketFact, TicketOpened, TicketSummary

OWN_FACTS = (WaitingBegun, RuleRan)
"""Bookkeeping of rules; it sets none off."""


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
            with acting(draft, draft.actor, due.at):
                react(draft, policies, start)


def come_due(draft: Draft, policies: Policies, wait: Wait) -> None:
    """Let the time of a rule come, with what that sets off."""
    start = len(draft.facts)
    with acting(draft, ENGINE, wait.at):
        rule = _fall_due(draft, policies, wait)
        react(draft, policies, start, rule)


def react(draft: Draft, policies: Policies, start: int, behind: Rule | None = None) -> None:
    """Let the rules follow the facts of the draft from index `start` on; `behind` is the rule that made them."""
    rules = policies.automation
    if not rules.rules or draft.imported:
        return
    chain = Chain(rules)
    if behind is not None:
        chain.acted = 1
        chain.lineage = dict.fromkeys(range(start, len(draft.facts)), (behind.name,))
        chain.add_run(behind, draft.ticket.summary)
    number = start
    while number < len(draft.facts) and not chain.is_full:  # rules add to them
        for rule in rules.by_fact.get(short_name(draft.facts[number]), ()):
            if _try(draft, policies, rule, number, chain) and rule.stop:
                break
        number += 1
    tell_held(draft, policies, chain.held)
    begin_waiting(draft, policies, start)


def _try(draft: Draft, policies: Policies, rule: Rule, number: int, chain: Chain) -> bool:
    """Run a rule if the fact matches it and nothing holds it back; return whether it matched."""
    fact, lineage = draft.facts[number], chain.lineage.get(number, ())
    own = bool(lineage) and lineage[-1] == rule.name  # a rule does not see what it did itself
    if own or isinstance(fact, OWN_FACTS) or not _suits(rule, fact.ticket):
        return False
    cause = f"{fact.ticket_id}:{fact.version}"
    try:
        if not _holds(draft, policies, rule, fact):
            return False
    except ExpressionFailed as failed:
        chain.held.append(Held("failed", rule, cause, f"its condition cannot be decided: {failed}"))
        return False
    if not chain.holds_back(rule, lineage, cause, draft.ticket.summary):
        first = len(draft.facts)
        acted = _run(draft, policies, rule, cause, fact)
        chain.lineage |= dict.fromkeys(range(first, len(draft.facts)), (*lineage, rule.name))
        chain.acted += len(draft.facts) > first
        if acted:
            chain.add_run(rule, draft.ticket.summary)
    return True


def _holds(draft: Draft, policies: Policies, rule: Rule, fact: TicketFact | None) -> bool:
    """:raises ExpressionFailed: the condition gives no answer."""
    return rule.condition.holds(policies.automation.views.context(draft.ticket, fact))


def _run(draft: Draft, policies: Policies, rule: Rule, cause: str, trigger: TicketFact | None) -> bool:
    """Carry the rule out, unless it has run too often; without a trigger it was its time that came.

    Returns whether it ran and left a fact.
    """
    use = use_of(draft, rule)
    limit = limit_reached(use, draft.at)
    if "stopped" in use.told:
        if trigger is None:  # a wait from before
            _end_wait(draft, policies, Held("stopped", rule, cause, "it ran too often on this ticket and rests here"))
        return False
    if limit is not None:
        stop(draft, policies, rule, cause, limit)
        return False
    before, first = draft.ticket, len(draft.facts)
    with acting(draft, rule.actor, draft.at):
        add_run(draft, policies, Held("ran", rule, cause, ""))
        draft.cause = f"{before.ticket_id}:{before.version + 1}"  # the fact just added: what the effects come from
        came = perform(draft, policies, rule.effect, trigger)
    if trigger is not None and not any(came):
        draft.ticket = before  # everything was so already: no fact, as for anybody's command
        del draft.facts[first:]
        return False
    # Folding does not look at these three, so what was folded stays right.
    draft.facts[first] = draft.facts[first].model_copy(update=came._asdict())
    return True


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
            _end_wait(draft, policies, Held("passed-over", rule, cause, "its condition does not hold"))
    except ExpressionFailed as failed:
        _end_wait(draft, policies, Held("failed", rule, cause, f"its condition cannot be decided: {failed}"))
    return rule


def _end_wait(draft: Draft, policies: Policies, held: Held) -> None:
    """Say what became of a wait, however often the same was told."""
    with acting(draft, held.rule.actor, draft.at):
        add_run(draft, policies, held)


def _suits(rule: Rule, ticket: TicketSummary) -> bool:
    return not rule.channels or ticket.channel in rule.channels


def begin_waiting(draft: Draft, policies: Policies, start: int) -> None:
    """Note when rules run that watch the status which the ticket has come to by the facts from `start` on."""
    since = next((fact.at for fact in reversed(draft.facts[start:]) if _begins_stay(fact)), None)
    if since is None:
        return
    waits = [
        RuleWait(rule=rule.name, at=at)
        for rule, stay in policies.automation.by_status[draft.ticket.summary.status]
        if "stopped" not in use_of(draft, rule).told and (at := stay.end(since)) is not None
    ]
    if waits:
        earliest = sorted(waits, key=lambda wait: wait.at)[:MOST_WAITS] if len(waits) > MOST_WAITS else waits
        with acting(draft, ENGINE, draft.at):
            draft.add(WaitingBegun, since=since, waits=tuple(earliest))


def _begins_stay(fact: TicketFact) -> bool:
    """Whether the ticket is in another status since this fact; another name of the same category is none."""
    if isinstance(fact, StatusChanged):
        return fact.previous is not fact.ticket.status
    return isinstance(fact, TicketOpened | MergeUndone)
