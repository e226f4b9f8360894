"""Automation rules on facts: what sets them off, what they see, what they do, and that the timeline names them."""

from datetime import datetime
from typing import Any

import pytest

from tests.unit.sla_engine.case import AGENT, Case, kinds, moment
from tests.unit.sla_engine.rules import AGENT_WEI, LEAD, a_rule, a_wait, ruled, runs, with_rules
from ticket_contracts.automation import RuleRan
from ticket_contracts.tickets import ClockPaused, MessageAdded, TicketFact
from ticket_contracts.vocabulary import Automation, Channel, ClockStatus, Metric, Priority, Status

AT = moment("mon 10:00")
REFUND = 'message.words.mentions(["退款", "refund"])'


def opened(case: Case, at: datetime = AT, **message: Any) -> list[TicketFact]:
    facts = case.receive(at, **message)
    assert isinstance(facts, list)
    return facts


def ran(facts: list[TicketFact]) -> RuleRan:
    """Return the only run of a rule."""
    [found] = [fact for fact in facts if isinstance(fact, RuleRan)]
    return found


def test_a_matching_rule_acts_by_commands_of_its_own_in_the_same_decision() -> None:
    then = {"priority": Priority.URGENT, "add_tags": ("refund",), "assignee": "li.wei", "note": "查一下订单"}
    case = ruled(a_rule("refunds", "opened", "message-added", when=REFUND, then=then))
    facts = opened(case, text="我要退款")

    assert kinds(facts)[:2] == ["opened", "rule-ran"]
    assert {"priority-changed", "assigned", "tags-changed", "message-added"} <= set(kinds(facts))
    assert {fact.actor.id for fact in facts[1:] if "clock" not in fact.event_type} == {"automation:refunds"}
    summary = case.ticket.summary
    assert (summary.priority, summary.assignee, summary.tags) == (Priority.URGENT, "li.wei", ("refund",))
    assert case.clock(Metric.FIRST_RESPONSE).target_seconds == 1800


def test_the_run_names_rule_versions_cause_and_all_that_was_done() -> None:
    then = {"status": Status.PENDING, "add_tags": ("a",), "remove_tags": ("b",), "reply": "请稍等"}
    run = ran(opened(ruled(a_rule("greet", "opened", then=then))))

    assert (run.rule, run.rule_version, run.configuration_version, run.outcome) == ("greet", 1, 7, "ran")
    assert run.cause == f"{run.ticket_id}:1"
    assert run.done == ("status pending", "tags +a -b", "reply")


def test_clocks_that_a_rule_turns_cite_the_run_as_their_cause() -> None:
    case = ruled(a_rule("park", "opened", then={"status": Status.PENDING}))
    facts = opened(case)

    [paused] = [fact for fact in facts if isinstance(fact, ClockPaused)]
    assert paused.cause == f"{paused.ticket_id}:{ran(facts).version}"


def test_a_rule_that_matches_nothing_or_changes_nothing_leaves_no_fact() -> None:
    then = {"priority": Priority.NORMAL, "team": "service"}
    case = ruled(a_rule("refunds", "opened", when=REFUND, then={"note": "x"}), a_rule("as it is", "opened", then=then))

    assert kinds(opened(case)) == ["opened"]


def test_a_public_answer_of_a_rule_never_meets_the_first_response() -> None:
    case = ruled(a_rule("acknowledge", "opened", then={"reply": "We have your message. / 已收到"}))
    facts = opened(case)

    [answer] = [fact.message for fact in facts if isinstance(fact, MessageAdded)]
    assert (answer.public, answer.automation, answer.author.id) == (
        True,
        Automation.GENERATED,
        "automation:acknowledge",
    )
    assert case.clock(Metric.FIRST_RESPONSE).status is ClockStatus.RUNNING
    assert case.ticket.answered_at is None


@pytest.mark.parametrize("automation", [Automation.GENERATED, Automation.BULK])
def test_a_rule_does_not_answer_what_no_person_wrote(automation: Automation) -> None:
    run = ran(opened(ruled(a_rule("acknowledge", "opened", then={"reply": "已收到"})), automation=automation))

    assert run.done == ()
    assert run.refused == (f"reply: the message was not written by a person ({automation})",)


def test_what_is_refused_says_why_and_does_not_keep_the_next_effect_back() -> None:
    case = ruled(a_rule("late", "message-added", then={"status": Status.OPEN, "add_tags": ("late",)}))
    opened(case)
    case.set_status(Status.CLOSED, moment("mon 11:00"))
    facts = case.note(moment("mon 12:00"))
    assert isinstance(facts, list)

    assert ran(facts).refused == ("status open: a ticket that is closed cannot become open",)
    assert ran(facts).done == ("tags +late",)
    assert (case.status, case.ticket.summary.tags) == (Status.CLOSED, ("late",))


def test_rules_run_in_ascending_order_and_see_what_the_ones_before_have_done() -> None:
    first = a_rule("first", "opened", then={"add_tags": ("seen",)}, order=1)
    second = a_rule("second", "opened", when='"seen" in ticket.tags', then={"add_tags": ("twice",)}, order=2)
    case = ruled(second, first)

    assert runs(opened(case)) == [("first", "ran"), ("second", "ran")]


def test_after_a_rule_that_stops_no_later_rule_is_tried_on_the_same_fact() -> None:
    first = a_rule("first", "opened", then={"note": "x"}, order=1, stop=True)
    case = ruled(first, a_rule("second", "opened", "message-added", then={"add_tags": ("x",)}, order=2))

    assert runs(opened(case)) == [("first", "ran"), ("second", "ran")]  # by the note, which is another fact
    assert runs(opened(ruled(first, a_rule("second", "opened", then={"note": "y"}, order=2)))) == [("first", "ran")]


def test_a_rule_is_tried_only_on_its_channels() -> None:
    rule = a_rule("calls", "opened", then={"note": "x"}, channels=frozenset({Channel.PHONE}))

    assert runs(opened(ruled(rule))) == []
    assert runs(opened(ruled(rule), channel=Channel.PHONE)) == [("calls", "ran")]


def test_a_rule_reacts_to_a_breach_at_the_time_of_the_breach() -> None:
    then = {"priority": Priority.URGENT, "notify": [("team-leads",), ("assignee",), ("group", "duty")]}
    case = ruled(a_rule("late", "clock-breached", when='fact.metric == "first_response"', then=then))
    opened(case)
    facts = case.pass_time(moment("mon 11:30"))

    run = ran(facts)
    assert run.at == moment("mon 11:00")
    assert [(each.email, each.roles) for each in run.notified] == [
        (LEAD.email, ("team-lead", "group:duty")),
        ("duty@acme.example", ("group:duty",)),
    ]
    assert case.ticket.summary.priority is Priority.URGENT


def test_roles_are_resolved_when_the_rule_runs_and_nobody_is_said_to_be_nobody() -> None:
    rule = a_rule("hand over", "opened", then={"assignee": "li.wei", "notify": [("assignee",)]})
    assert ran(opened(ruled(rule))).notified == (AGENT_WEI.model_copy(update={"roles": ("assignee",)}),)

    alone = ran(opened(ruled(a_rule("tell", "opened", then={"notify": [("assignee",)]}))))
    assert (alone.notified, alone.refused) == ((), ("notify: nobody is meant at present",))


@pytest.mark.parametrize(
    "when",
    [
        'ticket.number == 1001 && ticket.status == "new" && ticket.priority == "normal" && ticket.team == "service"',
        "ticket.assignee == null && !ticket.answered && ticket.unanswered && size(ticket.breached) == 0",
        'ticket.channel == "email" && ticket.contact.value.endsWith("@customer.example") && ticket.brand == "acme"',
        "!has(ticket.fields.size) && !ticket.spam && !ticket.snoozed && size(ticket.tags) == 0",
        'fact.type == "opened" && fact.actor.kind == "customer" && fact.at == ticket.opened_at',
        'message.author.kind == "customer" && message.public && message.automation == "human"',
        'message.words.contains("pump") && message.subject.contains("Pump") == false && !has(message.call)',
        'message.text.matches("message [0-9]") && !message.has_attachments',
    ],
)
def test_a_condition_sees_ticket_fact_and_message(when: str) -> None:
    assert runs(opened(ruled(a_rule("see", "opened", when=when, then={"note": "x"})))) == [("see", "ran")]


@pytest.mark.parametrize(
    ("ask", "when"),
    [
        (lambda case, at: case.set_status(Status.OPEN, at), 'fact.type == "status-changed" && fact.previous == "new"'),
        (lambda case, at: case.set_priority(Priority.LOW, at), 'fact.previous == "normal" && !has(message.words)'),
        (lambda case, at: case.assign("experts", at), 'fact.previous_team == "service"'),
        (lambda case, at: case.note(at), "!message.public && message.author.id == \"li.wei\""),
    ],
)  # fmt: skip
def test_a_condition_sees_what_is_particular_to_a_fact(ask: Any, when: str) -> None:
    on = ("status-changed", "priority-changed", "assigned", "message-added")
    case = ruled(a_rule("see", *on, when=when, then={"add_tags": ("seen",)}))
    opened(case)
    ask(case, moment("mon 10:30"))

    assert case.ticket.summary.tags == ("seen",)


def test_a_condition_that_fails_is_told_once_and_fails_no_command() -> None:
    case = ruled(a_rule("broken", "message-added", when="message.call.answered", then={"note": "x"}))
    opened(case)
    case.note(moment("mon 10:10"))
    case.reply(moment("mon 10:20"))
    case.receive(moment("mon 10:30"), 2)

    assert runs(case.facts) == [("broken", "failed")]
    assert "a field that it names is absent" in ran(case.facts).reason
    assert [fact.message.author.id for fact in case.facts if isinstance(fact, MessageAdded)][1] == AGENT.id


def test_a_newer_version_of_a_failed_rule_may_fail_anew() -> None:
    case = ruled(a_rule("broken", "message-added", when="message.call.answered", then={"note": "x"}))
    opened(case)
    case.note(moment("mon 10:10"))
    case.policies = with_rules(
        a_rule("broken", "message-added", when="message.gone", then={"note": "x"}, version=2),
        a_wait("unrelated", Status.PENDING, hours=1, then={"note": "x"}),
    )
    case.note(moment("mon 10:20"))

    assert runs(case.facts) == [("broken", "failed"), ("broken", "failed")]


def test_a_command_that_changes_nothing_sets_no_rule_off() -> None:
    case = ruled(a_rule("any", "opened", "status-changed", "assigned", then={"note": "x"}))
    opened(case)
    before = case.ticket

    assert case.assign("service", moment("mon 10:10")) == []
    assert case.ticket == before
