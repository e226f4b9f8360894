"""Rule 45, when: steps at a warning, at the breach and after it; once each, not out of hours unless asked."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.unit.sla_engine.case import (
    MACHINE,
    TICKET_ID,
    Case,
    a_policy,
    always_open,
    kinds,
    moment,
    office,
    policies_of,
)
from tests.unit.sla_engine.escalation_case import (
    HOUR,
    PEOPLE,
    RESOLVE_IN_AN_HOUR,
    a_case,
    a_step,
    escalations,
    times,
    two_hours_late,
    with_steps,
)
from ticket_contracts.upkeep import Recalculate, Reevaluate
from ticket_contracts.vocabulary import ClockStatus, Metric, Priority, Status

REPLIES = {metric: {Priority.NORMAL: 3600} for metric in (Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE)}


def test_rule_45_steps_come_at_a_warning_at_the_breach_and_after_it_each_once() -> None:
    case = a_case(a_step("at 75", percent=75), a_step("at breach"), two_hours_late(name="late"))
    for passed in range(0, 24 * 60, 5):
        case.pass_time(moment("mon 10:00") + timedelta(minutes=passed))
    assert [(fact.step, fact.at) for fact in escalations(case.facts)] == [
        ("at 75", moment("mon 10:45")),
        ("at breach", moment("mon 11:00")),
        ("late", moment("mon 13:00")),
    ]
    assert kinds(case.facts)[2:6] == ["clock-warned", "escalated", "clock-warned", "clock-breached"]
    assert case.clock().steps_done == ("standard/at 75", "standard/at breach", "standard/late")


def test_rule_45_the_next_step_is_known_beforehand_so_that_a_timer_can_fire_it() -> None:
    case = a_case(two_hours_late())
    case.pass_time(moment("mon 11:00"))
    due = case.ticket.next_transition()
    assert due is not None
    assert due.at == case.clock().next_step_at == moment("mon 13:00")
    assert case.pass_time(due.at - timedelta(microseconds=1)) == []
    assert times(case.pass_time(due.at)) == [due.at]
    assert case.ticket.next_transition() is None


@pytest.mark.parametrize(
    ("out_of_hours", "at"),
    [(False, moment("mon 10:30", week=1)), (True, moment("fri 18:30"))],
    ids=["in hours", "asked"],
)
def test_rule_45_time_after_the_breach_is_business_time_unless_the_step_asks_for_out_of_hours(
    out_of_hours: bool, at: datetime
) -> None:
    case = Case(with_steps(two_hours_late(out_of_hours=out_of_hours)))
    case.receive(moment("fri 15:30"))
    case.pass_time(moment("fri 12:00", week=1))
    assert case.clock().breached_at == moment("fri 16:30")
    assert times(case.facts) == [at]


@pytest.mark.parametrize(
    ("out_of_hours", "at"), [(False, moment("tue 09:00")), (True, moment("mon 22:00"))], ids=["in hours", "asked"]
)
def test_rule_45_a_step_that_a_change_at_night_brings_waits_for_the_opening_unless_it_asks(
    out_of_hours: bool, at: datetime
) -> None:
    steps = (a_step("75", percent=75, out_of_hours=out_of_hours), a_step("breach", out_of_hours=out_of_hours))
    case = Case(with_steps(*steps))
    case.receive(moment("mon 16:30"))
    case.set_priority(Priority.URGENT, moment("mon 22:00"))  # ten minutes: late from now on
    assert case.clock().breached_at == moment("mon 22:00")
    case.pass_time(moment("wed 12:00"))
    assert [(fact.step, fact.at) for fact in escalations(case.facts)] == [("75", at), ("breach", at)]


def test_rule_45_a_breach_at_the_moment_of_closing_is_told_on_that_day() -> None:
    case = Case(with_steps(a_step()))
    case.receive(moment("fri 16:00"))
    case.pass_time(moment("fri 12:00", week=1))
    assert times(case.facts) == [moment("fri 17:00")]


def test_rule_44_no_step_for_a_clock_met_cancelled_or_paused_when_it_was_due_even_after_an_outage() -> None:
    met = a_case(a_step(percent=50), a_step("late"))
    met.reply(moment("mon 10:29"))
    cancelled = a_case(a_step(percent=50))
    cancelled.set_priority(Priority.LOW, moment("mon 10:29"))
    assert cancelled.clock().status is ClockStatus.CANCELLED
    step = two_hours_late(metric=Metric.RESOLUTION)
    stopped = a_case(step, targets=RESOLVE_IN_AN_HOUR)
    stopped.set_status(Status.SOLVED, moment("mon 12:59"))
    paused = a_case(step, targets=RESOLVE_IN_AN_HOUR)
    paused.set_status(Status.PENDING, moment("mon 12:59"))
    for case in (met, cancelled, stopped, paused):
        case.pass_time(moment("fri 12:00"))
        assert escalations(case.facts) == []
        assert case.ticket.next_transition() is None


@pytest.mark.parametrize("out_of_hours", [False, True])
def test_rule_19_lateness_stops_growing_while_paused_and_so_does_the_way_to_the_next_step(out_of_hours: bool) -> None:
    step = two_hours_late(metric=Metric.RESOLUTION, out_of_hours=out_of_hours)
    case = a_case(step, targets=RESOLVE_IN_AN_HOUR)
    case.set_status(Status.PENDING, moment("mon 12:00"))  # an hour late
    case.set_status(Status.OPEN, moment("tue 10:00"))
    case.set_status(Status.ON_HOLD, moment("tue 10:30"))
    case.set_status(Status.OPEN, moment("tue 14:00"))
    case.pass_time(moment("fri 12:00"))
    assert times(case.facts) == [moment("tue 14:30")]


def test_rule_45_a_step_after_the_breach_of_a_reopened_clock_goes_on_where_its_lateness_stopped() -> None:
    step = two_hours_late(metric=Metric.RESOLUTION)
    case = a_case(step, targets=RESOLVE_IN_AN_HOUR, on_reopen="continue")
    case.set_status(Status.SOLVED, moment("mon 12:00"))
    case.set_status(Status.OPEN, moment("wed 09:00"))
    case.pass_time(moment("fri 12:00"))
    assert times(case.facts) == [moment("wed 10:00")]


def test_rule_44_after_an_outage_exactly_those_steps_are_taken_that_event_time_demands() -> None:
    steps = (a_step("50", percent=50, raise_priority=True), a_step("breach"), two_hours_late(name="late"))
    punctual, late = a_case(*steps), a_case(*steps)
    for minute in range(300):
        punctual.pass_time(moment("mon 10:00") + timedelta(minutes=minute))
    for case in (punctual, late):
        case.reply(moment("mon 15:00"))
        case.pass_time(moment("fri 15:00"))
    assert late.facts == punctual.facts
    assert [fact.step for fact in escalations(late.facts)] == ["50", "breach", "late"]


def test_rule_45_a_breach_withdrawn_takes_its_coming_steps_with_it() -> None:
    case = a_case(a_step(), two_hours_late(name="late"))
    case.pass_time(moment("mon 11:00"))
    assert kinds(case.reply(moment("mon 10:59")))[1:3] == ["breach-withdrawn", "clock-met"]
    case.pass_time(moment("fri 12:00"))
    assert [fact.step for fact in escalations(case.facts)] == ["tell"]


def test_rule_45_the_next_clock_of_a_metric_takes_the_steps_anew() -> None:
    case = a_case(a_step(metric=Metric.UPDATE), targets={Metric.UPDATE: {Priority.NORMAL: 3600}})
    case.pass_time(moment("mon 11:30"))
    case.reply(moment("mon 12:00"))
    case.pass_time(moment("mon 14:00"))
    assert times(case.facts) == [moment("mon 11:00"), moment("mon 13:00")]


def test_rule_45_a_clock_in_the_place_of_a_cancelled_one_does_not_take_its_steps_again_but_a_new_promise_does() -> None:
    case = a_case(a_step(percent=50), a_step("asked again", metric=Metric.NEXT_RESPONSE, percent=50), targets=REPLIES)
    case.pass_time(moment("mon 10:30"))
    case.set_priority(Priority.LOW, moment("mon 10:40"))  # nothing is promised
    case.set_priority(Priority.NORMAL, moment("mon 10:45"))
    assert case.clock(cycle=2).steps_done == ("standard/tell",)
    case.reply(moment("mon 10:50"))
    case.receive(moment("mon 11:00"), 2)
    case.pass_time(moment("mon 11:30"))
    case.set_priority(Priority.LOW, moment("mon 11:40"))
    case.reply(moment("mon 11:50"))
    case.set_priority(Priority.NORMAL, moment("mon 11:55"))
    case.receive(moment("mon 12:00"), 3)
    case.pass_time(moment("fri 12:00"))
    assert times(case.facts) == [moment("mon 10:30"), moment("mon 11:30"), moment("mon 12:30")]


def test_rule_42_of_steps_at_thresholds_passed_when_a_clock_starts_none_is_lost() -> None:
    case = Case(with_steps(a_step("50", percent=50), a_step("75", percent=75)))
    case.receive(moment("mon 10:00"), priority=None)
    facts = case.set_priority(Priority.NORMAL, moment("mon 10:50"))
    assert [(fact.step, fact.at) for fact in escalations(facts)] == [
        ("50", moment("mon 10:50")),
        ("75", moment("mon 10:50")),
    ]
    assert kinds(facts).count("clock-warned") == 1


def test_rule_34_a_calendar_that_was_edited_moves_the_step_whichever_comes_first() -> None:
    closed_afternoon = office(week=(((9 * 60, 12 * 60),),) * 5 + ((), ()))
    edited = policies_of(
        a_policy(targets=HOUR, steps=(two_hours_late(),)), calendars=(closed_afternoon, always_open()), people=PEOPLE
    )
    for told in (True, False):
        case = a_case(two_hours_late())
        case.pass_time(moment("mon 11:00"))
        case.policies = edited
        if told:
            recalculate = Recalculate(ticket_id=TICKET_ID, actor=MACHINE, run_id="1", calendars=("office",))
            assert kinds(case.ask(recalculate, moment("mon 11:30"))) == ["clock-recalculated"]
        case.pass_time(moment("wed 12:00"))
        assert times(case.facts) == [moment("tue 10:00")]
        assert case.clock().breached_at == moment("mon 11:00")


def test_rule_34_a_step_that_the_edited_calendar_cannot_reach_any_more_is_not_waited_for() -> None:
    case = a_case(two_hours_late(name="left out"), two_hours_late(name="stays"))
    case.pass_time(moment("mon 11:00"))
    case.policies = with_steps(two_hours_late(name="stays"))
    case.pass_time(moment("fri 12:00"))
    assert [(fact.step, fact.at) for fact in escalations(case.facts)] == [("stays", moment("mon 13:00"))]


def test_rule_32_a_newer_version_of_the_policy_does_not_take_the_same_step_again() -> None:
    case = a_case(a_step(percent=50))
    case.pass_time(moment("mon 10:30"))
    [older] = case.policies.in_force
    newer = a_policy(targets=HOUR, version=4, steps=(*older.steps, a_step("another", percent=25)))
    case.policies = replace(policies_of(newer, older, people=PEOPLE), in_force=(newer,))
    case.ask(Reevaluate(ticket_id=TICKET_ID, actor=MACHINE, run_id="1"), moment("mon 10:40"))
    case.pass_time(moment("fri 12:00"))
    assert case.clock(cycle=2).policy_version == 4
    assert [(fact.step, fact.at) for fact in escalations(case.facts)] == [
        ("tell", moment("mon 10:30")),
        ("another", moment("mon 10:40")),
    ]
