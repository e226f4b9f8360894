"""What agents do beside answering: tags, fields, grades, snoozing, watching, spam, finer statuses."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from sla_engine.domain.request import Rejected
from sla_engine.domain.summary_size import MOST_SUMMARY_BYTES
from sla_engine.domain.workflow import FieldType, Flow, Workflow
from tests.unit.sla_engine.case import AGENT, TICKET_ID, Case, a_policy, kinds, moment, policies_of
from ticket_contracts.actions import ChangeTags, ChangeWatchers, Classify, MarkSpam, SetFields, Snooze
from ticket_contracts.commands import Command, SetStatus
from ticket_contracts.vocabulary import ClockStatus, Grade, Metric, Priority, Status

WORKFLOW = Workflow(
    statuses={"waiting-for-parts": Status.ON_HOLD, "waiting-for-approval": Status.ON_HOLD},
    fields={
        "serial": FieldType("text"),
        "hours": FieldType("number"),
        "paid": FieldType("boolean"),
        "bought": FieldType("date"),
        "warranty": FieldType("choice", ("valid", "expired")),
    },
    resolution_codes=frozenset({"repaired"}),
    causes=frozenset({"wear"}),
    priorities={(Grade.HIGH, Grade.HIGH): Priority.URGENT, (Grade.LOW, Grade.HIGH): Priority.NORMAL},
)


def opened(workflow: Workflow = WORKFLOW) -> Case:
    case = Case(replace(policies_of(a_policy()), workflow=workflow))
    case.receive(moment("mon 10:00"))
    return case


def asked(kind: type[Command], **content: Any) -> Command:
    return kind(ticket_id=TICKET_ID, actor=AGENT, **content)


def ask(case: Case, kind: type[Command], at: str = "mon 10:10", **content: Any) -> list[str]:
    return kinds(case.ask(asked(kind, **content), moment(at)))


def refusal(case: Case, kind: type[Command], **content: Any) -> str:
    answer = case.ask(asked(kind, **content), moment("mon 10:10"))
    assert isinstance(answer, Rejected)
    assert answer.outcome == "rejected"
    return answer.reason


def test_tags_are_added_and_removed_and_a_change_of_nothing_is_no_fact() -> None:
    case = opened()
    assert ask(case, ChangeTags, add=("pump", "leak")) == ["tags-changed"]
    assert ask(case, ChangeTags, add=("leak",), remove=("pump", "never there")) == ["tags-changed"]
    assert case.ticket.summary.tags == ("leak",)
    assert ask(case, ChangeTags, add=("leak",), remove=("pump",)) == []


def test_fields_hold_values_of_their_type_and_none_empties_one() -> None:
    case = opened()
    values = {"serial": "X-1", "hours": 1.5, "paid": True, "bought": "2026-01-31", "warranty": "valid"}
    assert ask(case, SetFields, fields=values) == ["fields-changed"]
    assert case.ticket.summary.fields == values
    ask(case, SetFields, fields={"serial": None})
    assert "serial" not in case.ticket.summary.fields


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"colour": "red"}, "fields.colour: there is no such field"),
        ({"serial": 7}, "fields.serial: 7 is not a text"),
        ({"hours": True}, "fields.hours: True is not a number"),
        ({"paid": "yes"}, "fields.paid"),
        ({"bought": "31.1.2026"}, "fields.bought"),
        ({"warranty": "perhaps"}, "fields.warranty: 'perhaps' is not one of valid, expired"),
    ],
)
def test_a_field_that_does_not_exist_or_does_not_fit_is_named_and_nothing_is_set(
    fields: dict[str, Any], named: str
) -> None:
    case = opened()
    assert named in refusal(case, SetFields, fields={"serial": "X-1", **fields})
    assert case.ticket.summary.fields == {}


def test_impact_and_urgency_make_the_priority_and_the_clocks_follow() -> None:
    case = opened()
    assert ask(case, Classify, impact=Grade.HIGH) == ["classified"]
    assert ask(case, Classify, urgency=Grade.HIGH)[:2] == ["classified", "priority-changed"]
    assert case.ticket.summary.priority is Priority.URGENT
    assert case.clock().due_at == moment("mon 10:30")
    assert ask(case, Classify, impact=Grade.HIGH) == []


def test_a_snoozed_ticket_wakes_by_time_and_its_clocks_have_gone_on() -> None:
    case = opened()
    assert ask(case, Snooze, until=moment("mon 10:40")) == ["snoozed"]
    assert kinds(case.pass_time(moment("mon 10:42"))) == ["clock-warned", "woke"]
    assert case.ticket.summary.snoozed_until is None
    assert case.pass_time(moment("mon 10:44")) == []


def test_a_customer_s_message_and_an_agent_wake_a_ticket_before_its_time() -> None:
    case = opened()
    ask(case, Snooze, until=moment("tue 10:00"))
    assert "woke" in kinds(case.receive(moment("mon 10:20"), 2))
    ask(case, Snooze, "mon 10:21", until=moment("tue 10:00"))
    assert ask(case, Snooze, "mon 10:22", until=None) == ["woke"]
    assert ask(case, Snooze, "mon 10:23", until=None) == []


def test_a_snooze_that_is_over_already_is_refused() -> None:
    assert refusal(opened(), Snooze, until=moment("mon 09:00")).startswith("until:")


@pytest.mark.parametrize(
    ("until", "named"),
    [
        ("2027-01-07T10:00:00+00:00", "until: it is more than 366 days away"),
        ("9999-12-31T23:59:59-14:00", "until: it is more than 366 days away"),  # no instant in UTC
        ("0001-01-01T00:00:00+14:00", "until: it is over already"),
    ],
)
def test_a_snooze_beyond_all_sense_is_refused_even_where_utc_has_no_such_time(until: str, named: str) -> None:
    assert named in refusal(opened(), Snooze, until=datetime.fromisoformat(until))


def test_tags_that_would_leave_no_room_for_messages_are_refused_and_taking_some_away_never_is() -> None:
    case = opened()
    many = tuple(f"{'标' * 90}{number}" for number in range(50))
    for more in ("", "+"):
        assert ask(case, ChangeTags, add=tuple(tag + more for tag in many)) == ["tags-changed"]
    before = case.ticket.summary
    assert refusal(case, ChangeTags, add=tuple(f"{tag}!" for tag in many)).startswith("add: ")
    assert case.ticket.summary == before
    case.stored = replace(case.ticket, summary=before.model_copy(update={"subject": "字" * MOST_SUMMARY_BYTES}))
    assert ask(case, ChangeTags, remove=many[:1]) == ["tags-changed"]


def test_fields_that_would_leave_no_room_for_messages_are_refused() -> None:
    fields = {f"note {number}": FieldType("text") for number in range(4)}
    case = opened(replace(WORKFLOW, fields=fields))
    assert "fields: " in refusal(case, SetFields, fields=dict.fromkeys(fields, "字" * 4000))


def test_watchers_come_and_go_once() -> None:
    case = opened()
    assert ask(case, ChangeWatchers, add=("anna", "li.wei", "anna")) == ["watchers-changed"]
    assert ask(case, ChangeWatchers, remove=("anna",)) == ["watchers-changed"]
    assert case.ticket.summary.watchers == ("li.wei",)
    assert ask(case, ChangeWatchers, add=("li.wei",)) == []


def test_rule_27_spam_loses_its_clocks_and_gets_them_back_when_it_turns_out_to_be_none() -> None:
    case = opened()
    assert ask(case, MarkSpam, spam=True) == ["spam-marked", "clock-cancelled", "clock-cancelled"]
    assert {clock.cancel_reason for clock in case.ticket.clocks} == {"spam"}
    assert case.pass_time(moment("tue 12:00")) == []
    assert ask(case, MarkSpam, "tue 13:00", spam=True) == []
    back = ask(case, MarkSpam, "tue 13:00", spam=False)
    assert back.count("clock-started") == 2
    assert case.clock(cycle=2).breached_at == moment("tue 13:00")  # late from now on, not from before


def test_rule_27_what_was_answered_while_it_passed_for_spam_waits_for_no_first_response() -> None:
    case = Case(policies_of(a_policy()))
    case.receive(moment("mon 10:00"), routing={"spam": True})
    case.reply(moment("mon 10:05"))
    assert ask(case, MarkSpam, spam=False) == ["spam-marked", "clock-started"]
    assert [clock.metric for clock in case.ticket.clocks] == [Metric.RESOLUTION]


def test_rule_27_a_breach_recorded_before_a_ticket_was_spam_stays() -> None:
    case = opened()
    case.pass_time(moment("mon 11:30"))
    ask(case, MarkSpam, "mon 12:00", spam=True)
    assert case.clock().status is ClockStatus.BREACHED
    assert case.clock().stopped_at == moment("mon 12:00")


def status(case: Case, wanted: Status, at: str = "mon 10:10", **content: Any) -> list[str]:
    return ask(case, SetStatus, at, status=wanted, **content)


def test_a_status_of_the_organisation_s_own_stands_beside_its_category() -> None:
    case = opened()
    assert "clock-paused" in status(case, Status.ON_HOLD, status_name="waiting-for-parts")
    assert case.ticket.summary.status_name == "waiting-for-parts"
    assert status(case, Status.ON_HOLD, "mon 10:20", status_name="waiting-for-approval") == ["status-changed"]
    assert case.clock(Metric.RESOLUTION).status is ClockStatus.PAUSED
    status(case, Status.OPEN, "mon 10:30")
    assert case.ticket.summary.status_name is None


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"status": Status.PENDING, "status_name": "waiting-for-parts"}, "status_name: there is no status"),
        (
            {"status": Status.SOLVED, "resolution_code": "magic"},
            "'magic' is not in the taxonomy; there are ",
        ),
        ({"status": Status.SOLVED, "cause": "fate"}, "cause: 'fate' is not in the taxonomy; there are wear"),
        ({"status": Status.OPEN, "cause": "wear"}, "go with the status solved"),
    ],
)
def test_words_that_the_configuration_does_not_know_are_refused(content: dict[str, Any], named: str) -> None:
    assert named in refusal(opened(), SetStatus, **content)


def test_how_a_ticket_was_solved_is_kept_when_it_is_closed_and_forgotten_when_it_is_reopened() -> None:
    case = opened()
    status(case, Status.SOLVED, resolution_code="repaired", cause="wear")
    status(case, Status.CLOSED, "mon 10:20")
    assert (case.ticket.summary.resolution_code, case.ticket.summary.cause) == ("repaired", "wear")
    other = opened()
    status(other, Status.SOLVED, resolution_code="repaired")
    status(other, Status.OPEN, "mon 10:20")
    assert other.ticket.summary.resolution_code is None


def test_a_code_and_a_cause_can_be_told_after_a_ticket_was_solved_and_move_no_clock() -> None:
    case = opened()
    status(case, Status.SOLVED)
    assert status(case, Status.SOLVED, "mon 10:20", resolution_code="repaired") == ["status-changed"]
    assert status(case, Status.SOLVED, "mon 10:30", cause="wear") == ["status-changed"]
    assert (case.ticket.summary.resolution_code, case.ticket.summary.cause) == ("repaired", "wear")
    assert status(case, Status.SOLVED, "mon 10:40", resolution_code="repaired", cause="wear") == []


def test_a_code_told_afterwards_needs_no_flow_but_must_be_in_the_taxonomy() -> None:
    case = opened(replace(WORKFLOW, flows=(FLOW,)))
    status(case, Status.OPEN)
    status(case, Status.SOLVED, "mon 10:20", resolution_code="repaired")
    assert "not in the taxonomy" in refusal(case, SetStatus, status=Status.SOLVED, resolution_code="magic")
    assert status(case, Status.SOLVED, "mon 10:30", cause="wear") == ["status-changed"]


def test_a_closed_ticket_gets_no_other_name() -> None:
    case = opened(replace(WORKFLOW, statuses={"archived": Status.CLOSED}))
    status(case, Status.CLOSED)
    assert "the ticket is closed" in refusal(case, SetStatus, status=Status.CLOSED, status_name="archived")


FLOW = Flow(
    "careful",
    frozenset({"service"}),
    {
        "new": frozenset({"open"}),
        "open": frozenset({"waiting-for-parts", "solved"}),
        "waiting-for-parts": frozenset({"open"}),
    },
    resolution_code_required=True,
)


def test_a_flow_narrows_which_status_may_follow_which() -> None:
    case = opened(replace(WORKFLOW, flows=(FLOW,)))
    assert "the flow careful of team service does not allow it" in refusal(case, SetStatus, status=Status.PENDING)
    status(case, Status.OPEN)
    assert "does not allow" in refusal(case, SetStatus, status=Status.ON_HOLD)
    status(case, Status.ON_HOLD, "mon 10:20", status_name="waiting-for-parts")
    status(case, Status.OPEN, "mon 10:30")
    assert "resolution_code: the flow careful asks for one" in refusal(case, SetStatus, status=Status.SOLVED)
    status(case, Status.SOLVED, "mon 10:40", resolution_code="repaired")


def test_another_team_s_flow_is_no_concern_of_ours_and_one_without_teams_is() -> None:
    others = replace(FLOW, teams=frozenset({"workshop"}))
    assert "status-changed" in status(opened(replace(WORKFLOW, flows=(others,))), Status.PENDING)
    everybody = replace(FLOW, teams=frozenset())
    assert "careful" in refusal(opened(replace(WORKFLOW, flows=(everybody,))), SetStatus, status=Status.PENDING)


def test_closing_without_solving_needs_the_code_too_unless_the_ticket_is_spam() -> None:
    flow = Flow("coded", frozenset(), {"new": frozenset({"open", "solved", "closed"})}, resolution_code_required=True)
    workflow = replace(WORKFLOW, flows=(flow,))
    case = opened(workflow)
    assert "before a ticket is solved or closed" in refusal(case, SetStatus, status=Status.CLOSED)
    status(case, Status.CLOSED, "mon 10:40", resolution_code="repaired")
    assert case.ticket.summary.resolution_code == "repaired"
    spam = opened(workflow)
    spam.ask(MarkSpam(ticket_id=TICKET_ID, actor=AGENT, spam=True), moment("mon 10:05"))
    assert "status-changed" in status(spam, Status.CLOSED)


def test_what_was_solved_before_the_flow_asked_for_a_code_can_be_closed() -> None:
    case = opened(WORKFLOW)
    status(case, Status.SOLVED)
    flow = Flow("coded", frozenset(), {"solved": frozenset({"closed"})}, resolution_code_required=True)
    case.policies = replace(case.policies, workflow=replace(WORKFLOW, flows=(flow,)))
    assert "status-changed" in status(case, Status.CLOSED, "mon 10:40")
