"""Rule 45, what: steps notify, hand over and raise the priority, as a machine that the timeline names."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from sla_engine.domain.people import People
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.steps import Recipient
from tests.unit.sla_engine.case import AGENT, TICKET_ID, Case, a_policy, a_summary, kinds, moment, policies_of
from tests.unit.sla_engine.escalation_case import (
    HOUR,
    PEOPLE,
    a_case,
    a_step,
    by_step,
    escalations,
    times,
    with_steps,
)
from ticket_contracts.actions import ChangeWatchers
from ticket_contracts.commands import Assign
from ticket_contracts.tickets import ClockFact
from ticket_contracts.vocabulary import ClockStatus, Metric, Priority


def test_rule_45_a_step_hands_the_ticket_over_and_raises_its_priority_in_the_name_of_policy_and_step() -> None:
    case = a_case(a_step("to the experts", reassign_team="experts", reassign_to="boss", raise_priority=True))
    facts = case.pass_time(moment("mon 11:00"))
    assert kinds(facts)[-4:] == ["clock-breached", "escalated", "assigned", "priority-changed"]
    summary = case.ticket.summary
    assert (summary.team, summary.assignee, summary.priority) == ("experts", "boss", Priority.HIGH)
    assert by_step(facts) == ["escalation:standard/to the experts"] * 3
    [fact] = escalations(facts)
    assert (fact.team, fact.assignee, fact.priority) == ("experts", "boss", Priority.HIGH)
    assert {fact.at for fact in facts[-4:]} == {moment("mon 11:00")}


def test_rule_46_what_a_step_did_to_a_clock_cites_the_step_and_the_step_the_moment() -> None:
    case = a_case(a_step(percent=50, raise_priority=True))
    facts = case.pass_time(moment("mon 10:30"))
    [fact] = escalations(facts)
    assert fact.cause == f"timer:{TICKET_ID}:{moment('mon 10:30').isoformat()}"
    [retargeted] = [each for each in facts if kinds([each]) == ["clock-retargeted"]]
    assert isinstance(retargeted, ClockFact)
    assert retargeted.cause == f"{TICKET_ID}:{fact.version}"


def test_rule_28_clocks_follow_a_raised_priority_and_what_that_makes_late_is_late_at_once() -> None:
    case = a_case(a_step("raise", percent=50, raise_priority=True), a_step("late"))
    facts = case.pass_time(moment("mon 10:30"))  # half of an hour is all of the half hour of a higher priority
    assert (case.clock().target_seconds, case.clock().status) == (1800, ClockStatus.BREACHED)
    assert [(fact.step, fact.at) for fact in escalations(facts)] == [
        ("raise", moment("mon 10:30")),
        ("late", moment("mon 10:30")),
    ]


def test_rule_45_a_priority_is_raised_by_one_grade_and_never_above_urgent() -> None:
    case = Case(with_steps(a_step(raise_priority=True)))
    case.receive(moment("mon 10:00"), priority=Priority.URGENT)
    [fact] = escalations(case.pass_time(moment("mon 12:00")))
    assert fact.priority is None
    assert "priority-changed" not in kinds(case.facts)


def test_rule_28_a_policy_that_starts_anew_with_each_priority_ends_at_urgent() -> None:
    case = a_case(a_step(percent=50, raise_priority=True), on_priority="reset")
    case.pass_time(moment("fri 12:00"))
    assert times(case.facts) == [moment("mon 10:30"), moment("mon 10:45"), moment("mon 10:50")]
    assert [clock.status for clock in case.ticket.clocks] == [
        ClockStatus.CANCELLED,
        ClockStatus.CANCELLED,
        ClockStatus.BREACHED,
    ]


TO_AND_FRO: tuple[tuple[Mapping[Metric, Mapping[Priority, int]], Mapping[Metric, Mapping[Priority, int]]], ...] = (
    (HOUR, HOUR),
    (HOUR, {Metric.RESOLUTION: {Priority.NORMAL: 3600}}),
)


@pytest.mark.parametrize(("here", "there"), TO_AND_FRO, ids=["the same promise", "another promise"])
def test_rule_45_two_policies_that_hand_a_ticket_to_each_other_come_to_an_end(
    here: Mapping[Metric, Mapping[Priority, int]], there: Mapping[Metric, Mapping[Priority, int]]
) -> None:
    def handing(name: str, promised: Mapping[Metric, Mapping[Priority, int]], to: str) -> Policy:
        steps = tuple(a_step(f"{metric} away", metric=metric, percent=50, reassign_team=to) for metric in promised)
        return a_policy(name=name, targets=promised, steps=steps, teams=frozenset({name}))

    case = Case(policies_of(handing("service", here, "experts"), handing("experts", there, "service"), people=PEOPLE))
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("fri 12:00"))
    taken = [name for fact in case.ticket.clocks for name in fact.steps_done]
    assert len(set(by_step(case.facts))) == 2
    assert set(taken) == {fact.actor.id.removeprefix("escalation:") for fact in escalations(case.facts)}
    assert len(escalations(case.facts)) == 2
    assert case.ticket.next_transition() is None


def test_rule_45_who_or_what_was_archived_meanwhile_gets_no_ticket_and_the_step_says_so() -> None:
    case = a_case(a_step(reassign_team="gone", reassign_to="gone too", raise_priority=True))
    facts = case.pass_time(moment("mon 11:00"))
    [fact] = escalations(facts)
    assert fact.not_done == ("team/gone", "agent/gone too")
    assert (case.ticket.summary.team, case.ticket.summary.priority) == ("service", Priority.HIGH)
    assert "assigned" not in kinds(facts)


def test_rule_45_a_ticket_that_goes_to_a_team_waits_in_its_queue_unless_somebody_is_named() -> None:
    case = a_case(a_step(percent=50, reassign_team="service"), a_step("away", percent=75, reassign_team="experts"))
    case.ask(Assign(ticket_id=TICKET_ID, actor=AGENT, assignee="li.wei"), moment("mon 10:10"))
    case.pass_time(moment("mon 10:30"))  # it is there already
    holders = [case.ticket.summary.assignee]
    case.pass_time(moment("mon 10:45"))
    assert [case.ticket.summary.team, *holders, case.ticket.summary.assignee] == ["experts", "li.wei", None]


def told(policies: Policies, *recipients: Recipient) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    summary = a_summary(assignee="li.wei", watchers=("anna", "former"))
    return [(each.name, each.email, each.roles) for each in policies.people.resolve(recipients, summary)]


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        (Recipient("assignee"), [("li.wei", "li.wei@acme.example", ("assignee",))]),
        (Recipient("team-leads"), [("anna", "anna@acme.example", ("team-lead",))]),
        (
            Recipient("watchers"),
            [("anna", "anna@acme.example", ("watcher",)), ("former", None, ("watcher",))],
        ),
        (Recipient("agent", "boss"), [("boss", "boss@acme.example", ("agent",))]),
        (
            Recipient("group", "management"),
            [
                ("boss", "boss@acme.example", ("group:management",)),
                (None, "duty@acme.example", ("group:management",)),
                (None, "anna@acme.example", ("group:management",)),
            ],
        ),
        (Recipient("group", "gone"), []),
    ],
    ids=str,
)
def test_rule_45_recipients_are_roles_of_the_ticket_groups_and_agents(
    recipient: Recipient, expected: list[tuple[str | None, str | None, tuple[str, ...]]]
) -> None:
    assert told(with_steps(), recipient) == expected


def test_rule_45_who_is_told_for_several_reasons_is_told_once() -> None:
    both = told(with_steps(), Recipient("group", "management"), Recipient("team-leads"))
    assert both[2:] == [("anna", "anna@acme.example", ("group:management", "team-lead"))]


def test_rule_45_who_gets_the_ticket_is_told_and_the_leads_of_the_new_team() -> None:
    case = a_case(
        a_step(reassign_team="experts", reassign_to="boss", notify=(Recipient("assignee"), Recipient("team-leads")))
    )
    [fact] = escalations(case.pass_time(moment("mon 11:00")))
    assert [(each.name, each.roles) for each in fact.recipients] == [
        ("boss", ("assignee", "team-lead")),
        ("anna", ("team-lead",)),
    ]


def test_rule_45_watchers_are_told_as_they_are_when_the_step_is_taken() -> None:
    case = a_case(a_step(notify=(Recipient("watchers"),)))
    case.ask(ChangeWatchers(ticket_id=TICKET_ID, actor=AGENT, add=("anna",)), moment("mon 10:59"))
    [fact] = escalations(case.pass_time(moment("mon 11:00")))
    assert [each.name for each in fact.recipients] == ["anna"]


def test_rule_45_a_very_large_group_does_not_burst_the_event() -> None:
    crowd = tuple(f"agent {number}" for number in range(1000))
    people = People(groups={"all": replace(PEOPLE.groups["management"], members=crowd, addresses=())})
    assert len(people.resolve([Recipient("group", "all")], a_summary())) == 100


def test_rule_45_a_step_with_the_longest_names_still_names_its_actor() -> None:
    case = a_case(a_step("步" * 100), name="策" * 100)
    [fact] = escalations(case.pass_time(moment("mon 11:00") + timedelta(hours=1)))
    assert len(fact.actor.id) == 200
