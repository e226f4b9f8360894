"""Every row of the table of SLA rules, decided in memory; and that the table is whole."""

import ast
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

import tests
from sla_engine.compile_policies import Earlier, compile_configuration
from sla_engine.domain.policies import Policies
from sla_engine.domain.what_if import as_it_was, replay
from tests.support.sla_engine import SURROUNDINGS
from tests.support.sla_scenarios.judging import Seen, SeenAlert, SeenClock, find_flaws
from tests.support.sla_scenarios.scenario import ALWAYS, EDIT, EXPERTS, OFFICE, Scenario, Times
from tests.support.sla_scenarios.table import ALL_RULES, NAMED_TESTS, OPTIONS, SCENARIOS
from tests.support.sla_scenarios.telling import Phase, phases
from tests.unit.sla_engine.case import MONDAY
from tests.unit.sla_engine.pure_engine import PureEngine
from ticket_contracts.tickets import ClockState
from ticket_store.configuration import Configuration, Versioned
from ticket_store.documents import Document, Policy

TIMES = Times(MONDAY, MONDAY + timedelta(days=25))
AROUND = (*SURROUNDINGS, EXPERTS, OFFICE, ALWAYS)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@cache
def policies_of(name: str, edits: int) -> Policies:
    """Compile a scenario's documents as the engine does; an edited one is the second version of its name."""
    scenario = BY_NAME[name]
    first, present = (
        {(each.kind, each.name): each for each in (*AROUND, *scenario.documents(TIMES, number))}
        for number in (0, edits)
    )
    versions: dict[tuple[str, str], Versioned[Document]] = {
        each: Versioned(document, 1 if document == first.get(each) else 2) for each, document in present.items()
    }
    earlier = {
        newest.document.name: [Versioned(old, 1)]
        for each, newest in versions.items()
        if newest.version == 2 and isinstance(old := first.get(each), Policy)
    }
    compiled = compile_configuration(Configuration(1 + edits, versions), Earlier(earlier))
    known = policies_of(name, 0).past if edits else {}
    return replace(compiled, past={**known, **compiled.past})


class Run:
    """One scenario from its first step to `now`."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.engine = PureEngine(policies_of(scenario.name, 0))
        self._phases = phases(scenario, TIMES)
        for phase in self._phases:
            if phase.edits:
                self.engine.policies = policies_of(scenario.name, 1)
            self._play(phase)

    def repeat(self) -> None:
        """Deliver every command once more."""
        for phase in self._phases:
            self._play(phase)

    def _play(self, phase: Phase) -> None:
        for asked in phase.asked:
            self.engine.ask(asked.id, asked.command, asked.at, TIMES.now)
        self._let_time_pass()

    def _let_time_pass(self) -> None:
        self.engine.settle(TIMES.now)
        for ticket_id in list(self.engine.tickets):
            self.engine.fire(ticket_id, TIMES.now)

    def flaws(self) -> list[str]:
        seen = {
            ticket_id: Seen(
                [seen_clock(clock) for clock in ticket.clocks],
                ticket.no_clock_reason,
                ticket.summary.team,
                ticket.summary.priority,
            )
            for ticket_id, ticket in self.engine.tickets.items()
        }
        alerts = [SeenAlert.of(event.type, event.data) for each in self.engine.alerts.values() for event in each]
        return list(find_flaws(self.scenario, TIMES, seen, alerts))


def seen_clock(clock: ClockState) -> SeenClock:
    return SeenClock(**{name: getattr(clock, name) for name in SeenClock._fields})


def of_rule(scenario: Scenario) -> str:
    return f"rule {scenario.rule}: {scenario.sentence}"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=of_rule)
def test_of_every_rule(scenario: Scenario) -> None:
    assert Run(scenario).flaws() == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=of_rule)
def test_rule_49_a_second_delivery_of_a_whole_scenario_changes_nothing(scenario: Scenario) -> None:
    run = Run(scenario)
    facts = {ticket_id: list(each) for ticket_id, each in run.engine.facts.items()}
    run.repeat()
    assert run.engine.facts == facts
    assert run.flaws() == []


UNEDITED = [each for each in SCENARIOS if EDIT not in each.steps]


@pytest.mark.parametrize("scenario", UNEDITED, ids=of_rule)
def test_rule_48_of_every_scenario_what_if_nothing_changes_is_what_happened(scenario: Scenario) -> None:
    run = Run(scenario)
    for facts in run.engine.facts.values():
        again, was = replay(facts, run.engine.policies, TIMES.now), as_it_was(facts)
        assert [seen_clock(clock) for clock in again.clocks] == [seen_clock(clock) for clock in was.clocks]


def test_every_rule_has_a_row_or_a_test_that_is_named() -> None:
    in_rows = {scenario.rule for scenario in SCENARIOS}
    assert in_rows | NAMED_TESTS.keys() == set(ALL_RULES)


def test_every_rule_is_tried_on_the_running_stack_too() -> None:
    in_rows = {scenario.rule for scenario in SCENARIOS}
    on_servers = {rule for rule, named in NAMED_TESTS.items() if any(each.startswith("integration/") for each in named)}
    assert in_rows | on_servers == set(ALL_RULES)


@pytest.mark.parametrize("test", sorted({test for tests_ in NAMED_TESTS.values() for test in tests_}))
def test_the_named_tests_are_there(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((Path(tests.__path__[0]) / path).read_text(encoding="utf-8"))
    defined = {getattr(node, "name", None) for node in tree.body} | {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert name in defined


@pytest.mark.parametrize(("rule", "option"), list(OPTIONS), ids=str)
def test_every_choice_of_an_option_is_a_row(rule: int, option: str) -> None:
    rows = [scenario.options or {} for scenario in SCENARIOS if scenario.rule == rule]
    steps = [step for options in rows for step in options.get("escalations", ())]
    chosen = {_plain(each.get(option)) for each in (*rows, *steps)}
    assert chosen >= OPTIONS[rule, option]


def _plain(value: object) -> object:
    return ", ".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def test_no_two_rows_share_a_name() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
