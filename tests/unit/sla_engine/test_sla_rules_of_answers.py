"""Rules 10 to 15 of the SLA semantics: the next response and the regular update."""

from uuid import UUID

from tests.unit.sla_engine.case import Case, a_policy, always_open, kinds, moment, office, policies_of
from ticket_contracts.vocabulary import Automation, ClockStatus, Metric, Priority, Status

HOUR = 3600
SOMEBODY_ELSE = UUID("01900000-0000-7000-8000-0000000000dd")


def answering(**changes: object) -> Case:
    """A ticket whose policy promises every metric, on a calendar from nine to five."""
    targets = {
        Metric.FIRST_RESPONSE: {Priority.NORMAL: HOUR},
        Metric.NEXT_RESPONSE: {Priority.NORMAL: 2 * HOUR},
        Metric.UPDATE: {Priority.NORMAL: 4 * HOUR},
        Metric.RESOLUTION: {Priority.NORMAL: 16 * HOUR},
    }
    return Case(policies_of(a_policy(targets=targets, **changes)))


def answered() -> Case:
    """The same, its customer's first message answered at ten past ten on Monday."""
    case = answering()
    case.receive(moment("mon 10:00"))
    case.reply(moment("mon 10:10"))
    return case


def cycles(case: Case, metric: Metric) -> list[ClockStatus]:
    return [clock.status for clock in case.ticket.of_metric(metric)]


def test_rule_10_three_customer_messages_before_a_reply_are_one_clock_from_the_oldest_unanswered() -> None:
    case = answered()
    for number, at in enumerate(("mon 11:00", "mon 11:20", "mon 11:40"), start=2):
        case.receive(moment(at), number)
    clock = case.clock(Metric.NEXT_RESPONSE)
    assert cycles(case, Metric.NEXT_RESPONSE) == [ClockStatus.RUNNING]
    assert (clock.started_at, clock.due_at) == (moment("mon 11:00"), moment("mon 13:00"))


def test_rule_10_a_message_from_before_the_reply_that_arrives_after_it_is_answered_already() -> None:
    case = answered()
    case.receive(moment("mon 10:05"), 2)
    assert cycles(case, Metric.NEXT_RESPONSE) == []


def test_rule_11_any_customer_side_participant_starts_it() -> None:
    case = answered()
    case.receive(moment("mon 11:00"), 2, contact_id=SOMEBODY_ELSE)
    assert cycles(case, Metric.NEXT_RESPONSE) == [ClockStatus.RUNNING]


def test_rule_12_it_does_not_exist_before_the_first_response_was_made() -> None:
    case = answering()
    case.receive(moment("mon 10:00"))
    case.receive(moment("mon 10:20"), 2)
    assert cycles(case, Metric.NEXT_RESPONSE) == []
    case.reply(moment("mon 10:30"))
    assert cycles(case, Metric.NEXT_RESPONSE) == []
    case.receive(moment("mon 10:40"), 3)
    assert cycles(case, Metric.NEXT_RESPONSE) == [ClockStatus.RUNNING]


def test_rule_13_a_reply_clears_it_and_the_next_message_is_another_cycle() -> None:
    case = answered()
    case.receive(moment("mon 11:00"), 2)
    assert "clock-met" in kinds(case.reply(moment("mon 11:30")))
    case.receive(moment("mon 12:00"), 3)
    assert cycles(case, Metric.NEXT_RESPONSE) == [ClockStatus.MET, ClockStatus.RUNNING]
    assert case.clock(Metric.NEXT_RESPONSE, 2).started_at == moment("mon 12:00")


def test_rule_13_a_private_note_does_not_clear_it() -> None:
    case = answered()
    case.receive(moment("mon 11:00"), 2)
    case.note(moment("mon 11:10"))
    assert cycles(case, Metric.NEXT_RESPONSE) == [ClockStatus.RUNNING]


def test_rule_13_solving_stops_it() -> None:
    case = answered()
    case.receive(moment("mon 11:00"), 2)
    case.set_status(Status.SOLVED, moment("mon 11:30"))
    assert cycles(case, Metric.NEXT_RESPONSE) == [ClockStatus.MET]
    assert case.pass_time(moment("fri 12:00")) == []


def test_rule_13_a_message_that_reopens_what_was_solved_without_a_word_waits_for_the_next_response() -> None:
    case = answering()
    case.receive(moment("mon 10:00"))
    case.set_status(Status.SOLVED, moment("mon 10:30"))
    case.receive(moment("mon 11:00"), 2)
    assert cycles(case, Metric.FIRST_RESPONSE) == [ClockStatus.MET]
    assert case.clock(Metric.NEXT_RESPONSE).started_at == moment("mon 11:00")


def test_rule_14_one_breach_per_unanswered_message_never_one_per_check() -> None:
    case = answered()
    case.receive(moment("mon 11:00"), 2)
    for at in ("mon 13:00", "mon 14:00", "tue 12:00"):
        case.pass_time(moment(at))
    breaches = [fact for fact in case.facts if kinds([fact]) == ["clock-breached"]]
    assert [fact.at for fact in breaches if fact.clock.metric is Metric.NEXT_RESPONSE] == [moment("mon 13:00")]  # type: ignore[attr-defined]


def test_rule_15_update_starts_with_the_ticket_and_restarts_at_every_public_agent_message() -> None:
    case = answering()
    case.receive(moment("mon 10:00"))
    assert case.clock(Metric.UPDATE).due_at == moment("mon 14:00")
    case.reply(moment("mon 11:00"))
    case.reply(moment("mon 12:00"))
    assert cycles(case, Metric.UPDATE) == [ClockStatus.MET, ClockStatus.MET, ClockStatus.RUNNING]
    assert case.clock(Metric.UPDATE, 3).due_at == moment("mon 16:00")


def test_rule_15_neither_a_note_nor_a_machine_s_message_is_an_update() -> None:
    case = answering()
    case.receive(moment("mon 10:00"))
    case.note(moment("mon 11:00"))
    case.reply(moment("mon 11:10"), author="machine")
    assert cycles(case, Metric.UPDATE) == [ClockStatus.RUNNING]


def test_rule_15_update_is_paused_with_the_ticket() -> None:
    case = answered()
    case.set_status(Status.PENDING, moment("mon 11:10"))
    assert case.clock(Metric.UPDATE, 2).status is ClockStatus.PAUSED
    case.set_status(Status.OPEN, moment("mon 12:10"))
    assert case.clock(Metric.UPDATE, 2).due_at == moment("mon 15:10")


def test_rule_15_an_answer_while_the_ticket_is_pending_promises_an_update_that_waits_with_it() -> None:
    case = answered()
    case.set_status(Status.PENDING, moment("mon 11:00"))
    case.reply(moment("mon 11:30"))
    assert cycles(case, Metric.UPDATE) == [ClockStatus.MET, ClockStatus.MET, ClockStatus.PAUSED]


def test_rule_15_no_update_is_promised_of_a_solved_ticket_and_one_again_when_it_is_reopened() -> None:
    case = answered()
    case.set_status(Status.SOLVED, moment("mon 11:00"))
    case.reply(moment("mon 11:30"))
    assert cycles(case, Metric.UPDATE) == [ClockStatus.MET, ClockStatus.MET]
    case.set_status(Status.OPEN, moment("mon 12:00"))
    assert case.clock(Metric.UPDATE, 3).due_at == moment("mon 16:00")


def test_rule_24_an_automatic_answer_starts_no_next_response() -> None:
    case = answered()
    case.receive(moment("mon 11:00"), 2, automation=Automation.AUTOMATIC_ANSWER)
    assert cycles(case, Metric.NEXT_RESPONSE) == []


def test_rule_18_a_policy_may_let_replies_pause_too() -> None:
    case = answering(pauses=frozenset({Metric.NEXT_RESPONSE}))
    case.receive(moment("mon 10:00"))
    case.reply(moment("mon 10:10"))
    case.receive(moment("mon 11:00"), 2)
    case.set_status(Status.ON_HOLD, moment("mon 12:00"))
    assert case.clock(Metric.NEXT_RESPONSE).status is ClockStatus.PAUSED
    assert case.clock(Metric.UPDATE, 2).status is ClockStatus.RUNNING
    case.set_status(Status.OPEN, moment("mon 14:00"))
    assert case.clock(Metric.NEXT_RESPONSE).due_at == moment("mon 15:00")


def test_rule_3_a_call_that_counts_as_a_reply_is_not_waited_for_again_by_the_next_message() -> None:
    policy = a_policy(
        call_counts_as_reply=True,
        calendar="always",
        targets={
            Metric.FIRST_RESPONSE: {Priority.NORMAL: HOUR},
            Metric.NEXT_RESPONSE: {Priority.NORMAL: HOUR},
        },
    )
    case = Case(policies_of(policy, calendars=(office(), always_open())))
    case.receive(moment("mon 10:00"))
    call = {
        "call_id": "c1",
        "direction": "outbound",
        "answered": True,
        "caller": "+4930123",
        "callee": "+4930456",
        "started_at": moment("mon 10:20"),
        "seconds": 60,
    }
    case.receive(moment("mon 10:20"), 2, call=call)
    case.receive(moment("mon 10:50"), 3)
    assert case.clock(Metric.NEXT_RESPONSE).started_at == moment("mon 10:50")
