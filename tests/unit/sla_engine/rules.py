"""Automation rules under test, in few words."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sla_engine.domain.automation_rules import Effect, Rule, Rules, Stay
from sla_engine.domain.people import Agent, Group, People, Team
from sla_engine.domain.policies import Policies
from sla_engine.domain.steps import Recipient
from tests.unit.sla_engine.case import Case, a_policy, office, policies_of
from ticket_contracts.automation import RuleRan
from ticket_contracts.escalations import Addressee
from ticket_contracts.expressions import Condition
from ticket_contracts.tickets import TicketFact
from ticket_contracts.vocabulary import Status

LEAD = Addressee(name="lin", display_name="林晓", email="lin@acme.example")
AGENT_WEI = Addressee(name="li.wei", display_name="Li Wei", email="li.wei@acme.example")
PEOPLE = People(
    agents={each.name: Agent(each.display_name, each.email) for each in (LEAD, AGENT_WEI) if each.name and each.email},
    teams={name: Team(name, ("lin",) if name == "service" else ()) for name in ("service", "experts")},
    groups={"duty": Group(("lin",), ("duty@acme.example",))},
)


def a_rule(name: str, *on: str, when: str = "true", then: dict[str, Any], **changes: Any) -> Rule:
    """Return a rule on facts; `then` are the fields of an Effect."""
    notify = tuple(Recipient(*each) for each in then.pop("notify", ()))
    variables = ("ticket", "fact", "message")
    content = {"version": 1, "order": 10, "on": frozenset(on), "effect": Effect(**then, notify=notify), **changes}
    return Rule(name=name, condition=Condition(when, variables), **content)


def a_wait(name: str, status: Status, *, days: int = 0, hours: float = 0, then: dict[str, Any], **changes: Any) -> Rule:
    """Return a rule on time: business days of the office, or hours of the wall clock."""
    calendar = office()
    stay = Stay(status, days * calendar.business_day, calendar) if days else Stay(status, timedelta(hours=hours))
    return a_rule(name, then=then, after=stay, **changes)


def with_rules(*rules: Rule, policies: Policies | None = None) -> Policies:
    known = policies_of(a_policy()) if policies is None else policies
    return replace(known, automation=Rules(tuple(sorted(rules, key=lambda rule: rule.order)), 7), people=PEOPLE)


def ruled(*rules: Rule) -> Case:
    """Return a case in which the rules are in force."""
    return Case(with_rules(*rules))


def runs(facts: list[TicketFact]) -> list[tuple[str, str]]:
    """Return the rules that were set off with what became of each."""
    return [(fact.rule, fact.outcome) for fact in facts if isinstance(fact, RuleRan)]
