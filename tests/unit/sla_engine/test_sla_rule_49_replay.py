"""Rule 49: replaying gives the clocks of the live run."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sla_engine.domain.decide import decide
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Request
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.what_if import as_it_was, replay, without_warnings
from sla_engine.stored_state import decode_fact, decode_state, encode_state
from tests.unit.sla_engine.case import AGENT, MACHINE, TICKET_ID, Case, a_policy, moment, policies_of
from tests.unit.sla_engine.escalation_case import PEOPLE, a_step
from tests.unit.sla_engine.rules import a_rule, a_wait, with_rules
from ticket_contracts.actions import MarkSpam
from ticket_contracts.commands import Assign
from ticket_contracts.escalations import TicketEscalated
from ticket_contracts.tickets import ClockBreached, ClockFact, ClockWarned, TicketFact
from ticket_contracts.vocabulary import Automation, ClockStatus, MessageKind, Metric, Priority, Status

START = moment("fri 08:00")
steps = st.lists(
    st.tuples(
        st.integers(1, 6 * 60),  # minutes since the step before
        st.one_of(
            st.tuples(st.just("receive"), st.sampled_from([*Automation])),
            st.tuples(st.just("revise"), st.sampled_from([MessageKind.EDITED, MessageKind.DELETED])),
            st.tuples(st.just("reply"), st.booleans()),
            st.tuples(st.just("note"), st.none()),
            st.tuples(st.just("status"), st.sampled_from([*Status])),
            st.tuples(st.just("priority"), st.sampled_from([*Priority])),
            st.tuples(st.just("team"), st.sampled_from(["service", "experts"])),
            st.tuples(st.just("timers"), st.none()),
        ),
    ),
    max_size=25,
)
Script = list[tuple[int, tuple[str, object]]]
policy_options = st.fixed_dictionaries(
    {
        "on_reopen": st.sampled_from(["new_cycle", "continue", "ignore"]),
        "on_priority": st.sampled_from(["from_start", "from_now", "reset"]),
        "pauses": st.sampled_from([frozenset(), frozenset({Metric.RESOLUTION, Metric.UPDATE}), frozenset(Metric)]),
        "calendar": st.sampled_from(["office", "always"]),
    }
)

EVERY_METRIC = {
    metric: {Priority.NORMAL: hours * 3600, Priority.URGENT: hours * 1800}
    for metric, hours in zip(Metric, (1, 2, 4, 8), strict=True)
}


TELLING = (
    a_step("75", percent=75),
    a_step("late", metric=Metric.UPDATE),
    a_step("late again", metric=Metric.NEXT_RESPONSE, after=timedelta(minutes=50)),
    a_step("late by night", metric=Metric.RESOLUTION, after=timedelta(hours=5), out_of_hours=True),
)
ACTING = (
    *TELLING,
    a_step("raise", metric=Metric.RESOLUTION, percent=40, raise_priority=True),
    a_step("late: to the experts", after=timedelta(minutes=30), reassign_team="experts"),
    a_step("late: raise", metric=Metric.UPDATE, raise_priority=True, out_of_hours=True),
)
BACK = (
    a_step("back", metric=Metric.RESOLUTION, percent=60, reassign_team="service", raise_priority=True),
    a_step("late", metric=Metric.UPDATE),
)


def two_policies(*, acting: bool = True, **options: Any) -> Policies:
    """All metrics for everybody, and another calendar and longer targets for the experts; steps, some of which act."""
    experts = {
        metric: {Priority.NORMAL: 3 * 3600, Priority.HIGH: 3600} for metric in (Metric.UPDATE, Metric.RESOLUTION)
    }
    return policies_of(
        a_policy(
            name="experts",
            order=0,
            teams=frozenset({"experts"}),
            calendar="always",
            targets=experts,
            steps=BACK if acting else (),
        ),
        a_policy(targets=EVERY_METRIC, steps=ACTING if acting else TELLING, **options),
        people=PEOPLE,
    )


def live(
    script: Script,
    *,
    with_timers: bool = True,
    repeats: bool = False,
    priority: Priority | None = Priority.NORMAL,
    policies: Policies | None = None,
    by_agent: dict[str, Any] | None = None,
) -> Case:
    """Run a script; `repeats` delivers every message again at once and once more at the end.

    `by_agent` is what an agent opens the ticket with; None: the customer does.
    """
    case = Case(policies or two_policies())
    if by_agent is None:
        case.receive(START, priority=priority)
    else:
        case.open_by_agent(START, priority=priority, **by_agent)
    at = START
    for number, (minutes, (kind, argument)) in enumerate(script, start=2):
        at += timedelta(minutes=minutes)
        match kind:
            case "receive" | "revise":
                content: dict[str, Any] = {"automation": argument} if kind == "receive" else {"kind": argument}
                for _ in range(2 if repeats else 1):
                    case.receive(at, number, **content)
            case "reply":
                case.reply(at, actor=AGENT if argument else MACHINE)
            case "note":
                case.note(at)
            case "status":
                assert isinstance(argument, Status)
                case.set_status(argument, at)
            case "priority":
                assert isinstance(argument, Priority)
                case.set_priority(argument, at)
            case "team":
                case.assign(str(argument), at)
            case "timers" if with_timers:
                case.pass_time(at)
    if repeats:
        case.redeliver_messages()
    case.pass_time(at + timedelta(days=60))
    return case


def told(ticket: Ticket) -> list[dict[str, object]]:
    """Return the clocks without the ids of their causes, which number the commands of a run."""
    return [clock.model_dump(exclude={"causes"}) for clock in ticket.clocks]


@settings(max_examples=60)
@given(steps, st.sampled_from([None, *Priority]))
def test_rule_49_folding_the_stored_facts_gives_the_ticket_of_the_live_run(
    script: Script, priority: Priority | None
) -> None:
    case = live(script, priority=priority)
    replayed: Ticket | None = None
    for version, fact in enumerate(case.facts, start=1):
        assert fact.version == version
        replayed = evolve(replayed, decode_fact(fact.event_type, fact.encode()))
    assert replayed == case.ticket
    assert decode_state(encode_state(case.ticket)) == case.ticket


@settings(max_examples=60)
@given(steps)
def test_rule_49_duplicates_and_redeliveries_change_nothing(script: Script) -> None:
    once, again = live(script), live(script, repeats=True)
    assert told(again.ticket) == told(once.ticket)
    assert [fact.event_type for fact in again.facts] == [fact.event_type for fact in once.facts]


@settings(max_examples=60)
@given(steps)
def test_rule_49_whether_timers_fired_in_time_or_after_everything_else_changes_nothing(
    script: Script,
) -> None:
    punctual, late = live(script), live(script, with_timers=False)
    assert alerts(punctual.facts) == alerts(late.facts)
    assert punctual.ticket.clocks == late.ticket.clocks


@settings(max_examples=60)
@given(steps)
def test_rule_42_each_warning_and_breach_is_given_once_and_in_order(
    script: Script,
) -> None:
    case = live(script)
    given_alerts = alerts(case.facts)
    assert len(given_alerts) == len(set(given_alerts))
    for clock in case.ticket.clocks:
        assert clock.status is not ClockStatus.RUNNING  # after sixty days everything is met, late, or waits
        percents = [
            fact.clock.warned_percent
            for fact in case.facts
            if isinstance(fact, ClockWarned) and (fact.clock.metric, fact.clock.cycle) == (clock.metric, clock.cycle)
        ]
        assert percents == sorted(set(percents))


@given(steps, policy_options, policy_options)
def test_rule_48_what_if_gives_the_clocks_of_a_life_under_the_other_policy(
    script: Script, one: dict[str, Any], other: dict[str, Any]
) -> None:
    # What steps change makes other commands no-ops, and those leave no fact: here steps only tell.
    lived_under_one = live(script, policies=two_policies(acting=False, **one))
    other_policies = two_policies(acting=False, **other)
    lived_under_other = live(script, policies=other_policies)
    until = START + timedelta(days=90)
    assert told(replay(lived_under_one.facts, other_policies, until)) == told(lived_under_other.ticket)


@given(steps, policy_options)
def test_rule_48_what_if_nothing_changes_is_what_happened(script: Script, options: dict[str, Any]) -> None:
    policies = two_policies(**options)
    case = live(script, policies=policies)
    until = START + timedelta(days=90)
    assert told(replay(case.facts, policies, until)) == told(as_it_was(case.facts))


def test_rule_48_what_steps_changed_is_worked_out_anew_and_what_people_did_stays() -> None:
    raising = a_policy(steps=(a_step(percent=50, raise_priority=True, reassign_team="experts"),))
    raising = replace(
        raising, targets={**raising.targets, Metric.FIRST_RESPONSE: {Priority.NORMAL: 3600, Priority.HIGH: 1800}}
    )
    quiet = replace(raising, steps=())
    lives = {}
    for policy in (raising, quiet):
        case = Case(policies_of(policy, people=PEOPLE))
        case.receive(moment("mon 10:00"))
        case.note(moment("mon 10:40"))
        case.ask(Assign(ticket_id=case.ticket.ticket_id, actor=AGENT, assignee="boss"), moment("mon 10:45"))
        case.reply(moment("mon 10:50"))
        lives[policy.steps] = case
    for one, other in ((raising, quiet), (quiet, raising)):
        imagined = replay(lives[one.steps].facts, without_warnings(lives[other.steps].policies), moment("mon 12:00"))
        expected = lives[other.steps].ticket
        assert [clock.status for clock in imagined.clocks] == [clock.status for clock in expected.clocks]
        assert imagined.summary == expected.summary
    assert lives[raising.steps].clock().status is ClockStatus.BREACHED
    assert lives[quiet.steps].clock().status is ClockStatus.MET


AUTOMATION = (
    a_rule("triage", "opened", "message-added", when='"t" in ticket.tags', then={"assignee": "li.wei"}, order=1),
    a_rule("tag", "message-added", when='message.author.kind == "customer"', then={"add_tags": ("t",)}, order=2),
    a_rule("late", "clock-breached", "clock-warned", then={"priority": Priority.URGENT, "note": "!"}, order=3),
    a_rule("broken", "assigned", "priority-changed", when="ticket.gone", then={"note": "x"}, order=4),
    a_rule("hand over", "priority-changed", then={"team": "experts", "reply": "x"}, order=5),
    a_wait("forgotten", Status.NEW, hours=5, then={"team": "experts"}, order=6),
    a_wait("remind", Status.PENDING, hours=2, then={"reply": "x"}, order=7),
    a_wait("reopen", Status.ON_HOLD, days=1, when="!ticket.answered", then={"status": Status.OPEN}, order=8),
    a_wait("close", Status.SOLVED, days=2, then={"status": Status.CLOSED}, order=9),
)


@settings(max_examples=25)
@given(steps)
def test_rule_49_with_automation_replay_repetition_and_late_timers_give_the_ticket_of_the_live_run(
    script: Script,
) -> None:
    policies = with_rules(*AUTOMATION, policies=two_policies())
    case = live(script, policies=policies)
    replayed: Ticket | None = None
    for fact in case.facts:
        replayed = evolve(replayed, decode_fact(fact.event_type, fact.encode()))
    assert replayed == case.ticket
    assert decode_state(encode_state(case.ticket)) == case.ticket

    late = live(script, policies=policies, with_timers=False)
    assert [(fact.event_type, fact.at, fact.actor.id) for fact in late.facts] == [
        (fact.event_type, fact.at, fact.actor.id) for fact in case.facts
    ]
    assert late.ticket.automation == case.ticket.automation
    assert told(live(script, policies=policies, repeats=True).ticket) == told(case.ticket)


def alerts(facts: list[TicketFact]) -> list[tuple[object, ...]]:
    return [
        (fact.at, fact.clock.metric, fact.clock.cycle, fact.event_type, fact.clock.warned_percent, _step(fact))
        for fact in facts
        if isinstance(fact, ClockFact) and isinstance(fact, ClockWarned | ClockBreached | TicketEscalated)
    ]


def _step(fact: ClockFact) -> str:
    return fact.step if isinstance(fact, TicketEscalated) else ""


@settings(max_examples=60)
@given(steps, policy_options)
def test_rule_45_each_step_is_taken_once_for_a_clock_and_never_before_its_point(
    script: Script, options: dict[str, Any]
) -> None:
    case = live(script, policies=two_policies(**options))
    escalated = [fact for fact in case.facts if isinstance(fact, TicketEscalated)]
    taken = Counter((fact.clock.metric, fact.clock.cycle, fact.clock.policy, fact.step) for fact in escalated)
    assert set(taken.values()) <= {1}
    for fact in escalated:
        assert fact.clock.counted_from is not None  # neither paused nor stopped (rule 44)
        assert fact.clock.status is ClockStatus.BREACHED or "late" not in fact.step


def test_rule_49_a_command_decided_twice_on_what_it_made_gives_nothing_more() -> None:
    case = Case()
    case.receive(START)
    case.reply(moment("fri 10:00"))
    request = case.requests[-1]
    repeated = Request(request.id, request.command, request.appended_at)
    assert decide(case.ticket, repeated, case.policies, moment("fri 10:01")) == []


def test_rule_48_what_if_knows_that_spam_was_marked_and_taken_back() -> None:
    case = Case(two_policies())
    case.receive(START)
    for spam, at in ((True, "fri 09:30"), (False, "fri 10:00")):
        case.ask(MarkSpam(ticket_id=TICKET_ID, actor=AGENT, spam=spam), moment(at))
    case.pass_time(START + timedelta(days=30))
    assert told(replay(case.facts, case.policies, START + timedelta(days=30))) == told(case.ticket)
