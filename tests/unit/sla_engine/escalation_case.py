"""Policies with escalation steps, the people whom they tell, and what came of them."""

from datetime import datetime, timedelta
from typing import Any

from sla_engine.domain.people import Agent, Group, People, Team
from sla_engine.domain.policies import Policies
from sla_engine.domain.steps import Recipient, Step
from tests.unit.sla_engine.case import Case, Decision, a_policy, moment, policies_of
from ticket_contracts.escalations import TicketEscalated
from ticket_contracts.tickets import TicketFact
from ticket_contracts.vocabulary import Metric, Priority

HOUR = {Metric.FIRST_RESPONSE: {Priority.NORMAL: 3600, Priority.URGENT: 600, Priority.HIGH: 1800}}
RESOLVE_IN_AN_HOUR = {Metric.RESOLUTION: {Priority.NORMAL: 3600, Priority.HIGH: 1800}}
LEADS = Recipient("team-leads")

PEOPLE = People(
    agents={
        "li.wei": Agent("Li Wei", "li.wei@acme.example"),
        "anna": Agent("Anna", "anna@acme.example"),
        "boss": Agent("The Boss", "boss@acme.example"),
    },
    teams={"service": Team("Service", leads=("anna",)), "experts": Team("Experts", leads=("boss", "anna"))},
    groups={"management": Group(members=("boss",), addresses=("duty@acme.example", "anna@acme.example"))},
)


def a_step(name: str = "tell", **changes: Any) -> Step:
    """Return a step that tells the team's leads at the breach of the first response."""
    return Step(**{"name": name, "metric": Metric.FIRST_RESPONSE, "notify": (LEADS,), **changes})


def two_hours_late(**changes: Any) -> Step:
    return a_step(after=timedelta(hours=2), **changes)


def with_steps(*steps: Step, **policy: Any) -> Policies:
    """Return one policy of an hour to the first response."""
    return policies_of(a_policy(**{"targets": HOUR, "steps": steps, **policy}), people=PEOPLE)


def a_case(*steps: Step, **policy: Any) -> Case:
    """Return a ticket of Monday 10:00 under such a policy: due 11:00."""
    case = Case(with_steps(*steps, **policy))
    case.receive(moment("mon 10:00"))
    return case


def escalations(facts: Decision) -> list[TicketEscalated]:
    assert isinstance(facts, list), facts
    return [fact for fact in facts if isinstance(fact, TicketEscalated)]


def times(facts: Decision) -> list[datetime]:
    return [fact.at for fact in escalations(facts)]


def by_step(facts: list[TicketFact]) -> list[str]:
    """Return the names of the machines behind facts that are not the engine's own or a person's, in order."""
    return [fact.actor.id for fact in facts if fact.actor.id.startswith("escalation:")]
