"""Automation rules on time: once per stay in a status, at the time that event time demands."""

from dataclasses import replace
from datetime import timedelta

from tests.unit.sla_engine.case import Case, a_policy, kinds, moment, office, policies_of
from tests.unit.sla_engine.rules import a_rule, a_wait, ruled, runs, with_rules
from ticket_contracts.automation import RuleRan, WaitingBegun
from ticket_contracts.exchanges import FinishMerge, Merge, UndoMerge
from ticket_contracts.tickets import MessageAdded, SuccessorNamed
from ticket_contracts.vocabulary import Channel, Status

REMIND = a_wait("remind", Status.PENDING, days=3, then={"reply": "还在等您的回复 / Still waiting"}, order=1)
CLOSE = a_wait("close", Status.PENDING, days=5, then={"status": Status.CLOSED}, order=2)


def pending(*rules: object, at: str = "mon 12:00") -> Case:
    """Return a ticket of Monday morning that waits for its customer since `at`."""
    case = ruled(*(rules or (REMIND, CLOSE)))  # type: ignore[arg-type]
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment(at))
    return case


def run_times(case: Case) -> list[tuple[str, object]]:
    return [(fact.rule, fact.at) for fact in case.facts if isinstance(fact, RuleRan) and fact.outcome == "ran"]


def test_pending_for_three_business_days_reminds_and_after_five_closes() -> None:
    case = pending()
    case.pass_time(moment("fri 12:00", week=3))

    assert run_times(case) == [("remind", moment("thu 12:00")), ("close", moment("mon 12:00", week=1))]
    assert case.status is Status.CLOSED
    reminder = [fact.message for fact in case.facts if isinstance(fact, MessageAdded)][-1]
    assert (reminder.public, reminder.author.id, reminder.at) == (True, "automation:remind", moment("thu 12:00"))


def test_what_waits_is_a_fact_of_its_own_and_the_next_transition_of_the_ticket() -> None:
    case = pending(CLOSE)

    [waiting] = [fact for fact in case.facts if isinstance(fact, WaitingBegun)]
    assert waiting.since == moment("mon 12:00")
    due = case.ticket.next_transition()
    assert due is not None
    assert due.at == waiting.waits[0].at == moment("mon 12:00", week=1)


def test_a_change_of_status_in_between_cancels_and_the_next_stay_counts_from_its_own_beginning() -> None:
    case = pending()
    case.receive(moment("wed 10:00"), 2)  # the customer writes: open
    case.set_status(Status.PENDING, moment("wed 12:00"))
    case.pass_time(moment("fri 17:00"))
    assert run_times(case) == []

    case.pass_time(moment("mon 17:00", week=1))
    assert run_times(case) == [("remind", moment("mon 12:00", week=1))]


def test_each_rule_runs_once_a_stay_whatever_is_written_meanwhile() -> None:
    case = pending(REMIND)
    case.pass_time(moment("thu 13:00"))
    case.note(moment("thu 14:00"))
    case.reply(moment("thu 15:00"))
    case.pass_time(moment("fri 17:00", week=5))

    assert run_times(case) == [("remind", moment("thu 12:00"))]


def test_another_name_of_the_same_status_neither_ends_the_stay_nor_begins_one() -> None:
    named = with_rules(REMIND)
    named = replace(named, workflow=replace(named.workflow, statuses={"waiting-for-photo": Status.PENDING}))
    case = Case(named)
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.set_status(Status.PENDING, moment("wed 12:00"), status_name="waiting-for-photo")
    case.pass_time(moment("fri 17:00"))

    assert run_times(case) == [("remind", moment("thu 12:00"))]


def test_after_an_outage_a_late_command_finds_done_what_was_due_before_it() -> None:
    case = pending()
    facts = case.receive(moment("tue 10:00", week=1), 2)  # no timer has fired since Monday a week ago

    assert run_times(case) == [("remind", moment("thu 12:00")), ("close", moment("mon 12:00", week=1))]
    assert isinstance(facts, list)
    assert isinstance(facts[-1], SuccessorNamed)  # the ticket was closed when the customer wrote


def test_a_message_dated_before_the_due_time_prevents_what_no_timer_had_done_yet() -> None:
    case = pending()
    case.receive(moment("thu 11:59"), 2)
    case.pass_time(moment("fri 17:00", week=2))

    assert run_times(case) == []


def test_a_condition_that_does_not_hold_when_the_time_comes_passes_over_this_stay() -> None:
    urgent_only = a_wait("remind", Status.PENDING, days=3, when='ticket.priority == "urgent"', then={"note": "x"})
    calls_only = a_wait("calls", Status.PENDING, days=3, channels=frozenset({Channel.PHONE}), then={"note": "x"})
    case = pending(urgent_only, calls_only)
    case.pass_time(moment("fri 17:00", week=1))

    assert runs(case.facts) == [("calls", "passed-over"), ("remind", "passed-over")]
    assert case.ticket.automation is None


def test_a_condition_that_fails_when_the_time_comes_ends_the_wait_of_every_stay() -> None:
    case = pending(a_wait("broken", Status.PENDING, days=1, when="ticket.gone == 1", then={"note": "x"}))
    case.pass_time(moment("wed 12:00"))
    case.set_status(Status.OPEN, moment("wed 13:00"))
    case.set_status(Status.PENDING, moment("wed 14:00"))
    case.pass_time(moment("fri 17:00"))

    assert runs(case.facts) == [("broken", "failed"), ("broken", "failed")]


def test_an_edited_calendar_moves_the_time_when_it_comes() -> None:
    case = pending(CLOSE)
    holiday = office(closed=frozenset({moment("fri 00:00").date()}))
    assert CLOSE.after is not None
    case.policies = with_rules(replace(CLOSE, after=replace(CLOSE.after, calendar=holiday)))
    case.pass_time(moment("fri 17:00", week=2))

    assert run_times(case) == [("close", moment("tue 12:00", week=1))]


def test_a_rule_that_is_gone_when_its_time_comes_does_nothing_and_the_others_go_on() -> None:
    case = pending()
    case.policies = with_rules(CLOSE)
    case.pass_time(moment("fri 17:00", week=2))
    assert run_times(case) == [("close", moment("mon 12:00", week=1))]

    alone = pending()
    alone.policies = with_rules()
    alone.pass_time(moment("fri 17:00", week=2))
    assert run_times(alone) == []
    assert alone.ticket.next_transition() is None


def test_a_new_ticket_that_nobody_looks_at_is_waited_for_too() -> None:
    case = ruled(a_wait("forgotten", Status.NEW, hours=4, then={"notify": [("team-leads",)], "add_tags": ("old",)}))
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 14:00"))

    assert run_times(case) == [("forgotten", moment("mon 14:00"))]
    assert case.ticket.summary.tags == ("old",)


def test_an_undone_merge_begins_the_stay_of_the_status_that_comes_back() -> None:
    case = pending(REMIND)
    other, asked = case.ticket.ticket_id, {"ticket_id": case.ticket.ticket_id, "actor": REMIND.actor}
    target = other.__class__(int=other.int + 1)
    case.ask(Merge(**asked, target_id=target), moment("tue 10:00"), "merge")
    case.ask(FinishMerge(**asked, merge_id="merge", target_id=target), moment("tue 10:01"))
    case.pass_time(moment("wed 09:00"))
    case.ask(UndoMerge(**asked), moment("wed 09:30"))
    case.pass_time(moment("fri 17:00", week=1))

    assert run_times(case) == [("remind", moment("mon 09:30", week=1))]


def test_rules_on_facts_follow_what_rules_on_time_do() -> None:
    case = pending(CLOSE, a_rule("farewell", "status-changed", when='ticket.status == "closed"', then={"note": "再见"}))
    facts = case.pass_time(moment("fri 17:00", week=1))

    assert runs(facts) == [("close", "ran"), ("farewell", "ran")]
    assert {fact.at for fact in facts if isinstance(fact, RuleRan)} == {moment("mon 12:00", week=1)}


def test_two_waits_of_no_length_that_set_each_other_off_come_to_rest() -> None:
    there = a_wait("there", Status.PENDING, hours=0, then={"status": Status.OPEN})
    back = a_wait("back", Status.OPEN, hours=0, then={"status": Status.PENDING})
    case = Case(with_rules(there, back, policies=policies_of(a_policy(targets={}))))
    case.receive(moment("mon 10:00"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.pass_time(moment("mon 13:00"))

    assert len(run_times(case)) == 40
    assert runs(case.facts)[-1][1] == "stopped"
    assert case.ticket.next_transition() is None
    assert "waiting-begun" not in kinds(case.pass_time(moment("mon 13:00") + timedelta(days=9)))
