"""Rules that undo each other or set each other off on one fact: told once, with all their names; a chain is none."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_engine.domain.automation_effects import perform
from sla_engine.domain.automation_rehearsal import rehearse
from sla_engine.domain.automation_rules import Rule
from sla_engine.domain.automation_view import short_name
from sla_engine.domain.chain import LONGEST_CHAIN
from sla_engine.domain.draft import Draft
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.workflow import FieldType, Workflow
from sla_engine.publish_facts import Cause
from sla_engine.publish_rules import notice_events
from sla_engine.stored_state import decode_fact, decode_state, encode_state
from tests.unit.sla_engine.case import AGENT, TICKET_ID, Case, a_policy, moment, policies_of
from tests.unit.sla_engine.rules import a_rule, a_wait, ruled, runs, with_rules
from ticket_contracts.actions import ChangeTags
from ticket_contracts.automation import RuleRan
from ticket_contracts.tickets import MessageAdded, TicketFact
from ticket_contracts.topics import COMMANDS
from ticket_contracts.vocabulary import Priority, Status
from ticket_stream.processing import Partition

NINE = moment("mon 09:00")
ON_TAGS = ("opened", "tags-changed")
GIVE = a_rule("give", *ON_TAGS, when='!("vip" in ticket.tags)', then={"add_tags": ("vip",)}, order=1)
TAKE = a_rule("take", *ON_TAGS, when='"vip" in ticket.tags', then={"remove_tags": ("vip",)}, order=2)
LOOPED = [("give", "ran"), ("take", "ran"), ("give", "looped")]


def opened(*rules: Rule) -> Case:
    case = ruled(*rules)
    case.receive(NINE)
    return case


def loops(case: Case) -> list[RuleRan]:
    return [fact for fact in case.facts if isinstance(fact, RuleRan) and fact.outcome == "looped"]


def circle_of(fact: RuleRan) -> list[list[str]]:
    return [[each.rule for each in loop] for loop in fact.loops]


def test_two_rules_that_undo_each_other_on_one_fact_are_told_of_with_both_names_and_the_guard() -> None:
    case = opened(GIVE, TAKE)

    assert runs(case.facts) == LOOPED
    [told] = loops(case)
    assert (circle_of(told), told.held) == ([["give", "take"]], 1)
    assert (
        told.reason
        == "these rules undo each other: give → take → give; each of them runs once for one command or moment"
    )
    assert told.words is not None
    assert "undo each other on this ticket: “give” → “take” → “give”. Each of them runs once" in told.words.en
    assert "互相抵消：「give」 → 「take」 → 「give」。对同一条命令或同一时刻，每条规则只运行一次" in told.words.zh


@pytest.mark.parametrize(
    "undoing",
    [
        ({"status": Status.PENDING}, {"status": Status.OPEN}),
        ({"priority": Priority.LOW}, {"priority": Priority.HIGH}),
        ({"team": "experts"}, {"team": "service"}),
        ({"assignee": "lin"}, {"assignee": "li.wei"}),
        ({"fields": {"size": 1}}, {"fields": {"size": 2}}),
    ],
)
def test_whatever_two_rules_set_otherwise_in_turn_is_told(undoing: tuple[dict[str, object], ...]) -> None:
    on = ("opened", "status-changed", "priority-changed", "assigned", "fields-changed")
    policies = with_rules(*(a_rule(f"r{n}", *on, then=dict(then), order=n) for n, then in enumerate(undoing)))
    case = Case(replace(policies, workflow=Workflow(fields={"size": FieldType("number")})))
    case.receive(NINE)

    assert runs(case.facts) == [("r0", "ran"), ("r1", "ran"), ("r0", "looped")]
    assert circle_of(loops(case)[0]) == [["r0", "r1"]]


def test_rules_that_a_first_fact_set_off_both_and_then_each_other_are_told_of_too() -> None:
    case = opened(*(a_rule(name, "opened", "message-added", then={"note": name}) for name in ("ping", "pong")))

    assert runs(case.facts) == [("ping", "ran"), ("pong", "ran"), ("ping", "looped")]
    [told] = loops(case)
    assert told.reason.startswith("it set itself off: ping → pong → ping; each of them runs once")
    assert told.words is not None
    assert "set each other off on this ticket" in told.words.en
    assert "互相触发" in told.words.zh


def test_a_loop_is_told_once_a_ticket_whichever_of_its_rules_was_held_back_until_one_is_changed() -> None:
    case = opened(GIVE, TAKE)
    for minute, (add, remove) in enumerate([(("vip",), ()), ((), ("vip",)), (("other",), ())] * 2, start=1):
        case.ask(ChangeTags(ticket_id=TICKET_ID, actor=AGENT, add=add, remove=remove), NINE + timedelta(minutes=minute))
    assert Counter(outcome for _, outcome in runs(case.facts))["looped"] == 1

    case.policies = with_rules(GIVE, replace(TAKE, version=2))
    case.ask(ChangeTags(ticket_id=TICKET_ID, actor=AGENT, add=("more",)), NINE + timedelta(hours=1))
    assert [[(each.rule, each.rule_version) for each in loop] for fact in loops(case)[1:] for loop in fact.loops] == [
        [("give", 1), ("take", 2)]
    ]


def test_a_rule_that_loops_with_one_more_rule_is_told_of_anew_with_that_one() -> None:
    case = opened(GIVE, TAKE)
    case.policies = with_rules(GIVE, replace(TAKE, name="strip"))
    case.ask(ChangeTags(ticket_id=TICKET_ID, actor=AGENT, add=("more",)), NINE + timedelta(minutes=1))

    assert [circle_of(fact) for fact in loops(case)] == [[["give", "take"]], [["give", "strip"]]]


def test_two_loops_of_one_command_are_one_fact_that_names_both() -> None:
    low = a_rule("low", "opened", "priority-changed", then={"priority": Priority.LOW}, order=3)
    high = a_rule("high", "opened", "priority-changed", then={"priority": Priority.HIGH}, order=4)
    [told] = loops(opened(GIVE, TAKE, low, high))

    assert circle_of(told) == [["give", "take"], ["low", "high"]]
    assert (told.held, [each.rule for each in told.also]) == (2, ["low"])
    assert told.words is not None
    assert "“give” → “take” → “give”; “low” → “high” → “low”" in told.words.en


def test_a_loop_tells_the_timeline_and_no_alert_for_nothing_rests() -> None:
    case = opened(GIVE, TAKE)

    assert [event for fact in case.facts for event in notice_events(fact, Cause(Partition(COMMANDS.name, 0)))] == []
    assert not any(isinstance(fact, MessageAdded) for fact in case.facts)


def test_a_dry_run_tells_of_a_loop_what_life_tells() -> None:
    quiet, lived = opened(), opened(GIVE, TAKE)
    would = rehearse(quiet.facts, with_rules(GIVE, TAKE), NINE, NINE)

    assert would == [fact for fact in lived.facts if isinstance(fact, RuleRan)]


LOG = a_rule("log", "message-added", *ON_TAGS, then={"note": "seen"}, order=1)
MARK = a_rule("mark", "message-added", *ON_TAGS, then={"add_tags": ("marked",)}, order=2)


@pytest.mark.parametrize(
    "rules",
    [
        (LOG, MARK),
        (replace(MARK, order=1), replace(LOG, order=2)),
        (MARK, a_rule("follow", "tags-changed", then={"note": "it was marked"}, order=3)),
        (LOG, MARK, a_rule("tell", *ON_TAGS, then={"notify": [("team-leads",)]}, order=3)),
        (LOG, MARK, a_rule("raise", "tags-changed", then={"priority": Priority.URGENT}, order=3)),
    ],
)
def test_rules_that_follow_each_other_and_come_to_rest_are_no_loop(rules: tuple[Rule, ...]) -> None:
    case = opened(*rules)

    assert runs(case.facts) == [(name, "ran") for name in dict.fromkeys(name for name, _ in runs(case.facts))]
    assert set(dict(runs(case.facts))) == {rule.name for rule in rules}
    assert case.ticket.summary.tags == ("marked",)


def test_a_rule_that_found_nothing_to_do_may_act_when_there_is_something() -> None:
    tidy = a_rule("tidy", *ON_TAGS, then={"remove_tags": ("draft",)}, order=1)
    draft = a_rule("draft", "opened", then={"add_tags": ("draft",)}, order=2)
    case = opened(tidy, draft)

    assert runs(case.facts) == [("draft", "ran"), ("tidy", "ran")]
    assert case.ticket.summary.tags == ()


def test_a_long_chain_whose_end_finds_its_work_done_is_not_told_as_too_long() -> None:
    links = [
        a_rule(f"r{n}", "tags-changed", when=f'"t{n - 1}" in fact.added', then={"add_tags": (f"t{n}",)})
        for n in range(1, LONGEST_CHAIN)
    ]
    done = a_rule("done", "tags-changed", when=f'"t{LONGEST_CHAIN - 1}" in fact.added', then={"add_tags": ("t0",)})
    case = opened(a_rule("r0", "opened", then={"add_tags": ("t0",)}), *links, done)

    assert runs(case.facts) == [(f"r{n}", "ran") for n in range(LONGEST_CHAIN)]


def test_what_a_rule_on_time_sets_off_is_told_of_at_its_time() -> None:
    begin = a_wait("begin", Status.NEW, hours=1, then={"add_tags": ("late",)})
    give, take = (replace(rule, on=frozenset({"tags-changed"})) for rule in (GIVE, TAKE))
    case = opened(begin, give, take)
    case.pass_time(NINE + timedelta(hours=2))

    assert runs(case.facts) == [("begin", "ran"), *LOOPED]
    assert loops(case)[0].at == NINE + timedelta(hours=1)


# Random rules, beside the same rules without guards

TAGS = ("a", "b")
conditions = st.sampled_from(
    ["true", *(f'"{tag}" in ticket.tags' for tag in TAGS), *(f'!("{tag}" in ticket.tags)' for tag in TAGS)]
)
effects = st.sampled_from(
    [
        *({"add_tags": (tag,)} for tag in TAGS),
        *({"remove_tags": (tag,)} for tag in TAGS),
        {"add_tags": ("a",), "remove_tags": ("b",)},
        {"priority": Priority.HIGH},
        {"priority": Priority.LOW},
        {"note": "x"},
    ]
)  # fmt: skip
triggers = st.sets(
    st.sampled_from(["opened", "tags-changed", "priority-changed", "message-added"]), min_size=1, max_size=3
)
Content = list[tuple[set[str], str, dict[str, object], bool]]
some_rules = st.lists(st.tuples(triggers, conditions, effects, st.booleans()), min_size=2, max_size=4)
MANY = 60
"""Runs of four rules that no sequence which comes to rest needs: there are two tags, three priorities and few facts."""


def built(content: Content) -> list[Rule]:
    return [
        a_rule(f"r{n}", *on, when=when, then=dict(then), order=n, stop=stop)
        for n, (on, when, then, stop) in enumerate(content)
    ]


def unguarded(facts: list[TicketFact], rules: list[Rule], policies: Policies) -> Iterator[str]:
    """Yield the rules that act when each may run again and again; it does not see what it did itself."""
    ticket: Ticket | None = None
    for fact in facts:
        ticket = evolve(ticket, fact)
    assert ticket is not None
    draft = Draft(ticket, NINE, AGENT, "", NINE, list(facts))
    made_by: dict[int, str] = {}
    number = 0
    while number < len(draft.facts):
        fact = draft.facts[number]
        for rule in rules:
            own = made_by.get(number) == rule.name
            if own or short_name(fact) not in rule.on:
                continue
            if rule.condition.holds(policies.automation.views.context(draft.ticket, fact)):
                first = len(draft.facts)
                draft.cause = f"{number}:{rule.name}"
                draft.actor = rule.actor
                if any(perform(draft, policies, rule.effect, fact)):
                    yield rule.name
                made_by |= dict.fromkeys(range(first, len(draft.facts)), rule.name)
                if rule.stop:
                    break
        number += 1


@settings(max_examples=150)
@given(some_rules)
def test_random_rules_end_and_are_told_of_when_they_would_not_have_ended_by_themselves(content: Content) -> None:
    rules = built(content)
    policies = with_rules(*rules, policies=policies_of(a_policy(targets={})))
    bare, case = Case(replace(policies, automation=with_rules().automation)), Case(policies)
    bare.receive(NINE)
    case.receive(NINE)
    acted = list(islice(unguarded(bare.facts, rules, policies), MANY))
    ran = [name for name, outcome in runs(case.facts) if outcome == "ran"]

    assert len(ran) == len(set(ran))
    assert len(loops(case)) <= 1
    if len(acted) == len(set(acted)):  # nothing to hold back
        assert runs(case.facts) == [(name, "ran") for name in acted]
    if len(acted) == MANY and len(rules) == 2:
        assert loops(case)
    for circle in (circle for fact in loops(case) for circle in circle_of(fact)):
        assert len(circle) == len(set(circle)) > 1
        assert set(circle) <= set(ran)
        assert acted.count(circle[0]) > 1


@settings(max_examples=50)
@given(some_rules)
def test_what_random_rules_came_to_is_the_fold_of_the_facts_and_what_a_dry_run_tells(content: Content) -> None:
    policies = with_rules(*built(content))
    bare, case = Case(with_rules()), Case(policies)
    bare.receive(NINE)
    case.receive(NINE)
    folded: Ticket | None = None
    for fact in case.facts:
        folded = evolve(folded, decode_fact(fact.event_type, fact.encode()))

    assert folded == case.ticket == decode_state(encode_state(case.ticket))
    assert rehearse(bare.facts, policies, NINE, NINE) == [fact for fact in case.facts if isinstance(fact, RuleRan)]
