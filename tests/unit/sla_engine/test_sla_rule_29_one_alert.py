"""Rules 29 and 42 to 45: one alert for each ticket and decision, with all that whoever reads it needs to act."""

from dataclasses import replace
from datetime import datetime, timedelta

from sla_engine.compose_alerts import compose_alert
from sla_engine.domain.policies import Policies
from sla_engine.domain.steps import Recipient
from sla_engine.publish_facts import Cause
from tests.unit.sla_engine.case import (
    AGENT,
    TICKET_ID,
    Case,
    Decision,
    a_policy,
    always_open,
    kinds,
    moment,
    office,
    policies_of,
)
from tests.unit.sla_engine.escalation_case import HOUR, LEADS, PEOPLE, a_case, a_step, two_hours_late, with_steps
from ticket_contracts.alerts import ALERT_EVENTS, AlarmKind, SlaAlert
from ticket_contracts.commands import Assign
from ticket_contracts.topics import COMMANDS, MAX_EVENT_BYTES
from ticket_contracts.upkeep import Recalculate, Reevaluate
from ticket_contracts.vocabulary import Metric, Priority
from ticket_stream.processing import Partition

BOTH = {
    Metric.FIRST_RESPONSE: {Priority.NORMAL: 4 * 3600, Priority.URGENT: 1800},
    Metric.RESOLUTION: {Priority.NORMAL: 8 * 3600, Priority.URGENT: 3600},
}


def alert_of(decision: Decision, policies: Policies, command: str = "command") -> SlaAlert:
    """Return the alert of a decision as a subscriber reads it; fails when there is none."""
    assert isinstance(decision, list), decision
    event = compose_alert(decision, Cause(Partition(COMMANDS.name, 0), command), policies)
    assert event is not None
    alert = ALERT_EVENTS[event.type].model_validate_json(event.data)
    assert isinstance(alert, SlaAlert)
    assert (event.key, event.causation_id) == (str(TICKET_ID), f"{TICKET_ID}:{alert.version}")
    return alert


def told(alert: SlaAlert) -> list[tuple[str, str, datetime]]:
    return [(alarm.kind, alarm.metric, alarm.at) for alarm in alert.alarms]


def kind_of(alert: SlaAlert) -> str:
    return alert.event_type.removeprefix("firebreak.alert.")


def test_rule_29_a_priority_that_makes_all_clocks_breach_at_once_sends_one_alert_and_the_breaches_are_facts() -> None:
    case = Case(policies_of(a_policy(targets=BOTH), people=PEOPLE))
    case.receive(moment("mon 10:00"))
    facts = case.set_priority(Priority.URGENT, moment("mon 11:30"))
    assert kinds(facts).count("clock-breached") == 2
    alert = alert_of(facts, case.policies)
    assert kind_of(alert) == "sla-breached.v1"
    assert told(alert) == [
        ("breach", "first_response", moment("mon 11:30")),
        ("breach", "resolution", moment("mon 11:30")),
    ]


def test_rule_29_a_calendar_edit_or_a_re_evaluation_that_makes_clocks_breach_sends_one_alert_each() -> None:
    case = Case(policies_of(a_policy(targets=BOTH), people=PEOPLE))
    case.receive(moment("fri 16:00"))
    weekend = office(week=(((9 * 60, 17 * 60),),) * 7)
    case.policies = policies_of(a_policy(targets=BOTH), calendars=(weekend, always_open()), people=PEOPLE)
    recalculate = Recalculate(ticket_id=TICKET_ID, actor=AGENT, run_id="1", calendars=("office",))
    edited = alert_of(case.ask(recalculate, moment("sun 12:00")), case.policies)
    assert [alarm.metric for alarm in edited.alarms] == ["first_response", "resolution"]

    other = Case(policies_of(a_policy(targets=BOTH), people=PEOPLE))
    other.receive(moment("mon 10:00"))
    short = {metric: {Priority.NORMAL: 600} for metric in BOTH}
    [older], newer = other.policies.in_force, a_policy(targets=short, version=4)
    other.policies = replace(policies_of(newer, older, people=PEOPLE), in_force=(newer,))
    matched = other.ask(Reevaluate(ticket_id=TICKET_ID, actor=AGENT, run_id="1"), moment("mon 11:00"))
    assert [alarm.metric for alarm in alert_of(matched, other.policies).alarms] == ["first_response", "resolution"]


def test_rule_44_after_an_outage_one_alert_tells_all_that_was_due_in_its_order() -> None:
    case = a_case(a_step("at breach"), two_hours_late(name="late"))
    alert = alert_of(case.pass_time(moment("mon 15:00")), case.policies)
    assert (kind_of(alert), alert.at, alert.clock.breached_at) == ("sla-breached.v1", *(moment("mon 11:00"),) * 2)
    assert [(alarm.kind, alarm.percent or alarm.step, alarm.at) for alarm in alert.alarms] == [
        ("warning", 50, moment("mon 10:30")),
        ("warning", 75, moment("mon 10:45")),
        ("warning", 90, moment("mon 10:54")),
        ("breach", None, moment("mon 11:00")),
        ("escalation", "at breach", moment("mon 11:00")),
        ("escalation", "late", moment("mon 13:00")),
    ]


def test_rule_42_a_warning_without_steps_names_assignee_and_leads_and_the_time_left() -> None:
    case = a_case()
    case.ask(Assign(ticket_id=TICKET_ID, actor=AGENT, assignee="li.wei"), moment("mon 10:10"))
    alert = alert_of(case.pass_time(moment("mon 10:45")), case.policies)
    assert (kind_of(alert), alert.left_seconds, alert.late_seconds) == ("sla-warning.v1", 1800, None)
    assert [(each.name, each.display_name, each.email, each.roles) for each in alert.recipients] == [
        ("li.wei", "Li Wei", "li.wei@acme.example", ("assignee",)),
        ("anna", "Anna", "anna@acme.example", ("team-lead",)),
    ]
    assert (alert.team_name, alert.assignee_name, alert.requester_name) == (
        "Service",
        "Li Wei",
        "wang@customer.example",
    )
    assert alert.cause == f"timer:{TICKET_ID}:{moment('mon 10:30').isoformat()}"


def test_rule_42_a_team_without_leads_and_a_ticket_without_an_assignee_are_alarmed_of_all_the_same() -> None:
    case = Case(policies_of(a_policy(targets=HOUR)))
    case.receive(moment("mon 10:00"))
    alert = alert_of(case.pass_time(moment("mon 10:30")), case.policies)
    assert (alert.recipients, alert.team_name, alert.assignee_name) == ((), "service", "")


def test_rule_45_steps_alone_are_an_alert_to_those_whom_they_name_with_the_time_it_is_late() -> None:
    case = a_case(two_hours_late(notify=(Recipient("group", "management"),), raise_priority=True))
    case.pass_time(moment("mon 11:00"))
    alert = alert_of(case.pass_time(moment("mon 13:00")), case.policies)
    assert (kind_of(alert), alert.late_seconds, alert.left_seconds) == ("sla-escalated.v1", 7200, None)
    assert [each.email for each in alert.recipients] == [
        "boss@acme.example",
        "duty@acme.example",
        "anna@acme.example",
    ]
    [alarm] = alert.alarms
    assert (alarm.policy, alarm.policy_version, alarm.step, alarm.priority) == ("standard", 3, "tell", Priority.HIGH)
    assert alert.ticket.priority is Priority.HIGH  # as it is after the step


def test_rule_45_a_step_at_the_breach_comes_with_the_alert_of_the_breach_and_adds_whom_it_names() -> None:
    case = a_case(a_step(notify=(LEADS, Recipient("agent", "boss"))))
    case.pass_time(moment("mon 10:54"))
    alert = alert_of(case.pass_time(moment("mon 11:00")), case.policies)
    assert kind_of(alert) == "sla-breached.v1"
    assert [(each.name, each.roles) for each in alert.recipients] == [("anna", ("team-lead",)), ("boss", ("agent",))]


def test_rule_9_a_withdrawn_breach_is_told_to_those_who_were_told_of_it() -> None:
    case = a_case()
    case.pass_time(moment("mon 11:00"))
    alert = alert_of(case.reply(moment("mon 10:59")), case.policies)
    assert (kind_of(alert), [each.name for each in alert.recipients]) == ("sla-breach-withdrawn.v1", ["anna"])


def test_an_alert_speaks_english_and_chinese_and_shows_times_as_the_calendar_s_clock() -> None:
    case = a_case(two_hours_late(name="告知管理层", raise_priority=True))
    late = alert_of(case.pass_time(moment("mon 11:00")), case.policies).words
    assert late is not None
    assert late.en.startswith(
        "Ticket #1001 “The pump leaks” of wang@customer.example, priority normal, team Service, assigned to nobody."
    )
    assert late.en.endswith("The first response is late: it was due 2026-01-05 11:00 (UTC).")
    assert "首次响应时限已用 75%：截止 2026-01-05 11:00（UTC），剩余工作时间 15 分钟。" in late.zh
    assert late.zh.endswith("首次响应已超时：应在 2026-01-05 11:00（UTC）前完成。")
    step = alert_of(case.pass_time(moment("mon 13:00")), case.policies).words
    assert step is not None
    assert step.en.endswith(
        "Step “告知管理层” of policy standard was taken, for the first response that is late by 2 h of business time; "
        "its priority was raised to high."
    )
    assert step.zh.endswith(
        "已执行策略 standard 的升级步骤“告知管理层”：首次响应已超时 2 小时（工作时间）；优先级升为高。"
    )


def test_an_alert_of_a_policy_with_a_warning_at_every_percent_still_fits_into_an_event() -> None:
    every = {metric: {Priority.NORMAL: 3600} for metric in (Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.UPDATE)}
    case = a_case(targets=every, warnings=tuple(range(1, 100)))
    facts = case.pass_time(moment("mon 10:00") + timedelta(hours=2))
    event = compose_alert(facts, Cause(Partition(COMMANDS.name, 0)), case.policies)
    assert event is not None
    assert len(event.data) < MAX_EVENT_BYTES / 2
    alert = alert_of(facts, case.policies)
    assert (len(alert.alarms), [alarm.kind for alarm in alert.alarms].count(AlarmKind.BREACH)) == (100, 3)


def test_nothing_that_alarms_is_no_alert() -> None:
    case = Case(with_steps())
    facts = case.receive(moment("mon 10:00"))
    assert isinstance(facts, list)
    assert compose_alert(facts, Cause(Partition(COMMANDS.name, 0)), case.policies) is None
    assert compose_alert([], Cause(Partition(COMMANDS.name, 0)), case.policies) is None
