"""Rules 42 to 46 of the SLA semantics: warnings, breaches, timers, and the cause of every transition."""

from datetime import datetime, timedelta

from tests.unit.sla_engine.case import Case, a_policy, kinds, moment, policies_of
from ticket_contracts.tickets import ClockFact, ClockWarned
from ticket_contracts.vocabulary import ClockStatus, Metric, Priority, Status

HOUR = {Metric.FIRST_RESPONSE: {Priority.NORMAL: 3600, Priority.URGENT: 600}}


def a_case_of_one_hour() -> Case:
    case = Case(policies_of(a_policy(targets=HOUR)))
    case.receive(moment("mon 10:00"))
    return case


def _warnings(case: Case) -> list[tuple[int, datetime]]:
    return [(fact.clock.warned_percent, fact.at) for fact in case.facts if isinstance(fact, ClockWarned)]


def test_rule_42_warnings_come_at_50_75_and_90_percent_and_at_breach_each_once() -> None:
    case = a_case_of_one_hour()
    for passed in range(121):
        case.pass_time(moment("mon 10:00") + timedelta(minutes=passed))
    given = case.facts[1:]
    assert list(zip([fact.at for fact in given], kinds(given), strict=True)) == [
        (moment("mon 10:30"), "clock-warned"),
        (moment("mon 10:45"), "clock-warned"),
        (moment("mon 10:54"), "clock-warned"),
        (moment("mon 11:00"), "clock-breached"),
    ]


def test_rule_42_thresholds_are_shares_of_business_time() -> None:
    case = Case(policies_of(a_policy(targets=HOUR)))
    case.receive(moment("fri 16:30"))
    assert [fact.at for fact in case.pass_time(moment("mon 09:30", week=1))] == [
        moment("fri 17:00"),
        moment("mon 09:15", week=1),
        moment("mon 09:24", week=1),
        moment("mon 09:30", week=1),
    ]


def test_rule_42_of_thresholds_already_past_when_a_clock_starts_only_the_highest_passed_is_given() -> None:
    case = Case(policies_of(a_policy(targets=HOUR)))
    case.receive(moment("mon 10:00"), priority=None)
    case.set_priority(Priority.NORMAL, moment("mon 10:50"))
    warned = [fact.clock.warned_percent for fact in case.facts if isinstance(fact, ClockWarned)]
    assert warned == [75]
    assert case.clock().next_warning_at == moment("mon 10:54")


def test_rule_42_of_thresholds_past_while_a_message_was_on_its_way_only_the_highest_is_given_and_the_breach() -> None:
    case = Case(policies_of(a_policy(targets=HOUR)))
    case.receive(moment("mon 10:50"), sent_at=moment("mon 10:00"), time_trusted=True)
    assert _warnings(case) == []
    case.pass_time(moment("mon 10:53"))
    assert _warnings(case) == [(75, moment("mon 10:45"))]
    late = Case(policies_of(a_policy(targets=HOUR)))
    late.receive(moment("mon 12:00"), sent_at=moment("mon 10:00"), time_trusted=True)
    assert kinds(late.pass_time(moment("mon 12:00"))) == ["clock-warned", "clock-breached"]
    assert _warnings(late) == [(90, moment("mon 10:54"))]
    assert late.clock().breached_at == moment("mon 11:00")


def test_rule_42_a_threshold_given_before_a_pause_is_not_given_again_after_it() -> None:
    case = Case(policies_of(a_policy(targets={Metric.RESOLUTION: {Priority.NORMAL: 3600}})))
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment("mon 10:40"))
    case.set_status(Status.OPEN, moment("mon 12:00"))
    case.pass_time(moment("mon 13:00"))
    assert _warnings(case) == [(50, moment("mon 10:30")), (75, moment("mon 12:05")), (90, moment("mon 12:14"))]


def test_rule_43_an_alert_is_dated_at_its_time_and_known_beforehand_so_that_its_own_timer_can_fire_it() -> None:
    case = a_case_of_one_hour()
    fired = []
    while (due := case.ticket.next_transition()) is not None:
        assert case.pass_time(due.at - timedelta(microseconds=1)) == []
        fired += [(fact.at == due.at) for fact in case.pass_time(due.at)]
    assert fired == [True] * 4


def test_rule_44_no_alert_for_a_clock_met_paused_or_cancelled_at_its_due_time_even_after_an_outage() -> None:
    met = a_case_of_one_hour()
    met.reply(moment("mon 10:29"))
    assert met.pass_time(moment("fri 12:00")) == []
    paused = Case(policies_of(a_policy(targets={Metric.RESOLUTION: {Priority.NORMAL: 3600}})))
    paused.receive(moment("mon 10:00"))
    paused.set_status(Status.PENDING, moment("mon 10:29"))
    assert paused.pass_time(moment("fri 12:00")) == []
    cancelled = Case(policies_of(a_policy(targets={Metric.FIRST_RESPONSE: {Priority.NORMAL: 3600}})))
    cancelled.receive(moment("mon 10:00"))
    cancelled.set_priority(Priority.LOW, moment("mon 10:29"))
    assert cancelled.clock().status is ClockStatus.CANCELLED
    assert cancelled.pass_time(moment("fri 12:00")) == []


def test_rule_44_a_pause_dated_before_due_that_arrives_after_the_breach_withdraws_it() -> None:
    case = Case(policies_of(a_policy(targets={Metric.RESOLUTION: {Priority.NORMAL: 3600}})))
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 11:00"))
    facts = case.set_status(Status.PENDING, moment("mon 10:59"))
    assert kinds(facts) == ["status-changed", "breach-withdrawn", "clock-paused"]
    assert (case.resolution.status, case.resolution.breached_at) == (ClockStatus.PAUSED, None)
    case.set_status(Status.OPEN, moment("mon 12:00"))
    assert case.resolution.due_at == moment("mon 12:01")


def test_rule_44_after_an_outage_exactly_those_alerts_are_given_that_event_time_demands() -> None:
    punctual, late = a_case_of_one_hour(), a_case_of_one_hour()
    for minute in range(50):  # timers fire each minute, then the reply comes
        punctual.pass_time(moment("mon 10:00") + timedelta(minutes=minute))
    for case in (punctual, late):  # the other engine was down until the reply was read from the log
        case.reply(moment("mon 10:50"))
        case.pass_time(moment("tue 10:00"))
    assert kinds(late.facts) == kinds(punctual.facts)
    assert late.facts == punctual.facts
    assert kinds(late.facts).count("clock-warned") == 2
    assert "clock-breached" not in kinds(late.facts)


def test_rule_46_every_transition_of_a_clock_cites_the_event_that_caused_it() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 11:00"))
    case.reply(moment("mon 11:30"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.set_status(Status.OPEN, moment("mon 13:00"))
    case.set_status(Status.SOLVED, moment("mon 14:00"))
    for fact in case.facts:
        if isinstance(fact, ClockFact):
            assert fact.cause in fact.clock.causes.values()
    assert case.clock().causes == {
        "started": "message-1",
        "warned": f"timer:{case.ticket.ticket_id}:2026-01-05T10:54:00+00:00",
        "breached": f"timer:{case.ticket.ticket_id}:2026-01-05T11:00:00+00:00",
        "stopped": "command-1",
    }
    assert case.resolution.causes == {
        "started": "message-1",
        "paused": "command-2",
        "resumed": "command-3",
        "met": "command-4",
    }
