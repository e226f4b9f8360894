"""Rules 1 to 9 and 24 of the SLA semantics: start and first response."""

from datetime import UTC, datetime, timedelta

from sla_engine.domain.request import Rejected
from tests.unit.sla_engine.case import (
    CUSTOMER_ID,
    MACHINE,
    TICKET_ID,
    Case,
    a_message,
    a_policy,
    kinds,
    moment,
    policies_of,
)
from ticket_contracts.commands import ReceiveMessage, Routing
from ticket_contracts.messages import CallRecord
from ticket_contracts.tickets import TicketOpened
from ticket_contracts.vocabulary import Automation, Channel, ClockStatus, Metric, Priority, Status


def a_call(*, answered: bool, direction: str = "inbound") -> CallRecord:
    return CallRecord(
        call_id="c1",
        direction=direction,
        answered=answered,
        caller="+8613800000000",
        callee="+864000000000",
        started_at=moment("mon 10:00"),
        seconds=60 if answered else 0,
    )


def test_rule_01_a_ticket_opened_in_hours_starts_first_response_at_the_message_s_time() -> None:
    case = Case()
    case.receive(moment("mon 10:15"))
    assert case.clock().started_at == moment("mon 10:15")
    assert case.clock().due_at == moment("mon 11:15")


def test_rule_01_the_clock_counts_from_receipt_although_the_command_was_appended_later() -> None:
    case = Case()
    message_at = moment("mon 10:15")
    case.receive(message_at)
    assert case.requests[0].at == message_at
    trusted = Case()
    trusted.receive(message_at, sent_at=moment("mon 10:05"), time_trusted=True)
    assert trusted.clock().started_at == moment("mon 10:05")
    ahead = Case()
    ahead.receive(message_at, sent_at=moment("mon 12:00"), time_trusted=True)
    assert ahead.clock().started_at == message_at
    reset = Case()
    reset.receive(message_at, sent_at=datetime(1970, 1, 1, tzinfo=UTC), time_trusted=True)
    assert reset.clock().started_at == message_at
    untrusted = Case()
    untrusted.receive(message_at, sent_at=moment("mon 10:05"))
    assert untrusted.clock().started_at == message_at


def test_rule_01_a_receipt_dated_after_the_command_was_appended_counts_from_the_appending() -> None:
    for dated in (moment("mon 11:00"), datetime(9999, 12, 31, tzinfo=UTC)):
        case = Case()
        routing = Routing(team="service", priority=Priority.NORMAL)
        message = a_message(dated)
        command = ReceiveMessage(
            ticket_id=TICKET_ID, actor=MACHINE, message=message, contact_id=CUSTOMER_ID, routing=routing
        )
        case.ask(command, moment("mon 10:00"))
        assert case.clock().started_at == moment("mon 10:00")


def test_rule_02_opened_out_of_hours_the_clock_starts_at_the_next_opening() -> None:
    case = Case()
    case.receive(moment("fri 18:00"))
    assert case.clock().started_at == moment("mon 09:00", week=1)
    assert case.clock().due_at == moment("mon 10:00", week=1)


def test_rule_02_friday_16_30_and_one_hour_on_nine_to_five_is_due_monday_09_30() -> None:
    case = Case()
    case.receive(moment("fri 16:30"))
    assert case.clock().due_at == moment("mon 09:30", week=1)


def test_rule_03_a_public_agent_reply_meets_it() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    assert kinds(case.reply(moment("mon 10:20"))) == ["message-added", "clock-met", "status-changed"]
    assert case.clock().status is ClockStatus.MET
    assert case.clock().stopped_at == moment("mon 10:20")
    assert case.clock().used_seconds == 20 * 60
    assert case.status is Status.OPEN


def test_rule_03_a_private_note_does_not_meet_it() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    assert kinds(case.note(moment("mon 10:20"))) == ["message-added"]
    assert case.clock().status is ClockStatus.RUNNING


def test_rule_03_option_a_call_with_an_agent_counts_as_a_reply_only_when_the_policy_says_so() -> None:
    for counts, status in ((True, ClockStatus.MET), (False, ClockStatus.RUNNING)):
        case = Case(policies_of(a_policy(call_counts_as_reply=counts)))
        case.receive(moment("mon 10:00"))
        case.receive(moment("mon 10:20"), 2, channel=Channel.PHONE, call=a_call(answered=True, direction="outbound"))
        assert case.clock().status is status


def test_rule_04_an_automated_message_never_meets_it() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.reply(moment("mon 10:01"), author="machine")
    case.reply(moment("mon 10:02"), actor=MACHINE)
    assert case.clock().status is ClockStatus.RUNNING
    assert case.status is Status.NEW


def test_rule_05_pending_or_on_hold_without_a_reply_does_not_meet_it() -> None:
    for status in (Status.PENDING, Status.ON_HOLD):
        case = Case()
        case.receive(moment("mon 10:00"))
        case.set_status(status, moment("mon 10:20"))
        assert case.clock().status is ClockStatus.RUNNING
        assert kinds(case.pass_time(moment("mon 11:00")))[-1] == "clock-breached"


def test_rule_06_solved_without_a_reply_before_due_closes_the_reply_clock_as_met() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.SOLVED, moment("mon 10:59"))
    assert (case.clock().status, case.clock().stopped_at) == (ClockStatus.MET, moment("mon 10:59"))


def test_rule_06_solved_without_a_reply_after_due_closes_the_reply_clock_as_breached() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.SOLVED, moment("mon 11:01"))
    assert (case.clock().status, case.clock().stopped_at) == (ClockStatus.BREACHED, moment("mon 11:01"))
    assert case.clock().breached_at == moment("mon 11:00")


def test_rule_08_a_call_that_an_agent_took_starts_first_response_only_with_the_customer_s_first_message() -> None:
    case = Case()
    case.receive(moment("mon 10:00"), channel=Channel.PHONE, call=a_call(answered=True))
    assert list(case.ticket.of_metric(Metric.FIRST_RESPONSE)) == []
    assert case.resolution.started_at == moment("mon 10:00")
    case.receive(moment("mon 14:00"), 2)
    assert case.clock().started_at == moment("mon 14:00")
    assert case.resolution.started_at == moment("mon 10:00")


def test_rule_08_a_missed_call_is_a_customer_message() -> None:
    case = Case()
    case.receive(moment("mon 10:00"), channel=Channel.PHONE, call=a_call(answered=False))
    assert case.clock().started_at == moment("mon 10:00")


def test_rule_09_a_reply_after_the_due_time_is_a_breach_even_if_no_timer_had_fired_yet() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    facts = case.reply(moment("mon 11:30"))
    assert kinds(facts)[:5] == ["clock-warned", "clock-warned", "clock-warned", "clock-breached", "message-added"]
    assert "clock-stopped" in kinds(facts)
    assert (case.clock().status, case.clock().breached_at) == (ClockStatus.BREACHED, moment("mon 11:00"))


def test_rule_09_a_reply_at_the_due_time_itself_is_late_with_and_without_the_timer() -> None:
    with_timer, without = Case(), Case()
    for case in (with_timer, without):
        case.receive(moment("mon 10:00"))
    with_timer.pass_time(moment("mon 11:00"))
    for case in (with_timer, without):
        case.reply(moment("mon 11:00"))
        assert case.clock().status is ClockStatus.BREACHED
    assert with_timer.clock() == without.clock()


def test_rule_09_a_reply_dated_before_due_that_arrives_after_the_breach_makes_it_met_and_withdraws_the_breach() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 11:00"))
    assert case.clock().status is ClockStatus.BREACHED
    facts = case.reply(moment("mon 10:40"))
    assert kinds(facts) == ["message-added", "breach-withdrawn", "clock-met", "status-changed"]
    clock = case.clock()
    assert (clock.status, clock.stopped_at, clock.breached_at) == (ClockStatus.MET, moment("mon 10:40"), None)
    assert clock.used_seconds == 40 * 60


def test_rule_09_a_breach_is_withdrawn_too_when_a_late_reply_had_already_stopped_the_clock() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.reply(moment("mon 11:30"))
    assert "breach-withdrawn" in kinds(case.reply(moment("mon 10:40")))
    assert case.clock().status is ClockStatus.MET


def test_rule_24_an_automatic_answer_or_bounce_never_reopens() -> None:
    for automation in (Automation.AUTOMATIC_ANSWER, Automation.BOUNCE):
        for status in (Status.PENDING, Status.ON_HOLD, Status.SOLVED, Status.CLOSED):
            case = Case()
            case.receive(moment("mon 10:00"))
            case.set_status(status, moment("mon 10:20"))
            assert kinds(case.receive(moment("mon 10:29"), 2, automation=automation)) == ["message-added"]
            assert case.status is status


def test_rule_24_an_automatic_answer_or_bounce_never_starts_a_clock() -> None:
    for automation in (Automation.AUTOMATIC_ANSWER, Automation.BOUNCE):
        case = Case()
        case.receive(moment("mon 10:00"), automation=automation)
        (opened,) = case.facts
        assert isinstance(opened, TicketOpened)
        assert opened.clocks == ()
        assert "automatic" in opened.no_clock_reason
        case.receive(moment("mon 12:00"), 2)
        assert case.clock().started_at == moment("mon 12:00")


def test_rule_24_list_and_generated_mail_opens_tickets_with_clocks() -> None:
    for automation in (Automation.BULK, Automation.GENERATED):
        case = Case()
        case.receive(moment("mon 10:00"), automation=automation)
        assert case.clock().due_at == moment("mon 10:00") + timedelta(hours=1)


def test_a_reply_to_a_closed_ticket_is_refused() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.CLOSED, moment("mon 10:20"))
    assert isinstance(case.reply(moment("mon 10:30")), Rejected)
