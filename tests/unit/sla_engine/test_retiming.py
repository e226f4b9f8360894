"""Acts at other moments: the clocks must be those of a life in which people had acted then, lived by the engine."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_engine.domain.queueing import NEVER
from sla_engine.domain.quick_what_if import replay
from sla_engine.domain.retiming import retime, retime_facts
from sla_engine.domain.waits import Wait, microseconds, waits_of
from sla_engine.domain.what_if import replay as replay_in_full
from sla_engine.domain.what_if import without_warnings
from tests.unit.sla_engine.case import AGENT, Case
from tests.unit.sla_engine.test_sla_rule_48_what_if import CALL, import_of
from tests.unit.sla_engine.what_if_lives import (
    CALLS,
    START,
    UNTIL,
    Script,
    live,
    policy_options,
    rehearsed,
    steps,
    stored,
    take,
    three_policies,
    told,
)
from ticket_contracts.vocabulary import Automation, ClockStatus, Metric, Priority, Status

plain_steps = st.lists(
    st.tuples(
        st.integers(1, 6 * 60),  # minutes since the step before
        st.one_of(
            st.just(("receive", Automation.HUMAN)),
            st.just(("receive", Automation.HUMAN)),
            st.just(("reply", AGENT)),
            st.just(("reply", AGENT)),
            st.just(("note", None)),
            st.tuples(st.just("status"), st.sampled_from([Status.OPEN, Status.PENDING, Status.SOLVED])),
            st.tuples(st.just("priority"), st.sampled_from([Priority.NORMAL, Priority.URGENT])),
            st.tuples(st.just("team"), st.sampled_from(["service", "experts"])),
        ),
    ),
    min_size=2,
    max_size=14,
)
PlainScript = list[tuple[int, tuple[str, Any]]]
Step = tuple[datetime, tuple[str, Any]]
delays = st.lists(st.integers(1, 12 * 60), min_size=15, max_size=15)


def really(script: PlainScript) -> list[Step]:
    """Return the steps with their times, the opening first."""
    at, dated = START, [(START, ("receive", Automation.HUMAN))]
    for minutes, step in script:
        at += timedelta(minutes=minutes)
        dated.append((at, step))
    return dated


def otherwise(dated: Sequence[Step], waiting_minutes: Sequence[int]) -> list[Step]:
    """Return the steps as they would have come, had each wait lasted so many minutes: worked out on the script."""
    result: list[Step] = []
    lengths, shift = iter(waiting_minutes), timedelta()
    since: datetime | None = None
    held: list[Step] = []
    for at, (kind, argument) in dated:
        ends = since is not None and (kind == "reply" or argument is Status.SOLVED)
        if ends and since is not None:
            answered = since + shift + timedelta(minutes=next(lengths))
            result += [(min(then + shift, answered), step) for then, step in held]
            shift, since, held = answered - at, None, []
        if kind == "receive":
            since = since or at
        if since is None:
            result.append((at + shift, (kind, argument)))
        else:
            held.append((at, (kind, argument)))
    return [*result, *((at + shift, step) for at, step in held)]


def lived(dated: Sequence[Step], options: dict[str, Any]) -> Case:
    case = Case(three_policies(**options))
    for number, (at, (kind, argument)) in enumerate(dated, start=1):
        take(case, kind, argument, at, number)
    case.pass_time(UNTIL)
    return case


def moments(waits: Sequence[Wait], minutes: Sequence[int]) -> list[tuple[int, int]]:
    """Return what ends each wait when it lasts so many minutes and customers write as long after an answer as ever."""
    endings, shift = [], timedelta()
    for wait, length in zip(waits, minutes, strict=False):
        ended = wait.since + shift + timedelta(minutes=length)
        shift = ended - wait.until
        endings.append((wait.place, microseconds(ended)))
    return endings


@settings(max_examples=25, deadline=None)
@given(plain_steps, delays, policy_options)
def test_clocks_are_those_of_a_life_in_which_agents_had_answered_then(
    script: PlainScript, waiting_minutes: list[int], options: dict[str, Any]
) -> None:
    case = lived(really(script), options)
    expected = told(lived(otherwise(really(script), waiting_minutes), options).ticket)
    history = stored(case.facts)
    moved = retime(history, moments(waits_of(history).ended, waiting_minutes))
    assert rehearsed(replay(moved, case.policies, UNTIL)) == expected
    assert told(replay_in_full(retime_facts(case.facts, moved), without_warnings(case.policies), UNTIL)) == expected


@settings(max_examples=25, deadline=None)
@given(steps, policy_options)
def test_waits_that_end_as_they_did_leave_every_act_where_it_was(script: Script, options: dict[str, Any]) -> None:
    history = stored(live(script, three_policies(**options)).facts)
    ended = waits_of(history).ended
    assert retime(history, [(wait.place, microseconds(wait.until)) for wait in ended]) == history


def test_after_a_wait_that_never_ends_nothing_more_happens() -> None:
    case = Case(three_policies(calendar="always"))
    case.receive(START)
    case.set_priority(Priority.URGENT, START + timedelta(minutes=5))
    case.reply(START + timedelta(minutes=10))
    case.set_status(Status.SOLVED, START + timedelta(minutes=20))
    case.pass_time(UNTIL)
    history = stored(case.facts)
    [wait] = waits_of(history).ended
    moved = retime(history, [(wait.place, NEVER)])
    assert [act.ticket.priority for _, act in moved] == [Priority.NORMAL, Priority.URGENT]
    quick = replay(moved, case.policies, UNTIL)
    assert {clock.status for clock in quick.clocks} == {ClockStatus.BREACHED}
    assert rehearsed(quick) == told(
        replay_in_full(retime_facts(case.facts, moved), without_warnings(case.policies), UNTIL)
    )


def test_what_a_customer_adds_before_the_answer_is_answered_by_it() -> None:
    case = Case(three_policies(calendar="always"))
    case.receive(START)
    case.receive(START + timedelta(minutes=30), 2)
    case.reply(START + timedelta(minutes=60))
    history = stored(case.facts)
    [wait] = waits_of(history).ended
    moved = retime(history, [(wait.place, microseconds(START + timedelta(minutes=10)))])
    assert [act.at - START for _, act in moved][1] == timedelta(minutes=10)
    ticket = replay(moved, case.policies, UNTIL)
    assert [clock.status for clock in ticket.clocks if clock.metric is Metric.FIRST_RESPONSE] == [ClockStatus.MET]
    assert not [clock for clock in ticket.clocks if clock.metric is Metric.NEXT_RESPONSE]


def test_an_imported_ticket_stays_another_system_s_up_to_its_import() -> None:
    case = import_of()
    history = stored(case.facts)
    assert retime_facts(case.facts, history) == case.facts


@pytest.mark.parametrize("by_agent", [True, False])
def test_only_an_agent_s_solving_is_somebody_s_work(by_agent: bool) -> None:
    case = Case(three_policies())
    case.receive(START)
    case.set_status(Status.SOLVED, START + timedelta(hours=2))
    history = stored(case.facts)
    assert history[-1][1].actor.id == AGENT.id
    if not by_agent:
        history[-1][1].actor.kind = history[-1][1].actor.kind.__class__.MACHINE
    waited = waits_of(history)
    assert len(waited.ended) == by_agent
    assert not waited.goes_on


def test_a_call_that_was_noted_late_is_answered_after_its_note_and_counts_from_the_call() -> None:
    case = Case(three_policies(calendar="always"))
    case.open_by_agent(START, **CALL, call=CALLS[1])
    case.note(START + timedelta(minutes=10))
    case.reply(START + timedelta(minutes=30))
    history = stored(case.facts)
    said = history[0][1].message
    assert said is not None
    said.at -= timedelta(minutes=40)
    [wait] = waits_of(history).ended
    assert wait.since == START
    moved = retime(history, [(wait.place, microseconds(START + timedelta(minutes=5)))])
    assert [act.at - START for _, act in moved] == [timedelta(minutes=minutes) for minutes in (0, 5, 5)]
    assert moved[0][1].message == said


def test_a_message_that_was_long_on_its_way_is_not_dated_before_it_was_written() -> None:
    case = Case(three_policies(calendar="always"))
    case.receive(START)
    case.receive(START + timedelta(minutes=20), 2)
    case.reply(START + timedelta(minutes=30))
    history = stored(case.facts)
    said = history[1][1].message
    assert said is not None
    said.at -= timedelta(minutes=18)
    [wait] = waits_of(history).ended
    moved = retime(history, [(wait.place, microseconds(START + timedelta(minutes=5)))])
    moved_said = moved[1][1].message
    assert moved_said is not None
    assert (moved[1][1].at - START, moved_said.at - START) == (timedelta(minutes=5), timedelta(minutes=2))


def test_what_was_recorded_before_an_answer_but_done_after_it_stays_after_it() -> None:
    case = Case(three_policies(calendar="always"))
    case.receive(START)
    case.set_priority(Priority.URGENT, START + timedelta(minutes=40))
    case.reply(START + timedelta(minutes=30))
    history = stored(case.facts)
    [wait] = waits_of(history).ended
    moved = retime(history, [(wait.place, microseconds(START + timedelta(minutes=10)))])
    assert [act.at - START for _, act in moved[:3]] == [timedelta(minutes=minutes) for minutes in (0, 20, 10)]


def test_nobody_answers_before_the_ticket_is_there_though_the_mail_was_long_on_its_way() -> None:
    case = Case(three_policies(calendar="always"))
    case.open_by_agent(START, public=False)
    case.receive(START - timedelta(minutes=30), 2)
    case.reply(START + timedelta(minutes=30))
    history = stored(case.facts)
    [wait] = waits_of(history).ended
    assert wait.since == START
    moved = retime(history, [(wait.place, microseconds(wait.since + timedelta(minutes=5)))])
    assert [act.at - START for _, act in moved] == [timedelta(minutes=minutes) for minutes in (0, -30, 5)]
