"""Rule 48: what-if gives the clocks of a life under the other policy. The oracle is that life, lived by the engine.

Mostly it is the quick replay that is held to it here; `test_sla_rule_49_replay` does the same with the one in full.
"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sla_engine.domain.kept_promises import Results
from sla_engine.domain.quick_what_if import replay, within_reach
from sla_engine.domain.what_if import NoOpening, without_warnings
from sla_engine.domain.what_if import replay as replay_in_full
from tests.unit.sla_engine.case import CUSTOMER_ID, MACHINE, TICKET_ID, Case, a_policy, office, policies_of
from tests.unit.sla_engine.what_if_lives import (
    CALLS,
    START,
    UNTIL,
    Script,
    live,
    openings,
    policy_options,
    rehearsed,
    steps,
    stored,
    three_policies,
    told,
)
from ticket_contracts.commands import Routing
from ticket_contracts.exchanges import OpenSplit, SplitOrigin
from ticket_contracts.messages import Party
from ticket_contracts.tickets import MessageAdded, TicketOpened
from ticket_contracts.upkeep import HistoricMessage, HistoricStep, ImportTicket
from ticket_contracts.vocabulary import (
    Automation,
    Channel,
    ClockStatus,
    IdentityKind,
    Metric,
    Priority,
    Status,
)


def assert_both_give_what_happened(case: Case) -> None:
    """Compare both replays under the ticket's own policies with the life that was lived."""
    history = stored(case.facts)
    assert within_reach(history, case.policies)
    assert rehearsed(replay(history, case.policies, UNTIL)) == told(case.ticket)
    assert told(replay_in_full(case.facts, without_warnings(case.policies), UNTIL)) == told(case.ticket)


UNREACHED = {Metric.FIRST_RESPONSE: 1, Metric.RESOLUTION: 400, Metric.UPDATE: 2}  # hours; two weeks have no 400
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


def test_rule_48_a_target_that_its_calendar_does_not_reach_leaves_the_other_clocks_their_opening() -> None:
    years_of_closure = frozenset(START.date() + timedelta(days=14 + day) for day in range(15 * 366))
    targets = {metric: {Priority.NORMAL: hours * 3600} for metric, hours in UNREACHED.items()}
    policies = policies_of(a_policy(targets=targets), calendars=(office(closed=years_of_closure),))
    case, before_opening = Case(policies), START.replace(hour=5)
    case.receive(before_opening)
    case.reply(START + timedelta(hours=8))
    case.pass_time(UNTIL)
    assert [clock.started_at > before_opening for clock in case.ticket.clocks[:3]] == [True, False, True]
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
    assert results.by("team", "metric")["service", "resolution", "breached"] == 1
