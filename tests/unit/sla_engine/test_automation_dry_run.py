"""What rules would have done: the real facts once more, with rules that were not in force."""

from datetime import datetime, timedelta

import pytest

from sla_engine.commands.automation import Report, RuleReport, show_report
from sla_engine.domain.automation_rehearsal import rehearse
from sla_engine.domain.automation_rules import Rule
from tests.unit.sla_engine.case import Case, moment
from tests.unit.sla_engine.rules import a_rule, a_wait, ruled, runs, with_rules
from ticket_contracts.automation import RuleRan
from ticket_contracts.vocabulary import Priority, Status

LONG_AGO = moment("mon 00:00") - timedelta(days=30)
LATER = moment("fri 17:00", week=3)
ASKED = 'message.author.kind == "customer"'


def a_life() -> Case:
    """A ticket that was answered on Monday, waited from Monday noon for its customer, and heard from her on Friday."""
    case = Case()
    case.receive(moment("mon 10:00"), text="我要退款")
    case.reply(moment("mon 11:00"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.receive(moment("fri 10:00"), 2, text="Any news?")
    case.pass_time(moment("fri 16:00"))
    return case


def would(case: Case, *rules: Rule, since: datetime = LONG_AGO, until: datetime = LATER) -> list[RuleRan]:
    return rehearse(case.facts, with_rules(*rules), since, until)


def test_rules_react_to_what_people_really_did() -> None:
    refund = a_rule("refund", "opened", "message-added", when='message.words.mentions(["退款"])', then={"note": "x"})
    [run] = would(a_life(), refund)

    assert (run.at, run.done, run.ticket.number) == (moment("mon 10:00"), ("note",), 1001)


def test_a_rule_on_time_runs_in_a_wait_that_the_customer_ended_later() -> None:
    remind = a_wait("remind", Status.PENDING, days=3, then={"reply": "x"})
    close = a_wait("close", Status.PENDING, days=5, then={"status": Status.CLOSED})

    assert [(run.rule, run.at) for run in would(a_life(), remind, close)] == [("remind", moment("thu 12:00"))]


def test_what_a_rule_would_have_changed_stays_until_people_change_the_same() -> None:
    tag = a_rule("tag", "message-added", when=f'{ASKED} && !("asked" in ticket.tags)', then={"add_tags": ("asked",)})
    raise_ = a_rule("raise", "opened", then={"priority": Priority.URGENT}, order=20)
    case = a_life()
    case.receive(moment("fri 16:10"), 3)
    assert [run.at for run in would(case, tag, raise_)] == [moment("mon 10:00"), moment("fri 10:00")]

    case.set_priority(Priority.LOW, moment("fri 16:30"))
    again = a_rule("again", "priority-changed", when='ticket.priority == "low"', then={"note": "x"})
    assert runs(list(would(case, raise_, again)))[-1] == ("again", "ran")


def test_only_the_days_asked_for_count_and_a_stay_that_began_before_them_does() -> None:
    note = a_rule("note", "message-added", when=ASKED, then={"note": "x"})
    remind = a_wait("remind", Status.PENDING, days=3, then={"reply": "x"})
    early = a_wait("early", Status.PENDING, days=1, then={"reply": "x"})

    found = would(a_life(), note, remind, early, since=moment("wed 00:00"))
    assert runs(list(found)) == [("remind", "ran"), ("note", "ran")]


def test_what_rules_really_did_is_left_out() -> None:
    case = ruled(a_rule("old", "opened", then={"add_tags": ("old",), "note": "by a rule"}))
    case.receive(moment("mon 10:00"))
    seen = a_rule("seen", "message-added", "tags-changed", then={"note": "x"})

    assert would(case, seen) == []


def test_the_guards_hold_back_in_a_dry_run_what_they_hold_back_in_life() -> None:
    ping = a_rule("ping", "opened", "message-added", when='message.text != "ping"', then={"note": "ping"})
    pong = a_rule("pong", "message-added", when='message.text == "ping"', then={"note": "pong"})
    broken = a_rule("broken", "opened", when="ticket.gone == 1", then={"note": "x"})

    outcomes = [outcome for _, outcome in runs(list(would(a_life(), ping, pong, broken)))]
    assert (outcomes.count("looped"), outcomes.count("failed")) == (1, 1)


def test_a_clock_that_a_rule_would_have_ended_does_not_breach_there() -> None:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 12:00"))
    tell = a_rule("tell", "clock-breached", then={"note": "late"})
    solve = a_rule("solve", "opened", then={"status": Status.SOLVED})

    assert runs(list(would(case, tell))) == [("tell", "ran")]
    assert runs(list(would(case, tell, solve))) == [("solve", "ran")]


def test_a_dry_run_of_the_rules_in_force_is_what_happened() -> None:
    rules = (
        a_rule("tag", "message-added", when=ASKED, then={"add_tags": ("asked",)}),
        a_rule("late", "clock-breached", then={"note": "late"}),
        a_wait("remind", Status.PENDING, days=3, then={"reply": "x"}),
    )
    case = ruled(*rules)
    case.receive(moment("mon 10:00"))
    case.pass_time(moment("mon 11:30"))
    case.set_status(Status.PENDING, moment("mon 12:00"))
    case.pass_time(moment("thu 16:00"))
    case.receive(moment("fri 10:00"), 2)

    lived = [(fact.rule, fact.at, fact.done) for fact in case.facts if isinstance(fact, RuleRan)]
    assert len(lived) == 3
    assert [(run.rule, run.at, run.done) for run in would(case, *rules)] == lived


def test_the_report_names_ten_tickets_and_counts_all_with_what_was_done_and_what_guards_held_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = a_life()
    runs_of_one = would(case, a_rule("退款", "opened", then={"note": "x", "notify": [("assignee",)]}))
    broken = would(case, a_rule("broken", "opened", when="ticket.gone == 1", then={"note": "x"}))
    report = Report({"退款": RuleReport(), "broken": RuleReport(), "never": RuleReport()})
    for _ in range(12):
        report.add([*runs_of_one, *broken])
    show_report(report, 7)

    told = " ".join(capsys.readouterr().out.split())
    assert "12 tickets, the last 7 days" in told
    assert "退款: 12 times on 12 tickets: #1001" in told
    assert "… and 2 more" in told
    assert "would have done: 12 × note" in told
    assert "would have been refused: 12 × notify: nobody is meant at present" in told
    assert "would have been held back: 12 × failed" in told
    assert "never: 0 times on 0 tickets" in told
