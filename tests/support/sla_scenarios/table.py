"""The table of the SLA rules: every rule has a row here, or a test elsewhere that is named here."""

from tests.support.sla_scenarios.alerts import ALERTS, CALENDARS
from tests.support.sla_scenarios.changes import CHANGES
from tests.support.sla_scenarios.replies import REPLIES
from tests.support.sla_scenarios.scenario import Scenario

SCENARIOS: tuple[Scenario, ...] = (*REPLIES, *CHANGES, *CALENDARS, *ALERTS)

ALL_RULES = range(1, 50)

OPTIONS: dict[tuple[int, str], frozenset[object]] = {
    (3, "call_counts_as_reply"): frozenset({True, False}),
    (22, "on_reopen"): frozenset({"new_cycle", "continue", "ignore"}),
    (28, "on_priority"): frozenset({"from_start", "from_now", "reset"}),
    (16, "pause_on"): frozenset({None, "on-hold"}),
    (18, "pauses"): frozenset({None, "first_response"}),
    (45, "out_of_hours"): frozenset({None, True}),
}
"""What a policy, or a step of it, may choose, by rule: each choice is a row. None: nothing is said, so the default
holds."""

NAMED_TESTS: dict[int, tuple[str, ...]] = {
    20: (
        "unit/ticket_store/test_configuration_files.py::test_rule_20_a_policy_whose_clocks_would_never_run_is_refused",
        "integration/test_configuration_api.py::test_a_refused_document_is_422_with_every_field_and_changes_nothing",
    ),
    40: (
        "unit/ticket_store/test_configuration_files.py::test_each_mistake_is_named_with_its_place_and_its_fix",
        "unit/business_time/test_calendar.py::test_rule_40_a_calendar_that_never_opens_is_refused",
        "unit/business_time/test_calendar.py::test_rule_40_a_due_time_past_the_last_notice_is_known_to_be_uncertain",
        "integration/test_configuration_api.py::test_a_refused_document_is_422_with_every_field_and_changes_nothing",
    ),
    43: (
        "unit/sla_engine/test_sla_rules_of_alerts.py::"
        "test_rule_43_an_alert_is_dated_at_its_time_and_known_beforehand_so_that_its_own_timer_can_fire_it",
        "integration/test_sla_engine.py::test_a_timer_gives_each_alert_at_its_time_and_sets_the_next_one",
    ),
    46: (
        "unit/sla_engine/test_sla_rules_of_alerts.py::"
        "test_rule_46_every_transition_of_a_clock_cites_the_event_that_caused_it",
        "integration/test_sla_scenarios.py::test_every_rule_holds_through_kafka_the_engine_postgres_and_the_api",
    ),
    48: (
        "unit/sla_engine/test_sla_scenarios.py::test_rule_48_of_every_scenario_what_if_nothing_changes_is_what_happened",
        "unit/sla_engine/test_sla_rule_49_replay.py::"
        "test_rule_48_what_if_gives_the_clocks_of_a_life_under_the_other_policy",
        "integration/test_history_commands.py::test_what_if_shows_both_sides_and_changes_nothing",
    ),
    49: (
        "unit/sla_engine/test_sla_scenarios.py::test_rule_49_a_second_delivery_of_a_whole_scenario_changes_nothing",
        "unit/sla_engine/test_state_machine.py::TestTickets",
        "integration/test_sla_scenarios.py::test_every_rule_holds_through_kafka_the_engine_postgres_and_the_api",
    ),
}
"""Rules that are no steps and clocks: what is refused when saved, what holds for all scenarios, and lateness."""
