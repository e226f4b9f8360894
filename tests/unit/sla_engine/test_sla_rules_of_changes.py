"""Rules 22, 27 to 34 and 41 of the SLA semantics: what reopens, regrades, changes hands or is edited."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from business_time.calendar import BusinessCalendar
from sla_engine.domain.decide import decide
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.request import Rejected, Request
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
from ticket_contracts.upkeep import Recalculate, Reevaluate
from ticket_contracts.vocabulary import ClockStatus, Metric, Priority, Status

HOUR = 3600


def opened(**changes: Any) -> Case:
    """A ticket of normal priority, opened on Monday at ten: 1 h to the response, 8 h to the resolution."""
    case = Case(policies_of(a_policy(**changes)))
    case.receive(moment("mon 10:00"))
    return case


def statuses(case: Case, metric: Metric) -> list[ClockStatus]:
    return [clock.status for clock in case.ticket.of_metric(metric)]


# Rule 22: what a reopened ticket's resolution clock does


def reopened(on_reopen: str) -> Case:
    case = opened(on_reopen=on_reopen)
    case.set_status(Status.SOLVED, moment("mon 12:00"))
    case.set_status(Status.OPEN, moment("tue 12:00"))
    return case


def test_rule_22_new_cycle_starts_a_new_resolution_clock_and_keeps_the_old_one() -> None:
    case = reopened("new_cycle")
    assert statuses(case, Metric.RESOLUTION) == [ClockStatus.MET, ClockStatus.RUNNING]
    assert case.clock(Metric.RESOLUTION, 2).due_at == moment("wed 12:00")


def test_rule_22_continue_goes_on_with_the_old_clock_and_leaves_the_solved_time_out() -> None:
    case = reopened("continue")
    assert statuses(case, Metric.RESOLUTION) == [ClockStatus.RUNNING]
    assert case.resolution.used_seconds == 2 * HOUR
    assert case.resolution.due_at == moment("wed 10:00")


def test_rule_22_continue_lets_a_recorded_breach_stay_and_only_lateness_grow() -> None:
    case = opened(on_reopen="continue")
    case.set_status(Status.SOLVED, moment("wed 10:00"))
    case.set_status(Status.OPEN, moment("thu 10:00"))
    assert (case.resolution.status, case.resolution.stopped_at) == (ClockStatus.BREACHED, None)
    assert case.resolution.breached_at == moment("tue 10:00")
    assert case.pass_time(moment("fri 16:00")) == []


def test_rule_22_ignore_leaves_the_old_clock_as_it_ended() -> None:
    case = reopened("ignore")
    assert statuses(case, Metric.RESOLUTION) == [ClockStatus.MET]
    assert case.pass_time(moment("fri 16:00")) == []


# Rule 27: spam


def test_rule_27_what_routing_calls_spam_has_no_clock_and_says_why() -> None:
    case = Case()
    case.receive(moment("mon 10:00"), routing={"spam": True})
    assert (case.ticket.clocks, case.ticket.no_clock_reason) == ((), "the ticket is spam")
    case.receive(moment("mon 11:00"), 2)
    case.set_priority(Priority.URGENT, moment("mon 12:00"))
    assert case.ticket.clocks == ()


# Rule 28: another priority


def regraded(on_priority: str) -> Case:
    case = opened(on_priority=on_priority)
    case.set_status(Status.PENDING, moment("mon 11:00"))
    case.set_status(Status.OPEN, moment("mon 12:00"))
    case.set_priority(Priority.URGENT, moment("mon 12:30"))
    return case


def test_rule_28_from_start_counts_the_new_target_from_the_clock_s_start_without_the_pauses() -> None:
    assert regraded("from_start").resolution.due_at == moment("mon 15:00")


def test_rule_28_from_now_counts_the_new_target_from_the_change() -> None:
    case = regraded("from_now")
    assert statuses(case, Metric.RESOLUTION) == [ClockStatus.RUNNING]
    assert (case.resolution.started_at, case.resolution.due_at) == (moment("mon 10:00"), moment("mon 16:30"))


def test_rule_28_reset_ends_the_clock_and_starts_the_next_cycle() -> None:
    case = regraded("reset")
    assert statuses(case, Metric.RESOLUTION) == [ClockStatus.CANCELLED, ClockStatus.RUNNING]
    assert case.resolution.cancel_reason == "reset"
    fresh = case.clock(Metric.RESOLUTION, 2)
    assert (fresh.started_at, fresh.due_at, fresh.warned_percent) == (moment("mon 12:30"), moment("mon 16:30"), 0)


@pytest.mark.parametrize("on_priority", ["from_start", "from_now", "reset"])
def test_rule_28_a_paused_clock_stays_paused_whatever_the_option(on_priority: str) -> None:
    case = opened(on_priority=on_priority)
    case.reply(moment("mon 10:10"))
    case.set_status(Status.PENDING, moment("mon 11:00"))
    case.set_priority(Priority.URGENT, moment("mon 11:30"))
    assert statuses(case, Metric.RESOLUTION)[-1] is ClockStatus.PAUSED
    assert case.pass_time(moment("fri 16:00")) == []


# Rule 29: from when a policy holds


def since_wednesday() -> Policies:
    old = a_policy()
    new = replace(
        a_policy(version=4, targets={Metric.FIRST_RESPONSE: {Priority.NORMAL: 2 * HOUR}}),
        effective_from=moment("wed 00:00"),
        earlier=(old,),
    )
    return replace(policies_of(new), past={("standard", 3): old, ("standard", 4): new})


@pytest.mark.parametrize(
    ("opened_at", "version", "due"), [("tue 10:00", 3, "tue 11:00"), ("wed 10:00", 4, "wed 12:00")]
)
def test_rule_29_an_edited_policy_holds_from_its_effective_from_and_the_version_before_it_until_then(
    opened_at: str, version: int, due: str
) -> None:
    case = Case(since_wednesday())
    case.receive(moment(opened_at))
    assert (case.clock().policy_version, case.clock().due_at) == (version, moment(due))


def test_rule_29_a_new_policy_gives_no_clock_to_the_backlog() -> None:
    case = Case(policies_of(replace(a_policy(), effective_from=moment("wed 00:00"))))
    case.receive(moment("tue 10:00"))
    assert case.ticket.no_clock_reason == "no policy matches this ticket"
    assert isinstance(case.ask(a_reevaluation(), moment("thu 10:00")), list)
    assert case.ticket.clocks == ()


# Rules 31 and 41: another team, another policy, another calendar


def two_teams(**experts: Any) -> Policies:
    targets = {
        Metric.FIRST_RESPONSE: {Priority.NORMAL: 2 * HOUR},
        Metric.RESOLUTION: {Priority.NORMAL: 20 * HOUR},
    }
    content = {"name": "experts", "order": 0, "teams": frozenset({"experts"}), "targets": targets, **experts}
    return policies_of(a_policy(**content), a_policy(), calendars=(office(), always_open()))


def test_rule_31_a_team_change_that_selects_another_policy_supersedes_the_running_clocks() -> None:
    case = Case(two_teams())
    case.receive(moment("mon 10:00"))
    case.assign("experts", moment("mon 10:30"))
    assert statuses(case, Metric.FIRST_RESPONSE) == [ClockStatus.CANCELLED, ClockStatus.RUNNING]
    assert case.clock().cancel_reason == "superseded"
    fresh = case.clock(cycle=2)
    assert (fresh.policy, fresh.used_seconds, fresh.due_at) == ("experts", HOUR // 2, moment("mon 12:00"))
    assert (case.ticket.policy, case.ticket.policy_version) == ("experts", 3)


def test_rule_31_a_team_change_within_the_same_policy_changes_no_clock() -> None:
    case = Case(two_teams())
    case.receive(moment("mon 10:00"))
    assert kinds(case.assign("back office", moment("mon 10:20"))) == ["assigned"]


def test_rule_31_a_paused_clock_is_superseded_by_a_paused_one() -> None:
    case = Case(two_teams())
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.assign("experts", moment("mon 13:00"))
    fresh = case.clock(Metric.RESOLUTION, 2)
    assert (fresh.status, fresh.used_seconds, fresh.due_at) == (ClockStatus.PAUSED, 2 * HOUR, None)
    case.set_status(Status.OPEN, moment("mon 14:00"))
    assert case.clock(Metric.RESOLUTION, 2).due_at == moment("wed 16:00")


def test_rule_30_a_recorded_breach_survives_a_change_of_team_and_policy_and_gets_no_second_one() -> None:
    case = Case(two_teams())
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 11:30"))
    case.assign("experts", moment("mon 11:40"))
    assert statuses(case, Metric.FIRST_RESPONSE) == [ClockStatus.BREACHED]
    case.reply(moment("mon 11:50"))
    assert (case.clock().status, case.clock().stopped_at) == (ClockStatus.BREACHED, moment("mon 11:50"))


def test_rule_31_a_policy_that_promises_nothing_leaves_no_clock_behind() -> None:
    case = Case(two_teams(targets={}))
    case.receive(moment("mon 10:00"))
    case.assign("experts", moment("mon 10:20"))
    assert {clock.status for clock in case.ticket.clocks} == {ClockStatus.CANCELLED}
    case.set_priority(Priority.URGENT, moment("mon 10:30"))
    assert {clock.status for clock in case.ticket.clocks} == {ClockStatus.CANCELLED}


def test_rule_41_a_ticket_moved_between_calendars_sums_each_part_in_the_calendar_in_force() -> None:
    case = Case(two_teams(calendar="always"))
    case.receive(moment("mon 16:00"))
    case.assign("experts", moment("tue 10:00"))  # 1 h on Monday and 1 h on Tuesday by the office's calendar
    fresh = case.clock(Metric.RESOLUTION, 2)
    assert fresh.used_seconds == 2 * HOUR
    assert fresh.due_at == moment("wed 04:00")  # the other 18 h pass at night too


# Rules 32 to 34: what is edited


def a_reevaluation() -> Reevaluate:
    return Reevaluate(ticket_id=TICKET_ID, actor=MACHINE, run_id="run-1")


def edited(policy: Policy, before: Policies) -> Policies:
    return replace(policies_of(policy), past={**before.past, (policy.name, policy.version): policy})


def test_rule_32_a_ticket_keeps_the_version_that_it_was_matched_with_until_it_is_reevaluated() -> None:
    case = opened()
    halved = {Metric.FIRST_RESPONSE: {Priority.NORMAL: HOUR // 2}, Metric.RESOLUTION: {Priority.NORMAL: 4 * HOUR}}
    case.policies = edited(a_policy(version=4, targets=halved), case.policies)
    case.set_status(Status.PENDING, moment("mon 10:10"))
    case.set_status(Status.OPEN, moment("mon 10:10"))
    assert case.resolution.due_at == moment("tue 10:00")
    assert kinds(case.ask(a_reevaluation(), moment("mon 10:12")))[0] == "reevaluated"
    assert case.clock(Metric.RESOLUTION, 2).due_at == moment("mon 14:00")
    assert case.ticket.policy_version == 4


def test_rule_32_a_reevaluation_that_changes_nothing_leaves_no_trace() -> None:
    case = opened()
    assert case.ask(a_reevaluation(), moment("mon 10:10")) == []


def test_rule_32_a_closed_ticket_is_not_reevaluated() -> None:
    case = opened()
    case.set_status(Status.CLOSED, moment("mon 10:10"))
    case.policies = edited(a_policy(version=4), case.policies)
    answer = case.ask(a_reevaluation(), moment("mon 10:20"))
    assert isinstance(answer, Rejected)
    assert answer.outcome == "no-op"


def test_rule_33_the_clocks_of_an_archived_policy_go_on_and_no_new_ticket_gets_it() -> None:
    case = opened()
    case.policies = replace(case.policies, in_force=())
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.set_status(Status.OPEN, moment("mon 13:00"))
    assert case.resolution.due_at == moment("tue 11:00")
    newer = Case(case.policies)
    newer.receive(moment("mon 14:00"))
    assert newer.ticket.no_clock_reason == "no policy matches this ticket"


def with_calendar(case: Case, calendar: BusinessCalendar) -> Policies:
    return replace(case.policies, calendars={**case.policies.calendars, calendar.name: calendar})


def a_recalculation() -> Recalculate:
    return Recalculate(ticket_id=TICKET_ID, actor=MACHINE, run_id="run-1", calendars=("office",))


TUESDAY_OFF = frozenset({date(2026, 1, 6)})


def test_rule_34_a_holiday_added_late_moves_running_clocks_and_leaves_finished_ones() -> None:
    case = opened()
    case.reply(moment("mon 10:10"))
    met = case.clock()
    case.policies = with_calendar(case, office(closed=TUESDAY_OFF))
    facts = case.ask(a_recalculation(), moment("mon 11:00"))
    assert kinds(facts) == ["clock-recalculated"]
    assert case.resolution.due_at == moment("wed 10:00")
    assert case.clock() == met


def test_rule_34_a_timer_that_fires_before_the_recalculation_comes_gives_no_false_alarm() -> None:
    case = opened(warnings=())
    case.reply(moment("mon 10:10"))
    case.policies = with_calendar(case, office(closed=TUESDAY_OFF))
    assert kinds(case.pass_time(moment("tue 10:00"))) == ["clock-recalculated"]
    assert case.pass_time(moment("wed 09:59")) == []
    assert kinds(case.pass_time(moment("wed 10:00"))) == ["clock-breached"]


def test_rule_34_longer_hours_make_late_what_they_make_late_from_the_edit_on() -> None:
    case = opened(warnings=())
    case.reply(moment("mon 10:10"))
    case.policies = with_calendar(case, office(week=(((0, 24 * 60),),) * 7))
    facts = case.ask(a_recalculation(), moment("mon 20:00"))
    assert kinds(facts) == ["clock-recalculated", "clock-breached"]
    assert case.resolution.breached_at == moment("mon 20:00")


def test_rule_34_what_longer_hours_make_late_before_the_recalculation_comes_is_not_dated_in_the_past() -> None:
    case = opened(warnings=(90,))
    case.reply(moment("mon 10:10"))
    case.policies = with_calendar(case, office(week=(((0, 24 * 60),),) * 7))
    facts = case.pass_time(moment("tue 10:00"))
    assert kinds(facts) == ["clock-recalculated", "clock-breached"]
    assert {fact.at for fact in facts} == {moment("tue 09:12")}  # when the warning was to come


def test_rule_34_a_paused_clock_is_worked_out_when_it_resumes() -> None:
    case = opened()
    case.reply(moment("mon 10:10"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.policies = with_calendar(case, office(closed=TUESDAY_OFF))
    assert case.ask(a_recalculation(), moment("mon 13:00")) == []
    case.set_status(Status.OPEN, moment("mon 13:00"))
    assert case.resolution.due_at == moment("wed 11:00")


def test_a_recalculation_delivered_twice_changes_nothing_the_second_time() -> None:
    case = opened()
    case.policies = with_calendar(case, office(closed=TUESDAY_OFF))
    case.ask(a_recalculation(), moment("mon 10:10"))
    again = Request("again", a_recalculation(), moment("mon 10:10"))
    assert decide(case.ticket, again, case.policies, moment("mon 10:10")) == []
