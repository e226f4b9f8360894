"""Rule 47: imported history uses original times, raises no alerts and runs no automations."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sla_engine.compose_alerts import compose_alert
from sla_engine.domain.automation_rules import Rule
from sla_engine.domain.decide import decide
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.what_if import replay
from sla_engine.domain.workflow import Flow, Workflow
from sla_engine.publish_facts import Cause
from tests.unit.sla_engine.case import CUSTOMER_ID, MACHINE, Case, kinds, moment
from tests.unit.sla_engine.escalation_case import LEADS, a_step, escalations, with_steps
from tests.unit.sla_engine.rules import a_rule, a_wait, ruled, runs
from ticket_contracts.commands import SetStatus
from ticket_contracts.messages import Party
from ticket_contracts.tickets import TicketFact
from ticket_contracts.topics import COMMANDS
from ticket_contracts.upkeep import HistoricMessage, HistoricStep, ImportTicket, imported_ticket_id
from ticket_contracts.vocabulary import Channel, ClockStatus, IdentityKind, Metric, Priority, Status
from ticket_stream.processing import Partition

TICKET = imported_ticket_id("old desk", "INC0001")
ANSWER = HistoricMessage(agent="li.wei", text="It is the seal")


def step(at: str, **content: Any) -> HistoricStep:
    return HistoricStep(at=moment(at), actor="li.wei", **content)


def a_ticket(*steps: HistoricStep, **changes: Any) -> ImportTicket:
    content = {
        "ticket_id": TICKET,
        "actor": MACHINE,
        "origin": "old desk",
        "external_id": "INC0001",
        "brand": "acme",
        "channel": Channel.EMAIL,
        "contact_id": CUSTOMER_ID,
        "contact": Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
        "subject": "The pump leaks",
        "team": "service",
        "priority": Priority.NORMAL,
        "opened_at": moment("mon 10:00"),
        "steps": steps,
        **changes,
    }
    return ImportTicket(**content)


def imported(command: ImportTicket, now: datetime, *rules: Rule) -> Case:
    case = ruled(*rules) if rules else Case()
    answer = case.ask(command, now, "import")
    assert isinstance(answer, list), answer
    return case


def alerts(facts: list[TicketFact]) -> list[str]:
    """Return what the alert of a decision tells, by kind; nothing when there is none."""
    event = compose_alert(facts, Cause(Partition(COMMANDS.name, 0)), Case().policies)
    return [alarm["kind"] for alarm in json.loads(event.data)["alarms"]] if event else []


def test_rule_47_an_imported_ticket_has_the_clocks_of_its_own_times_and_gives_no_alert() -> None:
    steps = (
        step("mon 12:00", message=ANSWER),
        step("mon 12:30", status=Status.PENDING),
        step("mon 14:30", status=Status.OPEN),
        step("tue 11:00", status=Status.SOLVED),
    )
    case = imported(a_ticket(*steps), moment("mon 10:00", week=9))
    first, resolution = case.clock(), case.resolution
    assert (first.status, first.breached_at) == (ClockStatus.BREACHED, moment("mon 11:00"))
    assert (resolution.status, resolution.stopped_at) == (ClockStatus.MET, moment("tue 11:00"))
    assert resolution.used_seconds == 7 * 3600
    assert case.ticket.summary.opened_at == moment("mon 10:00")
    assert all(fact.imported for fact in case.facts)
    assert "clock-breached" in kinds(case.facts)
    assert alerts(case.facts) == []


def test_rule_47_what_is_still_open_after_the_import_is_timed_and_alarms_like_any_other_ticket() -> None:
    case = imported(a_ticket(step("mon 10:30", message=ANSWER)), moment("mon 15:00"))
    assert case.clock(Metric.RESOLUTION).status is ClockStatus.RUNNING
    facts = case.pass_time(moment("tue 10:00"))
    assert kinds(facts) == ["clock-warned", "clock-warned", "clock-breached"]
    assert alerts(facts) == ["warning", "warning", "breach"]


def test_rule_47_steps_of_the_past_did_nothing_and_those_still_to_come_are_taken() -> None:
    steps = (
        a_step("past", percent=50, reassign_team="experts", raise_priority=True),
        a_step("late", notify=(LEADS,), raise_priority=True),
        a_step("to come", after=timedelta(hours=5), reassign_team="experts"),
    )
    case = Case(with_steps(*steps))
    case.ask(a_ticket(), moment("mon 12:00"), "import")
    past = escalations(case.facts)
    assert [(fact.step, fact.imported, fact.recipients, fact.priority) for fact in past] == [
        ("past", True, (), None),
        ("late", True, (), None),
    ]
    assert (case.ticket.summary.team, case.ticket.summary.priority) == ("service", Priority.NORMAL)
    assert alerts(case.facts) == []
    facts = case.pass_time(moment("fri 12:00"))
    assert [(fact.step, fact.at) for fact in escalations(facts)] == [("to come", moment("mon 16:00"))]
    assert (case.ticket.summary.team, alerts(facts)) == ("experts", ["escalation"])
    assert replay(case.facts, case.policies, moment("fri 12:00")).summary == case.ticket.summary


def test_rule_47_importing_again_changes_nothing() -> None:
    case = imported(a_ticket(), moment("mon 12:00"))
    again = decide(case.ticket, Request("another", a_ticket(), moment("mon 13:00")), case.policies, moment("mon 13:00"))
    assert isinstance(again, Rejected)
    assert again.outcome == "no-op"


def test_rule_47_a_customer_s_later_words_reopen_and_wait_as_they_did_then() -> None:
    steps = (
        step("mon 10:30", message=ANSWER),
        step("mon 11:00", status=Status.SOLVED),
        step("tue 10:00", message=HistoricMessage(text="It leaks again")),
        step("tue 10:05", team="workshop", assignee="anna", priority=Priority.URGENT),
    )
    case = imported(a_ticket(*steps), moment("tue 10:06"))
    summary = case.ticket.summary
    assert (summary.status, summary.team, summary.assignee) == (Status.OPEN, "workshop", "anna")
    assert [clock.status for clock in case.ticket.of_metric(Metric.RESOLUTION)] == [
        ClockStatus.MET,
        ClockStatus.RUNNING,
    ]


def test_a_step_that_cannot_have_happened_is_named_and_nothing_is_imported() -> None:
    for steps, named in (
        ((step("mon 12:00", status=Status.OPEN), step("mon 11:00", status=Status.SOLVED)), "steps.1.at"),
        ((step("mon 12:00", status=Status.CLOSED), step("mon 13:00", status=Status.OPEN)), "steps.1: a ticket that is"),
    ):
        answer = Case().ask(a_ticket(*steps), moment("fri 10:00"))
        assert isinstance(answer, Rejected)
        assert named in answer.reason


def test_rule_47_flows_of_today_do_not_bind_the_past_but_what_comes_after_it() -> None:
    strict = Flow("strict", frozenset(), {"new": frozenset({"open"})}, resolution_code_required=True)
    case = Case()
    case.policies = replace(case.policies, workflow=Workflow(flows=(strict,)))
    answer = case.ask(a_ticket(step("mon 12:00", status=Status.SOLVED)), moment("mon 13:00"), "import")
    assert isinstance(answer, list), answer
    assert (case.ticket.summary.status, case.resolution.status) == (Status.SOLVED, ClockStatus.MET)
    live = case.ask(SetStatus(ticket_id=TICKET, actor=MACHINE, status=Status.OPEN), moment("mon 14:00"))
    assert isinstance(live, Rejected)
    assert "the flow strict" in live.reason


def test_rule_47_an_imported_ticket_runs_no_automation_of_its_past_and_lives_on_with_that_of_today() -> None:
    note = a_rule("note", "opened", "message-added", "status-changed", "clock-breached", then={"note": "x"})
    close = a_wait("close", Status.PENDING, days=1, then={"status": Status.CLOSED})
    now = moment("mon 10:00", week=9)
    steps = (step("mon 12:00", message=ANSWER), step("mon 12:30", status=Status.PENDING))
    case = imported(a_ticket(*steps), now, note, close)
    assert runs(case.facts) == []
    assert case.pass_time(moment("mon 10:00", week=12)) == []

    reopened = case.ask(SetStatus(ticket_id=TICKET, actor=MACHINE, status=Status.OPEN), moment("mon 11:00", week=12))
    assert isinstance(reopened, list)
    assert runs(reopened) == [("note", "ran")]
