"""Rule 48: what-if gives the clocks of a life under the other policy. The oracle is that life, lived by the engine.

Mostly it is the quick replay that is held to it here; `test_sla_rule_49_replay` does the same with the one in full.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sla_engine.domain.acts import NO_ACTS, History, read_history
from sla_engine.domain.kept_promises import Results
from sla_engine.domain.policies import Policies
from sla_engine.domain.quick_what_if import replay, within_reach
from sla_engine.domain.rehearsal import Rehearsal
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.what_if import NoOpening, without_warnings
from sla_engine.domain.what_if import replay as replay_in_full
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, TICKET_ID, Case, a_policy, moment, policies_of
from tests.unit.sla_engine.escalation_case import PEOPLE, a_step, escalations
from ticket_contracts.actions import ChangeTags, MarkSpam, Snooze
from ticket_contracts.commands import Routing
from ticket_contracts.exchanges import FinishMerge, Merge, OpenSplit, SplitOrigin, UndoMerge
from ticket_contracts.messages import CallRecord, Party
from ticket_contracts.tickets import MessageAdded, TicketFact, TicketOpened
from ticket_contracts.upkeep import HistoricMessage, HistoricStep, ImportTicket
from ticket_contracts.vocabulary import (
    Automation,
    Channel,
    ClockStatus,
    IdentityKind,
    MessageKind,
    Metric,
    Priority,
    Status,
)

START = moment("fri 08:00")
UNTIL = START + timedelta(days=90)
CALLS = [
    CallRecord(call_id="1", direction=direction, answered=answered, caller="1", callee="2", started_at=START, seconds=9)
    for direction in ("inbound", "outbound")
    for answered in (True, False)
]

steps = st.lists(
    st.tuples(
        st.integers(0, 6 * 60),  # minutes since the step before
        st.integers(0, 90),  # of them the command was dated back: a message that was long on its way
        st.one_of(
            st.tuples(st.just("receive"), st.sampled_from([*Automation])),
            st.tuples(st.just("call"), st.sampled_from(CALLS)),
            st.tuples(st.just("revise"), st.sampled_from([MessageKind.EDITED, MessageKind.DELETED])),
            st.tuples(st.just("reply"), st.sampled_from([AGENT, MACHINE])),
            st.tuples(st.just("note"), st.none()),
            st.tuples(st.just("status"), st.sampled_from([*Status])),
            st.tuples(st.just("priority"), st.sampled_from([*Priority])),
            st.tuples(st.just("team"), st.sampled_from(["service", "experts"])),
            st.tuples(st.just("spam"), st.booleans()),
            st.tuples(st.just("snooze"), st.integers(1, 600)),
            st.tuples(st.just("merge"), st.booleans()),
            st.tuples(st.just("tags"), st.sampled_from(["vip", "slow"])),
        ),
    ),
    min_size=4,
    max_size=25,
)
Script = list[tuple[int, int, tuple[str, Any]]]
COMPARED = {
    "metric",
    "cycle",
    "status",
    "policy",
    "policy_version",
    "calendar",
    "target_seconds",
    "used_seconds",
    "used_microseconds",
    "counted_from",
    "paused_at",
    "started_at",
    "due_at",
    "stopped_at",
    "breached_at",
    "cancel_reason",
}
TELLING = (
    a_step("75", percent=75),
    a_step("late", metric=Metric.UPDATE),
    a_step("late again", metric=Metric.NEXT_RESPONSE, after=timedelta(minutes=50)),
    a_step("late by night", metric=Metric.RESOLUTION, after=timedelta(hours=5), out_of_hours=True),
)
ACTING = a_step("hand over", percent=50, reassign_team="experts", raise_priority=True)
policy_options = st.fixed_dictionaries(
    {
        "on_reopen": st.sampled_from(["new_cycle", "continue", "ignore"]),
        "on_priority": st.sampled_from(["from_start", "from_now", "reset"]),
        "pauses": st.sampled_from([frozenset(), frozenset({Metric.RESOLUTION, Metric.UPDATE}), frozenset(Metric)]),
        "calendar": st.sampled_from(["office", "always"]),
        "call_counts_as_reply": st.booleans(),
        "steps": st.sampled_from([(), TELLING]),
    }
)
openings = st.sampled_from(
    [(Priority.NORMAL, Automation.HUMAN), (Priority.URGENT, Automation.HUMAN), (Priority.LOW, Automation.HUMAN)] * 2
    + [(Priority.HIGH, Automation.HUMAN), (None, Automation.HUMAN), (Priority.NORMAL, Automation.BOUNCE)]
)
EVERY_METRIC = {
    metric: {Priority.LOW: hours * 7200, Priority.NORMAL: hours * 3600, Priority.URGENT: hours * 1800}
    for metric, hours in zip(Metric, (1, 2, 4, 8), strict=True)
}
FOR_EXPERTS = {metric: {Priority.NORMAL: 3 * 3600, Priority.HIGH: 3600} for metric in Metric}
FOR_VIPS = {Metric.FIRST_RESPONSE: dict.fromkeys(Priority, 900), Metric.RESOLUTION: dict.fromkeys(Priority, 7200)}


def three_policies(**options: Any) -> Policies:
    """One for a team, one for a tag, one for everybody else, which has the options."""
    return policies_of(
        a_policy(name="experts", order=0, teams=frozenset({"experts"}), calendar="always", targets=FOR_EXPERTS),
        a_policy(name="vip", order=1, tags=frozenset({"vip"}), targets=FOR_VIPS),
        a_policy(order=2, targets=EVERY_METRIC, **options),
        people=PEOPLE,
    )


def live(
    script: Script,
    policies: Policies,
    priority: Priority | None = Priority.NORMAL,
    automation: Automation = Automation.HUMAN,
    by_agent: dict[str, Any] | None = None,
) -> Case:
    """Live a script under the policies; `by_agent` is what an agent opens the ticket with."""
    case = Case(policies)
    if by_agent is None:
        case.receive(START, priority=priority, automation=automation)
    else:
        case.open_by_agent(START, **by_agent)
    at = START
    for number, (minutes, late, (kind, argument)) in enumerate(script, start=2):
        at += timedelta(minutes=minutes)
        _take(case, kind, argument, max(START, at - timedelta(minutes=late)), number)
    case.pass_time(at + timedelta(days=60))
    return case


def _take(case: Case, kind: str, argument: Any, at: datetime, number: int) -> None:
    about = {"ticket_id": TICKET_ID, "actor": AGENT}
    match kind:
        case "receive":
            case.receive(at, number, automation=argument)
        case "call":
            case.receive(at, number, channel=Channel.PHONE, call=argument)
        case "revise":
            case.receive(at, number, kind=argument)
        case "reply":
            case.reply(at, actor=argument)
        case "note":
            case.note(at)
        case "status":
            case.set_status(argument, at)
        case "priority":
            case.set_priority(argument, at)
        case "team":
            case.assign(argument, at)
        case "spam":
            case.ask(MarkSpam(**about, spam=argument), at)
        case "snooze":
            case.ask(Snooze(**about, until=at + timedelta(minutes=argument)), at)
        case "tags":
            case.ask(ChangeTags(**about, add=(argument,)), at)
        case "merge" if argument:
            other = CUSTOMER_ID  # any id but its own
            case.ask(Merge(**about, target_id=other), at, f"merge {number}")
            case.ask(FinishMerge(**about, target_id=other, merge_id=f"merge {number}"), at)
        case "merge":
            case.ask(UndoMerge(**about), at)


def stored(facts: list[TicketFact]) -> History:
    """Return what the command reads of these facts."""
    rows = [f'["{fact.event_type}",{fact.encode().decode()}]' for fact in facts if fact.event_type not in NO_ACTS]
    return read_history(f"[{','.join(rows)}]")


def told(ticket: Ticket) -> list[dict[str, object]]:
    """Return the clocks without what only the record knows: warnings, steps and causes."""
    return [clock.model_dump(include=COMPARED) for clock in ticket.clocks]


def rehearsed(ticket: Rehearsal) -> list[dict[str, object]]:
    """Return the same of clocks that were only rehearsed."""
    for clock in ticket.clocks:
        clock.settle()
    return [
        {
            "metric": clock.metric,
            "cycle": clock.cycle,
            "status": clock.status,
            "policy": clock.policy.name,
            "policy_version": clock.policy.version,
            "calendar": clock.calendar.name,
            "target_seconds": clock.target_seconds,
            "used_seconds": clock.used // timedelta(seconds=1),
            "used_microseconds": clock.used.microseconds,
            "counted_from": clock.counted_from,
            "paused_at": clock.paused_at,
            "started_at": clock.started_at,
            "due_at": clock.due_at,
            "stopped_at": clock.stopped_at,
            "breached_at": clock.breached_at,
            "cancel_reason": clock.cancel_reason,
        }
        for clock in ticket.clocks
    ]


def assert_both_give_what_happened(case: Case) -> None:
    """Compare both replays under the ticket's own policies with the life that was lived."""
    history = stored(case.facts)
    assert within_reach(history, case.policies)
    assert rehearsed(replay(history, case.policies, UNTIL)) == told(case.ticket)
    assert told(replay_in_full(case.facts, without_warnings(case.policies), UNTIL)) == told(case.ticket)


USUAL: dict[str, Any] = {"pauses": frozenset(), "calendar": "office"}
A_SLEEPER_THAT_ASKS_AGAIN: Script = [
    (0, 0, ("status", Status.SOLVED)),
    (0, 0, ("snooze", 1)),
    (0, 0, ("receive", Automation.HUMAN)),
    (0, 0, ("status", Status.PENDING)),
]
A_CALL_HEARD_OF_AFTER_THE_BREACH: Script = [(180, 0, ("receive", Automation.HUMAN)), (0, 1, ("call", CALLS[0]))]


A_PAUSE_HEARD_OF_AFTER_THE_BREACH: Script = [
    (121, 0, ("receive", Automation.HUMAN)),
    (0, 2, ("status", Status.PENDING)),
]
SOLVED_TWICE: Script = [
    (120, 0, ("status", Status.SOLVED)),
    (60, 0, ("status", Status.OPEN)),
    (60, 0, ("status", Status.SOLVED)),
]
NORMAL = (Priority.NORMAL, Automation.HUMAN)
CALLS_COUNT = {**USUAL, "call_counts_as_reply": True}
ALL_PAUSE = {**USUAL, "pauses": frozenset(Metric)}
GOES_ON = {**USUAL, "on_reopen": "continue"}


@example(A_SLEEPER_THAT_ASKS_AGAIN, NORMAL, USUAL, USUAL)
@example(A_CALL_HEARD_OF_AFTER_THE_BREACH, (Priority.LOW, Automation.HUMAN), CALLS_COUNT, CALLS_COUNT)
@example(A_PAUSE_HEARD_OF_AFTER_THE_BREACH, NORMAL, USUAL, ALL_PAUSE)
@example(SOLVED_TWICE, NORMAL, USUAL, GOES_ON)
@given(steps, openings, policy_options, policy_options)
def test_rule_48_what_if_gives_the_clocks_of_a_life_under_the_other_policy(
    script: Script, opening: tuple[Any, Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    lived_under_one = live(script, three_policies(**one), *opening)
    other_policies = three_policies(**other)
    lived_under_other = live(script, other_policies, *opening)
    history = stored(lived_under_one.facts)
    assert within_reach(history, other_policies)
    assert rehearsed(replay(history, other_policies, UNTIL)) == told(lived_under_other.ticket)


@settings(max_examples=40)
@given(steps, openings, policy_options)
def test_rule_48_what_if_nothing_changes_is_what_happened(
    script: Script, opening: tuple[Any, Any], options: dict[str, Any]
) -> None:
    policies = three_policies(**options)
    assert_both_give_what_happened(live(script, policies, *opening))


CALL: dict[str, Any] = {"public": False, "channel": Channel.PHONE}
OPENINGS_BY_AGENTS: list[dict[str, Any]] = [
    {"public": True},
    {"public": False},
    {"public": True, "actor": MACHINE},
    *({**CALL, "call": call} for call in CALLS),
]


@settings(max_examples=40)
@given(steps, st.sampled_from(OPENINGS_BY_AGENTS), policy_options, policy_options)
def test_rule_48_a_ticket_that_an_agent_opened_has_the_same_clocks_by_whichever_way(
    script: Script, by_agent: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    policies, other_policies = three_policies(**one), three_policies(**other)
    case = live(script, policies, by_agent=by_agent)
    assert_both_give_what_happened(case)
    lived_under_other = live(script, other_policies, by_agent=by_agent)
    assert rehearsed(replay(stored(case.facts), other_policies, UNTIL)) == told(lived_under_other.ticket)


def test_rule_48_a_call_that_was_missed_and_noted_is_the_customer_s_first_word() -> None:
    case = Case(three_policies())
    case.open_by_agent(START, **CALL, call=CALLS[1])
    assert [clock.metric for clock in case.ticket.clocks] == [Metric.FIRST_RESPONSE, Metric.RESOLUTION, Metric.UPDATE]
    case.pass_time(UNTIL)
    assert_both_give_what_happened(case)


def test_rule_48_an_agent_s_opening_words_answer_what_the_customer_wrote_before() -> None:
    case = Case(three_policies(call_counts_as_reply=True))
    case.open_by_agent(START)
    case.receive(START - timedelta(minutes=10))
    case.receive(START + timedelta(minutes=5), 2, channel=Channel.PHONE, call=CALLS[0])
    case.assign("experts", START + timedelta(minutes=10))
    case.pass_time(UNTIL)
    assert list(case.ticket.of_metric(Metric.NEXT_RESPONSE)) == []
    assert_both_give_what_happened(case)


@pytest.mark.parametrize("policy", ["standard", "vip", "experts"])
def test_rule_48_only_a_ticket_that_comes_under_a_policy_whose_steps_act_is_out_of_reach(policy: str) -> None:
    case = Case(three_policies(steps=TELLING))
    case.receive(START)
    acting = with_acting_steps(three_policies(steps=TELLING), {policy})
    assert within_reach(stored(case.facts), acting) is (policy != "standard")
    case.ask(ChangeTags(ticket_id=TICKET_ID, actor=AGENT, add=("vip",)), START + timedelta(minutes=1))
    assert within_reach(stored(case.facts), acting) is (policy == "experts")
    case.assign("experts", START + timedelta(minutes=2))
    assert not within_reach(stored(case.facts), acting)


def test_rule_48_steps_of_an_earlier_version_act_on_the_tickets_of_their_time() -> None:
    case = Case(three_policies())
    case.receive(START)
    history = stored(case.facts)
    for since, reached in ((START, True), (START + timedelta(seconds=1), False)):
        newest = a_policy(version=4, effective_from=since, earlier=(a_policy(steps=(ACTING,)),))
        assert within_reach(history, policies_of(newest)) is reached


def test_rule_48_what_a_step_has_changed_is_out_of_reach_under_any_policy() -> None:
    case = Case(three_policies(steps=(ACTING,)))
    case.receive(START)
    case.reply(START + timedelta(hours=3))
    case.pass_time(UNTIL)
    assert [fact.team for fact in escalations(case.facts)] == ["experts"]
    quiet = three_policies()
    assert not within_reach(stored(case.facts), quiet)
    lived_without = Case(quiet)
    lived_without.receive(START)
    lived_without.reply(START + timedelta(hours=3))
    lived_without.pass_time(UNTIL)
    assert told(replay_in_full(case.facts, quiet, UNTIL)) == told(lived_without.ticket)


@settings(max_examples=60)
@given(steps, st.sets(st.sampled_from(["vip", "experts"])), st.sets(st.sampled_from(["vip", "experts"])))
def test_rule_48_whatever_is_within_reach_is_replayed_as_in_full(
    script: Script, one: set[str], other: set[str]
) -> None:
    case = live(script, with_acting_steps(three_policies(), one))
    policies = with_acting_steps(three_policies(calendar="always"), other)
    history = stored(case.facts)
    in_full = told(replay_in_full(case.facts, without_warnings(policies), UNTIL))
    if within_reach(history, policies):
        assert rehearsed(replay(history, policies, UNTIL)) == in_full
    else:
        assert one | other


def with_acting_steps(policies: Policies, names: set[str]) -> Policies:
    """Return the same with a step that acts in each of the policies named."""
    acting = [replace(each, steps=(*each.steps, ACTING)) if each.name in names else each for each in policies.in_force]
    return policies_of(*acting, people=PEOPLE)


def test_rule_48_what_was_split_off_is_timed_when_all_its_messages_are_there() -> None:
    said = Case()
    said.receive(START)
    said.receive(START + timedelta(minutes=20), 2)
    origin = SplitOrigin(
        source_id=CUSTOMER_ID,
        split_id="split",
        brand="acme",
        channel=Channel.EMAIL,
        contact_id=CUSTOMER_ID,
        contact=Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
        priority=Priority.NORMAL,
    )
    entries = tuple(fact.message for fact in said.facts if isinstance(fact, TicketOpened | MessageAdded))
    opening = OpenSplit(
        ticket_id=TICKET_ID, actor=MACHINE, origin=origin, entries=entries, routing=Routing(team="service")
    )
    case = Case(three_policies())
    case.ask(opening, START + timedelta(hours=6))
    case.pass_time(UNTIL)
    assert {clock.status for clock in case.ticket.clocks} == {ClockStatus.BREACHED}
    assert_both_give_what_happened(case)


def import_of(*past: HistoricStep) -> Case:
    """Import a ticket of another desk."""
    command = ImportTicket(
        ticket_id=TICKET_ID,
        actor=MACHINE,
        origin="old desk",
        external_id="1",
        brand="acme",
        channel=Channel.EMAIL,
        contact_id=CUSTOMER_ID,
        contact=Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
        team="service",
        priority=Priority.NORMAL,
        opened_at=START,
        steps=past,
    )
    case = Case(three_policies())
    case.ask(command, UNTIL)
    return case


def an_act(hours: int, **content: Any) -> HistoricStep:
    return HistoricStep(at=START + timedelta(hours=hours), actor="anna", **content)


ANSWER = HistoricMessage(agent="anna", text="It is the seal")


def test_rule_48_an_imported_ticket_answered_and_solved_at_one_moment_is_answered_first() -> None:
    case = import_of(an_act(1, status=Status.OPEN), an_act(2, message=ANSWER, status=Status.SOLVED))
    assert [clock.metric for clock in case.ticket.clocks].count(Metric.UPDATE) == 2
    assert_both_give_what_happened(case)


def test_rule_48_words_that_an_import_finds_on_a_closed_ticket_start_nothing() -> None:
    thanks = HistoricMessage(text="Thank you")
    case = import_of(an_act(2, message=ANSWER, status=Status.CLOSED), an_act(3, message=thanks))
    assert case.ticket.unanswered_since is not None
    assert_both_give_what_happened(case)


def test_what_was_done_after_the_end_of_the_span_is_left_out() -> None:
    case = Case(three_policies())
    case.receive(START)
    until = START + timedelta(minutes=90)
    case.reply(until + timedelta(seconds=1))
    [first, *_] = replay(stored(case.facts), case.policies, until).clocks
    assert first.status is ClockStatus.RUNNING


def test_a_history_without_its_opening_is_refused() -> None:
    case = Case(three_policies())
    case.receive(START)
    case.reply(START + timedelta(hours=1))
    with pytest.raises(NoOpening):
        replay(stored(case.facts)[1:], case.policies, UNTIL)
    with pytest.raises(NoOpening):
        replay([], case.policies, UNTIL)
    with pytest.raises(NoOpening):
        replay_in_full(case.facts[1:], case.policies, UNTIL)


def test_results_are_counted_by_what_tells_clocks_apart() -> None:
    case = Case(three_policies(calendar="always"))
    case.receive(START, priority=Priority.URGENT)
    case.reply(START + timedelta(minutes=10))
    results, in_full = Results(), Results()
    quick = replay(stored(case.facts), case.policies, UNTIL)
    results.add(quick.holding, quick.clocks)
    ticket = replay_in_full(case.facts, case.policies, UNTIL)
    in_full.add(ticket.summary, ticket.clocks)
    assert in_full == results
    assert results.tickets == 1
    assert results.by("metric") == {
        ("first_response", "met"): 1,
        ("resolution", "breached"): 1,
        ("update", "met"): 1,
        ("update", "breached"): 1,
    }
    assert results.by("hour") == {("08", "met"): 2, ("08", "breached"): 2}
    assert results.by("team") == {("service", "met"): 2, ("service", "breached"): 2}
