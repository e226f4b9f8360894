"""Checks of automation rules: what sets them off, what they do, and every name in them."""

from collections.abc import Iterator
from datetime import date

from ticket_contracts.catalogue import TICKET_EVENTS
from ticket_contracts.contract import FieldValue
from ticket_store.configuration_findings import Finding, Names
from ticket_store.documents import Agent, Calendar, Team
from ticket_store.expression_checks import condition
from ticket_store.workflow_documents import Automation, AutomationEffect, CustomField

FACTS = {event_type.split(".")[2] for event_type in TICKET_EVENTS}
"""Short names of facts: the middle of `firebreak.ticket.message-added.v1`."""


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
    yield from condition("when", rule.when)
    yield from _effect(rule.then, names)


def _effect(effect: AutomationEffect, names: Names) -> Iterator[Finding]:
    if effect == AutomationEffect():
        yield "then", "the rule does nothing; say what it sets, writes or whom it tells"
    yield from names.missing("then.team", Team, effect.team)
    yield from names.missing("then.assignee", Agent, effect.assignee)
    yield from names.recipients("then.notify", effect.notify)
    for name, value in effect.fields.items():
        field = names.get(CustomField, name)
        if field is None:
            yield f"then.fields.{name}", "there is no field of this name; add one or correct the name"
        elif not _fits(field, value):
            known = f" of {', '.join(field.choices)}" if field.choices else ""
            yield f"then.fields.{name}", f"{value!r} is no {field.type}{known}"


def _fits(field: CustomField, value: FieldValue) -> bool:
    match field.type:
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "choice":
            return value in field.choices
        case "date":
            return isinstance(value, str) and _is_date(value)
        case _:
            return isinstance(value, str)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
