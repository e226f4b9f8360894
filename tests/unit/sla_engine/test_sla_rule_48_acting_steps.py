"""Rule 48 where escalation steps act: what-if gives the clocks of a life in the order of arrival, with punctual timers.

A message counts by its time, yet steps that were due before it arrived were taken before it (docs/decisions/0032). Two
oracles: the life itself, and the replay in full by the engine's own functions.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sla_engine.domain.escalating import is_step, step_actor
from sla_engine.domain.policies import Policies
from sla_engine.domain.quick_what_if import replay, within_reach
from sla_engine.domain.steps import Step
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.what_if import replay as replay_in_full
from sla_engine.domain.what_if import without_warnings
from sla_engine.replay_histories import Side
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, TICKET_ID, Case, a_policy, policies_of
from tests.unit.sla_engine.escalation_case import PEOPLE, a_step, escalations
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
from ticket_contracts.actions import ChangeTags
from ticket_contracts.commands import Assign, SetPriority
from ticket_contracts.messages import Party
from ticket_contracts.tickets import MessageAdded, TicketOpened
from ticket_contracts.upkeep import HistoricStep, ImportTicket
from ticket_contracts.vocabulary import (
    Automation,
    Channel,
    IdentityKind,
    Metric,
    Priority,
    Status,
)

ACTING = a_step("hand over", percent=50, reassign_team="experts", raise_priority=True)
RAISING_AT_ONCE = a_step("act: raise", raise_priority=True)
ACTING_STEPS = (
    RAISING_AT_ONCE,
    a_step("act: both", metric=Metric.RESOLUTION, percent=50, reassign_team="experts", raise_priority=True),
    a_step("act: back", metric=Metric.RESOLUTION, percent=90, reassign_team="service"),
    a_step("act: late", metric=Metric.NEXT_RESPONSE, after=timedelta(minutes=45), reassign_team="experts"),
    a_step("act: later", after=timedelta(hours=9), raise_priority=True, reassign_team="service"),
    a_step("act: by night", metric=Metric.UPDATE, after=timedelta(hours=7), out_of_hours=True, raise_priority=True),
    a_step("act: tomorrow", metric=Metric.RESOLUTION, after=timedelta(hours=7), reassign_team="experts"),
    a_step("act: nobody", metric=Metric.UPDATE, percent=20, reassign_team="archived", raise_priority=True),
)
Steps = tuple[Step, ...]
acting = st.lists(st.sampled_from(ACTING_STEPS), unique=True, max_size=5).map(tuple)
NORMAL = (Priority.NORMAL, Automation.HUMAN)
PAUSING: dict[str, Any] = {"pauses": frozenset({Metric.RESOLUTION, Metric.UPDATE}), "on_priority": "from_now"}
CALLS_COUNT: dict[str, Any] = {"call_counts_as_reply": True}
A_PAUSE_ENDED_BY_A_LATE_MESSAGE: Script = [
    (30, 0, ("status", Status.PENDING)),
    (120, 60, ("receive", Automation.HUMAN)),
]
A_CALL_HEARD_OF_WHEN_A_STEP_WAS_TAKEN: Script = [(180, 90, ("call", CALLS[0]))]


@settings(max_examples=60)
@example(A_PAUSE_ENDED_BY_A_LATE_MESSAGE, NORMAL, PAUSING, (RAISING_AT_ONCE,), ())
@example(A_CALL_HEARD_OF_WHEN_A_STEP_WAS_TAKEN, NORMAL, CALLS_COUNT, (RAISING_AT_ONCE,), ())
@given(steps, openings, policy_options, acting, acting)
def test_rule_48_with_steps_that_act_what_if_nothing_changes_is_what_happened_in_the_order_of_arrival(
    script: Script, opening: tuple[Any, Any], options: dict[str, Any], usual: Steps, experts: Steps
) -> None:
    policies = with_steps(three_policies(**options), usual, experts)
    case = live(script, policies, *opening, punctual=True)
    in_full = replay_in_full(case.facts, without_warnings(policies), UNTIL)
    assert told(in_full) == told(case.ticket)
    assert acted(in_full) == acted(case.ticket)
    history = stored(case.facts)
    assert within_reach(history, policies)
    quick = replay(history, policies, UNTIL)
    assert rehearsed(quick) == told(case.ticket)
    assert (quick.holding.team, quick.holding.priority) == (case.ticket.summary.team, case.ticket.summary.priority)


@settings(max_examples=80)
@given(steps, openings, policy_options, acting, acting, acting, acting, st.booleans())
def test_rule_48_steps_that_act_are_replayed_quickly_as_in_full(
    script: Script,
    opening: tuple[Any, Any],
    options: dict[str, Any],
    one: Steps,
    two: Steps,
    three: Steps,
    four: Steps,
    punctual: bool,
) -> None:
    # What steps change makes other commands no-ops, and those leave no fact: another life is no oracle here.
    case = live(script, with_steps(three_policies(), one, two), *opening, punctual=punctual)
    policies = with_steps(three_policies(**options), three, four)
    history = stored(case.facts)
    assert within_reach(history, policies)
    quick, in_full = replay(history, policies, UNTIL), replay_in_full(case.facts, without_warnings(policies), UNTIL)
    assert rehearsed(quick) == told(in_full)
    assert (quick.holding.team, quick.holding.priority) == (in_full.summary.team, in_full.summary.priority)


def test_rule_48_steps_of_an_earlier_version_act_on_the_tickets_of_their_time() -> None:
    case = Case(three_policies())
    case.receive(START)
    history = stored(case.facts)
    for since, team in ((START, "service"), (START + timedelta(seconds=1), "experts")):
        newest = a_policy(version=4, effective_from=since, earlier=(a_policy(steps=(ACTING,)),))
        assert replay(history, policies_of(newest, people=PEOPLE), UNTIL).holding.team == team


def test_rule_48_what_a_step_has_changed_is_taken_back_where_it_is_not_taken() -> None:
    case = Case(three_policies(steps=(ACTING,)))
    case.receive(START)
    case.reply(START + timedelta(hours=3))
    case.pass_time(UNTIL)
    assert [fact.team for fact in escalations(case.facts)] == ["experts"]
    quiet = three_policies()
    lived_without = Case(quiet)
    lived_without.receive(START)
    lived_without.reply(START + timedelta(hours=3))
    lived_without.pass_time(UNTIL)
    assert told(replay_in_full(case.facts, quiet, UNTIL)) == told(lived_without.ticket)
    assert rehearsed(replay(stored(case.facts), quiet, UNTIL)) == told(lived_without.ticket)


def test_rule_48_an_agent_who_is_named_like_a_step_is_none() -> None:
    named_so = AGENT.model_copy(update={"id": step_actor("standard", "hand over").id})
    assert is_step(step_actor("standard", "hand over"))
    assert not is_step(named_so)
    quiet = three_policies()
    case, lived_without = Case(three_policies(steps=(ACTING,))), Case(quiet)
    for each in (case, lived_without):
        each.receive(START)
        each.pass_time(START + timedelta(hours=1))
        each.ask(SetPriority(ticket_id=TICKET_ID, actor=named_so, priority=Priority.URGENT), START + timedelta(hours=3))
        each.pass_time(UNTIL)
    assert any(is_step(fact.actor) for fact in case.facts)
    for history in (case.facts, lived_without.facts):
        assert told(replay_in_full(history, quiet, UNTIL)) == told(lived_without.ticket)
        quick = replay(stored(history), quiet, UNTIL)
        assert (rehearsed(quick), quick.holding.priority) == (told(lived_without.ticket), Priority.URGENT)


def test_rule_48_an_agent_s_change_within_the_team_selects_no_other_policy() -> None:
    case = Case(three_policies())
    case.receive(START)
    case.ask(ChangeTags(ticket_id=TICKET_ID, actor=AGENT, add=("vip",)), START + timedelta(hours=5))
    case.ask(Assign(ticket_id=TICKET_ID, actor=AGENT, assignee="anna"), START + timedelta(hours=6))
    case.pass_time(UNTIL)
    policies = with_steps(three_policies(), (a_step(reassign_team="others"),))
    people = replace(PEOPLE, teams={**PEOPLE.teams, "others": PEOPLE.teams["service"]})
    policies = replace(policies, people=people)
    in_full = replay_in_full(case.facts, without_warnings(policies), UNTIL)
    assert in_full.summary.team == "others"
    assert {clock.policy for clock in in_full.clocks} == {"standard"}
    assert rehearsed(replay(stored(case.facts), policies, UNTIL)) == told(in_full)


SOLVE, OPEN, WAIT = (("status", status) for status in (Status.SOLVED, Status.OPEN, Status.PENDING))
TO_EXPERTS: dict[str, Any] = {"metric": Metric.RESOLUTION, "reassign_team": "experts"}
NOTE = ("note", None)
ASK, ANSWER = ("receive", Automation.HUMAN), ("reply", AGENT)
DAY = 24 * 60


@pytest.mark.parametrize(
    ("step", "priority", "options", "script", "last"),
    [
        pytest.param(
            {"after": timedelta(hours=2)},
            Priority.NORMAL,
            {},
            [(3 * DAY + 90, 0, WAIT), (60, 0, OPEN), (105, 0, SOLVE)],
            "experts",
            id="late by day, paused in between",
        ),
        pytest.param(
            {"after": timedelta(hours=2), "out_of_hours": True},
            Priority.NORMAL,
            {},
            [(570, 0, WAIT), (60, 0, OPEN), (105, 0, SOLVE)],
            "experts",
            id="late by night, paused in between",
        ),
        pytest.param(
            {"percent": 90},
            Priority.LOW,
            {},
            [(DAY, 0, NOTE), (2 * DAY + 120, 0, WAIT), (360, 0, OPEN), (60, 0, SOLVE)],
            "service",
            id="paused when its time came",
        ),
        pytest.param(
            {"after": timedelta(hours=2)},
            Priority.NORMAL,
            {"on_reopen": "continue"},
            [(2 * DAY, 0, NOTE), (DAY + 120, 0, SOLVE), (300, 0, OPEN), (30, 0, SOLVE)],
            "service",
            id="solved when its time came, and reopened",
        ),
        pytest.param(
            {},
            Priority.LOW,
            {},
            [(840, 0, ("priority", Priority.NORMAL)), (600, 0, SOLVE)],
            "service",
            id="late at once by night",
        ),
        pytest.param(
            {"percent": 90, "out_of_hours": True},
            Priority.LOW,
            {},
            [(DAY, 0, SOLVE)],
            "service",
            id="a share of the target is business time by night too",
        ),
    ],
)
def test_rule_48_a_step_is_taken_quickly_when_the_engine_takes_it(
    step: dict[str, Any], priority: Priority, options: dict[str, Any], script: Script, last: str
) -> None:
    policies = with_steps(three_policies(**options), (a_step("act", **{**TO_EXPERTS, **step}),))
    case = live(script, policies, priority, punctual=True)
    quick = replay(stored(case.facts), policies, UNTIL)
    assert case.ticket.summary.team == quick.holding.team == last
    assert rehearsed(quick) == told(case.ticket)


def test_rule_48_lateness_that_was_withdrawn_counts_for_no_step() -> None:
    step = a_step("act", **TO_EXPERTS, after=timedelta(hours=2))
    policies = with_steps(three_policies(calendar="always"), (step,))
    script = [(540, 0, WAIT), (60, 0, OPEN), (30, 210, WAIT), (30, 0, OPEN), (150, 0, SOLVE)]
    case = live(script, policies)
    quick = replay(stored(case.facts), policies, UNTIL)
    assert case.ticket.summary.team == quick.holding.team == "service"  # due again at 20:00, solved at 21:30
    assert rehearsed(quick) == told(case.ticket)


def test_rule_48_later_words_are_another_promise_with_all_steps() -> None:
    step = a_step("act", metric=Metric.NEXT_RESPONSE, percent=50, raise_priority=True)
    policies = with_steps(three_policies(), (step,))
    script = [(65, 0, ANSWER), (5, 0, ASK), (65, 0, ("spam", True)), (5, 0, ANSWER), (5, 0, ASK)]
    case = live([*script, (5, 0, ("spam", False)), (600, 0, NOTE)], policies, punctual=True)
    quick = replay(stored(case.facts), policies, UNTIL)
    assert case.ticket.summary.priority is quick.holding.priority is Priority.URGENT
    assert rehearsed(quick) == told(case.ticket)


def test_rule_48_a_step_stays_taken_while_the_ticket_is_under_a_policy_that_has_none_of_its_kind() -> None:
    *_, never_twice = ACTING_STEPS
    usual = (never_twice, a_step("act: away", **TO_EXPERTS, percent=50, raise_priority=True))
    back = a_step("act: back", metric=Metric.RESOLUTION, percent=90, reassign_team="service")
    policies = with_steps(three_policies(calendar="always"), usual, (back,))
    case = live([(60, 0, ("priority", Priority.LOW)), (600, 0, NOTE)], policies, punctual=True)
    quick = replay(stored(case.facts), policies, UNTIL)
    assert case.ticket.summary.priority is quick.holding.priority is Priority.NORMAL
    assert rehearsed(quick) == told(case.ticket)


def with_steps(policies: Policies, usual: Steps, experts: Steps = ()) -> Policies:
    """Return the same with these steps in the policy for everybody else, and in that of the experts."""
    more = {"standard": usual, "experts": experts, "vip": ()}
    acting = [replace(each, steps=(*each.steps, *more[each.name])) for each in policies.in_force]
    return policies_of(*acting, people=PEOPLE)


def acted(ticket: Ticket) -> list[tuple[str, ...]]:
    """Return the steps of each clock that changed the ticket."""
    return [tuple(name for name in clock.steps_done if "act" in name) for clock in ticket.clocks]


def test_rule_48_a_message_says_when_the_log_had_it_where_that_was_late() -> None:
    case = Case(three_policies())
    for number, late in enumerate((0.0, 1.0, 1.5, 3600.0), start=1):
        at = START + timedelta(hours=number)
        case.receive(at, number, appended_at=at + timedelta(seconds=late))
    told_late = [fact.seen_at and fact.seen_at - fact.at for fact in case.facts if isinstance(fact, MessageAdded)]
    assert told_late == [None, timedelta(seconds=1.5), timedelta(hours=1)]
    opening = Case(three_policies())
    opening.receive(START, appended_at=START + timedelta(hours=3))
    assert isinstance(opening.facts[0], TicketOpened)
    assert opening.facts[0].seen_at == START + timedelta(hours=3)


def test_rule_48_steps_of_another_system_s_past_change_nothing_under_another_policy_either() -> None:
    """Neither those that a change of the past makes due at once, nor those due between the last act and the import."""
    urgent = HistoricStep(at=START + timedelta(hours=5), actor="anna", priority=Priority.URGENT)
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
        priority=Priority.LOW,
        opened_at=START,
        steps=(urgent,),
    )
    at_once = a_step("act: now", metric=Metric.RESOLUTION, percent=90, reassign_team="experts")
    later = a_step("act: later", metric=Metric.UPDATE, after=timedelta(hours=3), reassign_team="experts")
    to_come = a_step("act: to come", metric=Metric.RESOLUTION, after=timedelta(hours=30), reassign_team="experts")
    for acting, team in (((at_once, later), "service"), ((at_once, later, to_come), "experts")):
        policies, imported_at = with_steps(three_policies(), acting), START + timedelta(days=5)
        lives = [Case(three_policies()), Case(policies)]
        for case in lives:
            case.ask(command, imported_at, "import")
            case.pass_time(UNTIL)
        real, other = lives
        assert other.ticket.summary.team == team
        assert within_reach(stored(real.facts), policies)
        assert rehearsed(replay(stored(real.facts), policies, UNTIL)) == told(other.ticket)
        assert told(replay_in_full(real.facts, without_warnings(policies), UNTIL)) == told(other.ticket)


def test_rule_48_an_import_that_does_not_say_when_is_out_of_reach_where_steps_act() -> None:
    case = Case(three_policies())
    case.receive(START)
    opened = case.facts[0].model_copy(update={"imported": True})
    assert within_reach(stored([opened]), three_policies())
    assert not within_reach(stored([opened]), with_steps(three_policies(), ACTING_STEPS))
    said = opened.model_copy(update={"seen_at": UNTIL})
    assert within_reach(stored([said]), with_steps(three_policies(), ACTING_STEPS))


def test_rule_48_what_is_out_of_reach_is_named_by_its_place_and_the_rest_is_counted() -> None:
    case = Case(three_policies())
    case.receive(START)
    near, far = stored(case.facts), stored([case.facts[0].model_copy(update={"imported": True})])
    side = Side(with_steps(three_policies(), ACTING_STEPS))
    assert side.count_quickly([far, near, near, far], UNTIL) == [0, 3]
    assert side.results.tickets == 2
    assert side.count_quickly([], UNTIL) == []
