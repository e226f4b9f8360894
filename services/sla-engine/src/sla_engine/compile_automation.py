"""Turn the configuration's automation documents into rules that the domain runs."""

from collections.abc import Mapping
from datetime import timedelta

import structlog

from business_time.calendar import BusinessCalendar
from sla_engine.count_durations import LONGEST_WAIT, seconds, wall_seconds
from sla_engine.domain.automation_rules import Effect, Rule, Rules, Stay
from sla_engine.domain.steps import Recipient
from ticket_contracts.expressions import Condition, UnusableExpression
from ticket_store.configuration import Configuration
from ticket_store.workflow_documents import RULE_VARIABLES, Automation, AutomationEffect, Waiting

log = structlog.get_logger("automation")


def compile_automation(loaded: Configuration, calendars: Mapping[str, BusinessCalendar]) -> Rules:
    """Compile what is in force, each condition once. A rule that cannot be used is left out, and the log says why."""
    found = sorted(loaded.of(Automation).values(), key=lambda each: (each.document.order, each.document.name))
    rules = []
    for each in found:
        try:
            rules.append(_rule(each.document, each.version, calendars))
        except (UnusableExpression, UnusableWait) as error:
            log.warning("automation rule cannot be used", rule=each.document.name, reason=str(error))
    return Rules(tuple(rules), loaded.version)


class UnusableWait(ValueError):
    """The calendar of a rule on time is missing, or the end of the wait is never reached."""


def _rule(document: Automation, version: int, calendars: Mapping[str, BusinessCalendar]) -> Rule:
    return Rule(
        name=document.name,
        version=version,
        order=document.order,
        condition=Condition(document.when, RULE_VARIABLES),
        effect=_effect(document.then),
        on=frozenset(document.on),
        after=None if document.after is None else _stay(document.after, calendars),
        channels=frozenset(document.channels),
        stop=document.stop,
    )


def _stay(waiting: Waiting, calendars: Mapping[str, BusinessCalendar]) -> Stay:
    if waiting.calendar is None:
        wait = timedelta(seconds=wall_seconds(waiting.duration))
        if wait > LONGEST_WAIT:
            raise UnusableWait(f"nobody waits for {waiting.duration}")
        return Stay(waiting.status, wait)
    calendar = calendars.get(waiting.calendar)
    if calendar is None:
        raise UnusableWait(f"calendar {waiting.calendar} cannot be used")
    duration = timedelta(seconds=seconds(waiting.duration, calendar))
    if not calendar.reaches(duration):
        raise UnusableWait(f"calendar {waiting.calendar} does not open long enough for {waiting.duration}")
    return Stay(waiting.status, duration, calendar)


def _effect(effect: AutomationEffect) -> Effect:
    return Effect(
        status=effect.status,
        priority=effect.priority,
        team=effect.team,
        assignee=effect.assignee,
        add_tags=effect.add_tags,
        remove_tags=effect.remove_tags,
        fields=effect.fields,
        note=effect.note,
        reply=effect.reply,
        notify=tuple(Recipient(each.to, each.name) for each in effect.notify),
    )
