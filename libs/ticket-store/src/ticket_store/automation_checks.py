"""Checks of automation rules: what sets them off, what they do, and every name in them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ticket_contracts.automation import AUTOMATION_FACTS, MOST_RULES
from ticket_contracts.catalogue import TICKET_EVENTS
from ticket_contracts.field_values import fits
from ticket_contracts.vocabulary import Status
from ticket_store.configuration_findings import MOST_YEARS, Finding, FoundDocument, Names, Problem, is_endless, title
from ticket_store.documents import Agent, Calendar, Team
from ticket_store.expression_checks import condition, usable
from ticket_store.workflow_documents import RULE_VARIABLES, Automation, AutomationEffect, CustomField

FACTS = {event_type.split(".")[2] for event_type, fact in TICKET_EVENTS.items() if fact not in AUTOMATION_FACTS}
"""Short names of facts, the middle of `firebreak.ticket.message-added.v1`; rules' own notes set none off."""

MESSAGE_FACTS = {
    event_type.split(".")[2] for event_type, fact in TICKET_EVENTS.items() if "message" in fact.model_fields
}
"""Those that bring a message."""


MOST_WAITS = 100
"""Rules on time for one status. All that wait for a ticket stand in one fact, and the engine lets no more wait."""


def too_many_waits(found: Sequence[FoundDocument]) -> Iterator[Problem]:
    """Yield the rules on time that are too many for their status."""
    counts: Counter[Status] = Counter()
    for each in found:
        if isinstance(each.document, Automation) and each.document.after is not None:
            status = each.document.after.status
            counts[status] += 1
            if counts[status] > MOST_WAITS:
                fix = f"more than {MOST_WAITS} rules wait in the status {status}; remove some, or join them"
                yield Problem(each.file, title(each.document), "after.status", fix)


def too_many_rules(found: Sequence[FoundDocument]) -> Iterator[Problem]:
    """Yield once that there are more rules than a ticket remembers: some would be told of, or would run, too often."""
    rules = [each for each in found if isinstance(each.document, Automation)]
    if len(rules) > MOST_RULES:
        first_too_many = rules[MOST_RULES]
        fix = f"it is one of {len(rules)} automation rules, and at most {MOST_RULES} are allowed; remove or join some"
        yield Problem(first_too_many.file, title(first_too_many.document), "", fix)


def automation(rule: Automation, names: Names) -> Iterator[Finding]:
    """Yield what is wrong with one rule."""
    if bool(rule.on) == (rule.after is not None):
        yield "on", "a rule reacts to facts (`on`) or to time (`after`); give exactly one of the two"
    for index, fact in enumerate(rule.on):
        if fact not in FACTS:
            yield f"on.{index}", f"there is no fact {fact!r}; use one of {', '.join(sorted(FACTS))}"
    if rule.after is not None:
        yield from names.missing("after.calendar", Calendar, rule.after.calendar)
        if rule.after.duration.endswith("bd") and rule.after.calendar is None:
            yield "after.calendar", "business days are those of a calendar; name one, or give hours"
        if not rule.after.duration.rstrip("smhbd").strip("0"):
            yield "after.duration", "no time would pass; give at least 1s, or react to the fact status-changed"
        if is_endless(rule.after.duration):
            yield "after.duration", f"nobody lives to see it; give less than {MOST_YEARS} years"
    faults = list(condition("when", rule.when))
    yield from faults or usable("when", rule.when, _variables(rule))
    yield from _effect(rule.then, names)


def _variables(rule: Automation) -> tuple[str, ...]:
    """Return what the condition can look at: a condition on what never is there would never hold."""
    if rule.after is not None:
        return RULE_VARIABLES[:1]
    return RULE_VARIABLES if MESSAGE_FACTS.intersection(rule.on) else RULE_VARIABLES[:2]


def _effect(effect: AutomationEffect, names: Names) -> Iterator[Finding]:
    if effect == AutomationEffect():
        yield "then", "the rule does nothing; say what it sets, writes or whom it tells"
    if effect.status is Status.NEW:
        yield "then.status", "no ticket becomes new again; open is what comes closest"
    yield from names.missing("then.team", Team, effect.team)
    yield from names.missing("then.assignee", Agent, effect.assignee)
    yield from names.recipients("then.notify", effect.notify)
    for name, value in effect.fields.items():
        field = names.get(CustomField, name)
        if field is None:
            yield f"then.fields.{name}", "there is no field of this name; add one or correct the name"
        elif not fits(value, field.type, field.choices):
            known = f" of {', '.join(field.choices)}" if field.choices else ""
            yield f"then.fields.{name}", f"{value!r} is no {field.type}{known}"
