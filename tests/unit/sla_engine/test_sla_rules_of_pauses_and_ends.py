"""Rules 16 to 18, 21, 23, 28, 30 and 35 of the SLA semantics: pause, solve, reopen, priority, no clock."""

from datetime import timedelta

from sla_engine.domain.arrival import goes_to_successor
from sla_engine.domain.request import Rejected
from tests.unit.sla_engine.case import MACHINE, TICKET_ID, Case, a_policy, kinds, moment, policies_of
from ticket_contracts.commands import ReceiveMessage, SetStatus
from ticket_contracts.exchanges import follow_up_id
from ticket_contracts.vocabulary import ClockStatus, MessageKind, Metric, Priority, Status


def test_rule_16_a_paused_clock_keeps_its_used_time_and_resuming_moves_due_by_the_business_time_paused() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    due_before = case.resolution.due_at
    assert due_before == moment("tue 10:00")
    assert "clock-paused" in kinds(case.set_status(Status.PENDING, moment("mon 12:00")))
    assert (case.resolution.status, case.resolution.due_at) == (ClockStatus.PAUSED, None)
    assert case.resolution.used_seconds == 2 * 3600
    assert case.pass_time(moment("tue 12:00")) == []
    case.set_status(Status.OPEN, moment("tue 12:00"))
    assert case.resolution.due_at == moment("wed 10:00")  # paused for 8 h of business


def test_rule_16_the_used_time_is_exact_to_the_microsecond() -> None:
    case = Case()
    start = moment("mon 10:00") + timedelta(microseconds=123_456)
    case.receive(start)
    due_before = case.resolution.due_at
    case.set_status(Status.ON_HOLD, start + timedelta(seconds=10, microseconds=7))
    case.set_status(Status.OPEN, start + timedelta(seconds=20, microseconds=11))
    assert due_before is not None
    assert case.resolution.due_at == due_before + timedelta(seconds=10, microseconds=4)


def test_rule_16_a_customer_s_message_resumes_what_waited_for_the_customer() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    assert kinds(case.receive(moment("mon 13:00"), 2))[-3:] == ["message-added", "status-changed", "clock-resumed"]
    assert (case.status, case.resolution.status) == (Status.OPEN, ClockStatus.RUNNING)
    assert case.resolution.due_at == moment("tue 11:00")


def test_rule_16_a_message_received_before_the_pause_but_handled_after_it_counts_no_time_twice() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.receive(moment("mon 11:55"), 2)
    assert case.status is Status.OPEN
    assert case.resolution.due_at == moment("tue 10:00")


def test_rule_16_going_from_one_pausing_status_to_another_keeps_the_pause() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment("mon 10:10"))
    assert kinds(case.set_status(Status.ON_HOLD, moment("mon 10:20"))) == ["status-changed"]
    assert case.resolution.used_seconds == 600


def test_rule_17_a_pause_that_begins_and_ends_out_of_hours_adds_nothing() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    due_before = case.resolution.due_at
    case.set_status(Status.PENDING, moment("mon 18:00"))
    case.set_status(Status.OPEN, moment("mon 22:00"))
    assert case.resolution.due_at == due_before


def test_rule_18_by_default_resolution_pauses_and_replies_do_not() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment("mon 10:10"))
    assert case.resolution.status is ClockStatus.PAUSED
    assert case.clock().status is ClockStatus.RUNNING


def test_rule_19_paused_after_a_breach_stays_breached_and_lateness_stops_growing() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("tue 12:00"))
    case.set_status(Status.ON_HOLD, moment("tue 12:00"))
    assert case.resolution.status is ClockStatus.BREACHED
    case.set_status(Status.OPEN, moment("tue 15:00"))
    case.set_status(Status.SOLVED, moment("tue 16:00"))
    assert case.resolution.status is ClockStatus.BREACHED
    assert case.resolution.used_seconds == (8 + 2 + 1) * 3600


def test_rule_21_solved_meets_resolution_and_closed_is_not_a_second_resolution() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    assert "clock-met" in kinds(case.set_status(Status.SOLVED, moment("mon 12:00")))
    assert kinds(case.set_status(Status.CLOSED, moment("wed 12:00"))) == ["status-changed"]
    assert (case.resolution.status, case.resolution.stopped_at) == (ClockStatus.MET, moment("mon 12:00"))


def test_rule_22_by_default_a_reopened_ticket_gets_a_new_resolution_clock_and_the_old_one_is_kept() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.SOLVED, moment("mon 12:00"))
    assert kinds(case.receive(moment("wed 10:00"), 2)) == ["message-added", "status-changed", "clock-started"]
    assert case.resolution.status is ClockStatus.MET
    assert case.clock(Metric.RESOLUTION, cycle=2).due_at == moment("thu 10:00")


def test_rule_22_a_reopened_ticket_that_had_no_resolution_clock_gets_one_when_something_is_promised_by_now() -> None:
    case = Case(policies_of(a_policy(targets={Metric.RESOLUTION: {Priority.URGENT: 3600}})))
    case.receive(moment("mon 10:00"))
    case.set_status(Status.SOLVED, moment("mon 12:00"))
    case.set_priority(Priority.URGENT, moment("mon 12:30"))
    assert case.ticket.clocks == ()
    assert kinds(case.receive(moment("wed 10:00"), 2)) == ["message-added", "status-changed", "clock-started"]
    assert case.resolution.due_at == moment("wed 11:00")


def test_rule_23_a_customer_s_reply_to_a_closed_ticket_opens_a_linked_follow_up() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.CLOSED, moment("mon 12:00"))
    assert kinds(case.receive(moment("wed 10:00"), 2)) == ["successor-named"]
    assert case.ticket.successor_id == follow_up_id(TICKET_ID)
    assert goes_to_successor(case.ticket, _message_of(case)) == follow_up_id(TICKET_ID)
    assert case.status is Status.CLOSED
    follow_up = Case(case.policies)
    forwarded = _message_of(case).model_copy(
        update={"ticket_id": follow_up_id(TICKET_ID), "previous_ticket_id": TICKET_ID}
    )
    follow_up.ask(forwarded, moment("wed 10:00"))
    assert follow_up.ticket.previous_ticket_id == TICKET_ID
    assert follow_up.clock().started_at == moment("wed 10:00")


def test_rule_23_every_later_message_goes_to_the_same_follow_up_and_recorded_ones_stay() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.CLOSED, moment("mon 12:00"))
    case.receive(moment("wed 10:00"), 2)
    assert kinds(case.receive(moment("wed 11:00"), 3)) == []
    assert goes_to_successor(case.ticket, _message_of(case)) == follow_up_id(TICKET_ID)
    case.receive(moment("mon 10:00"), 1)
    assert goes_to_successor(case.ticket, _message_of(case)) is None


def test_rule_28_by_default_a_new_priority_s_target_counts_from_the_start_with_pauses_carried_over() -> None:
    case = Case()
    case.receive(moment("mon 09:00"))
    case.set_status(Status.PENDING, moment("mon 10:00"))
    case.set_status(Status.OPEN, moment("mon 12:00"))
    case.set_priority(Priority.URGENT, moment("mon 12:30"))
    assert case.resolution.due_at == moment("mon 15:00")  # 4 h from 09:00, and 2 h paused


def test_rule_28_what_a_new_target_makes_late_is_late_from_the_change_on() -> None:
    case = Case()
    case.receive(moment("mon 09:00"))
    case.reply(moment("mon 09:10"))
    assert kinds(case.set_priority(Priority.URGENT, moment("mon 15:00")))[-2:] == ["clock-retargeted", "clock-breached"]
    assert case.resolution.breached_at == moment("mon 15:00")


def test_rule_30_a_recorded_breach_survives_a_change_of_priority() -> None:
    case = Case()
    case.receive(moment("mon 09:00"), priority=Priority.URGENT)
    case.pass_time(moment("mon 14:00"))
    case.set_priority(Priority.NORMAL, moment("mon 14:00"))
    assert (case.resolution.status, case.resolution.breached_at) == (ClockStatus.BREACHED, moment("mon 13:00"))


def test_rule_35_no_policy_no_priority_or_no_calendar_means_no_clock_and_the_ticket_says_why() -> None:
    elsewhere = a_policy(brands=frozenset({"other"}))
    for policies, priority, reason in (
        (policies_of(elsewhere), Priority.NORMAL, "no policy matches"),
        (policies_of(a_policy()), None, "no priority"),
        (policies_of(a_policy(calendar="gone")), Priority.NORMAL, "calendar gone, which cannot be used"),
        (policies_of(a_policy()), Priority.LOW, "promises nothing for priority low"),
    ):
        case = Case(policies)
        case.receive(moment("mon 10:00"), priority=priority)
        assert case.ticket.clocks == ()
        assert reason in case.ticket.no_clock_reason


def test_rule_35_a_priority_set_later_starts_the_clocks_from_the_customer_s_message() -> None:
    case = Case()
    case.receive(moment("mon 10:00"), priority=None)
    case.set_priority(Priority.NORMAL, moment("mon 10:20"))
    assert case.clock().due_at == moment("mon 11:00")
    assert case.ticket.no_clock_reason == ""


def test_edits_and_deletions_are_recorded_and_neither_reopen_nor_start_a_clock() -> None:
    for kind in (MessageKind.EDITED, MessageKind.DELETED):
        case = Case()
        case.receive(moment("mon 10:00"))
        case.set_status(Status.SOLVED, moment("mon 11:30"))
        assert kinds(case.receive(moment("mon 12:00"), 2, kind=kind)) == ["message-revised"]
        assert case.status is Status.SOLVED


def test_what_no_one_may_do_with_a_status_is_rejected_with_the_reason() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.SOLVED, moment("mon 10:10"))
    rejected = case.set_status(Status.PENDING, moment("mon 10:20"))
    assert rejected == Rejected("rejected", "a ticket that is solved cannot become pending")
    assert isinstance(case.set_status(Status.NEW, moment("mon 10:20")), Rejected)
    assert case.set_status(Status.SOLVED, moment("mon 10:30")) == []


def test_a_command_with_another_expected_version_is_a_conflict_and_a_machine_s_a_no_op() -> None:

    case = Case()
    case.receive(moment("mon 10:00"))
    outcome = case.set_status(Status.OPEN, moment("mon 10:10"), expected_version=7)
    assert isinstance(outcome, Rejected)
    assert outcome.outcome == "conflict"
    asked = SetStatus(ticket_id=TICKET_ID, actor=MACHINE, status=Status.OPEN, expected_version=7)
    outcome = case.ask(asked, moment("mon 10:10"))
    assert isinstance(outcome, Rejected)
    assert outcome.outcome == "no-op"
    assert case.ticket.version == 1


def test_a_command_whose_time_has_passed_is_expired() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    outcome = case.set_status(Status.OPEN, moment("mon 10:10"), not_after=moment("mon 10:09"))
    assert isinstance(outcome, Rejected)
    assert outcome.outcome == "expired"


def _message_of(case: Case) -> ReceiveMessage:
    command = case.requests[-1].command
    assert isinstance(command, ReceiveMessage)
    return command
