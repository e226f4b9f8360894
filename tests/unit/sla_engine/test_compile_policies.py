"""Configuration documents become policies and calendars."""

from datetime import UTC, datetime, timedelta

import pytest

from business_time.calendar import BusinessCalendar
from sla_engine.compile_policies import compile_calendars, compile_configuration
from sla_engine.count_durations import seconds
from sla_engine.domain.steps import Recipient, Step
from tests.unit.sla_engine.case import a_summary, office
from ticket_contracts.vocabulary import Channel, Metric, Priority
from ticket_store.configuration import Configuration, Versioned
from ticket_store.documents import Agent, Calendar, Document, Group, Policy, Team
from ticket_store.opening_hours import opening_hours


def a_configuration(*documents: Document) -> Configuration:
    return Configuration(7, {(each.kind, each.name): Versioned(each, 2) for each in documents})


def a_policy(name: str, order: int, **content: object) -> Policy:
    targets = {"first_response": {"normal": "1h"}, "resolution": {"normal": "2bd"}}
    return Policy.model_validate({"name": name, "order": order, "calendar": "office", "targets": targets, **content})


NIGHT = Calendar.model_validate({"name": "office", "zone": "Asia/Shanghai", "week": {"monday": ["22:00-06:00"]}})


@pytest.mark.parametrize(("duration", "counted"), [("45s", 45), ("30m", 1800), ("4h", 14_400), ("2bd", 16 * 3600)])
def test_rule_39_durations_are_counted_out_and_a_business_day_is_the_calendar_s(duration: str, counted: int) -> None:
    assert seconds(duration, office()) == counted


def test_rule_36_an_interval_over_midnight_ends_on_the_next_day() -> None:
    calendar = BusinessCalendar(opening_hours(NIGHT))
    monday_22_in_shanghai = datetime(2026, 1, 5, 14, tzinfo=UTC)
    assert calendar.next_opening(datetime(2026, 1, 5, tzinfo=UTC)) == monday_22_in_shanghai
    assert calendar.add(monday_22_in_shanghai, timedelta(hours=8)) == datetime(2026, 1, 5, 22, tzinfo=UTC)


def test_policies_stand_in_ascending_order_and_the_first_match_wins() -> None:
    policies = compile_configuration(
        a_configuration(
            NIGHT,
            a_policy("everything else", 90),
            a_policy("phone", 10, match={"channels": ["phone"]}),
            a_policy("pumps", 20, match={"tags": ["pump", "valve"], "brands": ["acme"]}),
        )
    )
    for channel, tags, brand, name in (
        (Channel.PHONE, ("pump",), "acme", "phone"),
        (Channel.EMAIL, ("valve",), "acme", "pumps"),
        (Channel.EMAIL, ("valve",), "other", "everything else"),
        (Channel.EMAIL, (), "acme", "everything else"),
    ):
        policy = policies.match(a_summary(brand=brand, channel=channel, tags=tags))
        assert policy is not None
        assert (policy.name, policy.version) == (name, 2)
    assert policies.in_force[0].targets[Metric.RESOLUTION][Priority.NORMAL] == 16 * 3600


def test_rule_40_a_calendar_that_never_opens_cannot_be_used_and_the_reason_is_kept() -> None:
    usable, unusable = compile_calendars([Calendar(name="never", week={})])
    assert usable == {}
    assert "never has no opening hours" in unusable["never"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"country": "ZZ"}, "ZZ"), ({"country": "DE", "subdivision": "XX"}, "XX"), ({"zone": "Asia/Nowhere"}, "Nowhere")],
)
def test_what_a_newer_library_does_not_know_any_more_is_noticed_before_a_ticket_needs_it(
    changes: dict[str, str], reason: str
) -> None:
    usable, unusable = compile_calendars([NIGHT.model_copy(update=changes)])
    assert usable == {}
    assert reason in unusable["office"]


def test_rule_35_a_policy_without_a_usable_calendar_promises_nothing() -> None:
    policies = compile_configuration(a_configuration(a_policy("standard", 1)))
    assert policies.in_force[0].targets == {}


def test_a_target_that_its_calendar_cannot_hold_is_not_promised() -> None:
    minute_a_week = Calendar.model_validate({"name": "office", "week": {"monday": ["09:00-09:01"]}})
    policies = compile_configuration(a_configuration(minute_a_week, a_policy("standard", 1)))
    assert policies.in_force[0].targets == {
        Metric.FIRST_RESPONSE: {Priority.NORMAL: 3600},
        Metric.RESOLUTION: {Priority.NORMAL: 120},
    }
    policies = compile_configuration(
        a_configuration(minute_a_week, a_policy("standard", 1, targets={"resolution": {"normal": "300m"}}))
    )
    assert policies.in_force[0].targets == {}


ESCALATIONS = [
    {"name": "soon", "metric": "resolution", "at": "warning:75", "notify": [{"to": "group", "name": "duty"}]},
    {"name": "late", "metric": "resolution", "at": "breach", "reassign_team": "experts", "reassign_to": "boss"},
    {"name": "later", "metric": "resolution", "at": "breach+2bd", "raise_priority": True, "out_of_hours": True},
    {"name": "never", "metric": "resolution", "at": "breach+99999999h", "notify": [{"to": "assignee"}]},
]


def test_rule_45_steps_become_points_of_a_clock_s_life_and_one_that_never_comes_is_left_out() -> None:
    configuration = a_configuration(NIGHT, a_policy("standard", 1, escalations=ESCALATIONS))
    [policy] = compile_configuration(configuration).in_force
    assert policy.steps == (
        Step("soon", Metric.RESOLUTION, percent=75, notify=(Recipient("group", "duty"),)),
        Step("late", Metric.RESOLUTION, reassign_team="experts", reassign_to="boss"),
        Step("later", Metric.RESOLUTION, after=timedelta(hours=16), raise_priority=True, out_of_hours=True),
    )


def test_agents_leads_and_groups_become_those_whom_the_engine_tells() -> None:
    people = compile_configuration(
        a_configuration(
            Agent(name="boss", display_name="The Boss", email="boss@acme.example"),
            Team(name="experts", display_name="Experts", leads=("boss",)),
            Group(name="duty", display_name="Duty", addresses=("duty@acme.example",)),
        )
    ).people
    told = people.resolve((Recipient("team-leads"), Recipient("group", "duty")), a_summary(team="experts"))
    assert [each.email for each in told] == ["boss@acme.example", "duty@acme.example"]
