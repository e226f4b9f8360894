"""What would these rules have done? The real facts of a ticket once more, with the rules reacting to them.

What people did, and when clocks turned, is taken as it was; what rules did then is left out. A ticket that the rules
here have changed stays so until people change the same thing: of each later fact only what it changed is taken over.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from sla_engine.domain.automation import begin_waiting, come_due, react
from sla_engine.domain.clock import is_open
from sla_engine.domain.draft import Draft
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies
from sla_engine.domain.ticket import Ticket, replace
from ticket_contracts.automation import RULE_ACTOR, RuleRan, WaitingBegun
from ticket_contracts.tickets import ClockFact, ClockState, TicketFact, TicketSummary

_SETS = ("tags", "watchers")


def rehearse(history: Iterable[TicketFact], policies: Policies, since: datetime, until: datetime) -> list[RuleRan]:
    """Return what the rules of `policies` would have done from `since` to `until`, had they been in force by then.

    `history` begins with the opening; a rule on time counts a stay that began before `since`, but runs only after it.
    """
    draft: Draft | None = None
    real: Ticket | None = None
    for at, group in groupby(history, key=lambda fact: fact.at):  # one command's facts have one time
        if at > until:
            break
        if draft is not None:
            _wait(draft, policies, since, at)
        start = len(draft.facts) if draft is not None else 0
        for fact in group:
            if draft is None or real is None:
                draft = Draft(evolve(None, fact), at, fact.actor, "", at, [fact])
            elif not _by_rule(fact) and not _turned_here(draft.ticket, real, fact):
                _repeat(draft, _as_here(draft.ticket, real.summary, fact))
            real = evolve(real, fact)
        assert draft is not None  # the first group opens the ticket
        _follow(draft, policies, start, since)
    if draft is None:
        return []
    _wait(draft, policies, since, until)
    return [fact for fact in draft.facts if isinstance(fact, RuleRan)]


def _repeat(draft: Draft, fact: TicketFact) -> None:
    draft.at = draft.seen_at = fact.at
    draft.actor, draft.cause = fact.actor, f"{fact.ticket_id}:{fact.version}"
    draft.ticket = evolve(draft.ticket, fact)
    draft.facts.append(fact)


def _follow(draft: Draft, policies: Policies, start: int, since: datetime) -> None:
    """Let the rules follow the newest facts; those before `since`, or of another system, only let them wait."""
    if start == len(draft.facts) or draft.facts[start].imported:
        return
    if draft.facts[start].at >= since:
        react(draft, policies, start)
    else:
        begin_waiting(draft, policies, start)


def _wait(draft: Draft, policies: Policies, since: datetime, until: datetime) -> None:
    """Let the times of rules come that lie before `until`; what clocks do at that moment comes first, as in life."""
    while (memory := draft.ticket.automation) and memory.waits and (wait := min(memory.waits)).at < until:
        if wait.at >= since:
            come_due(draft, policies, wait)
        else:
            kept = tuple(each for each in memory.waits if each != wait)
            draft.ticket = replace(draft.ticket, automation=dataclasses.replace(memory, waits=kept))


def _by_rule(fact: TicketFact) -> bool:
    return fact.actor.id.startswith(RULE_ACTOR) or isinstance(fact, WaitingBegun | RuleRan)


def _turned_here(ticket: Ticket, real: Ticket, fact: TicketFact) -> bool:
    """Whether a rule here has turned the clock so already, or has ended one that still counted in reality."""
    if not isinstance(fact, ClockFact):
        return False
    known = any(_told(clock) == _told(fact.clock) for clock in ticket.of_metric(fact.clock.metric))
    return known or (_counts(real, fact.clock) and not _counts(ticket, fact.clock))


def _told(clock: ClockState) -> ClockState:
    return clock.model_copy(update={"causes": {}})


def _counts(ticket: Ticket, clock: ClockState) -> bool:
    return any(is_open(each) and each.cycle == clock.cycle for each in ticket.of_metric(clock.metric))


def _as_here(ticket: Ticket, before: TicketSummary, fact: TicketFact) -> TicketFact:
    """Return the fact as one of the ticket that the rules have made of it; `before` is the real one's summary."""
    here, after = ticket.summary, fact.ticket
    changes: dict[str, object] = {}
    for name in TicketSummary.model_fields:
        was, became = getattr(before, name), getattr(after, name)
        if was is not became and was != became:
            changes[name] = _merged(name, getattr(here, name), was, became)
    told = {"ticket": here.model_copy(update=changes) if changes else here, "version": ticket.version + 1}
    return fact.model_copy(update=told)


def _merged(name: str, here: Any, was: Any, became: Any) -> object:
    if name in _SETS:
        kept = [each for each in here if each in became or each not in was]
        return tuple(dict.fromkeys((*kept, *(each for each in became if each not in was))))
    if isinstance(here, Mapping):
        changed = {key: became.get(key) for key in {*was, *became} if was.get(key) != became.get(key)}
        return {key: value for key, value in {**here, **changed}.items() if value is not None}
    return became
