"""Automation documents become rules that run."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sla_engine.compile_automation import compile_automation
from sla_engine.compile_people import compile_people
from sla_engine.domain.automation_rules import Rules
from sla_engine.domain.automation_view import Views
from tests.unit.sla_engine.case import a_summary, moment, office
from ticket_contracts.vocabulary import Channel, Status
from ticket_store.configuration import Configuration, Versioned
from ticket_store.configuration_files import read_documents
from ticket_store.documents import Agent, Document, Group, Team
from ticket_store.workflow_documents import Automation

PEOPLE: tuple[Document, ...] = (
    Agent(name="lin", display_name="林晓", email="lin@acme.example"),
    Agent(name="wang", display_name="王磊", email="wang@acme.example"),
    Team(name="service", display_name="Service", members=("wang",), leads=("lin",)),
    Group(name="duty", display_name="Duty", members=("lin",), addresses=("duty@acme.example",)),
)


def configured(*rules: dict[str, Any]) -> Configuration:
    documents = [*PEOPLE, *(Automation.model_validate({"order": 1, "then": {"note": "x"}, **rule}) for rule in rules)]
    return Configuration(7, {(each.kind, each.name): Versioned(each, 2) for each in documents})


def compiled(*rules: dict[str, Any]) -> Rules:
    return compile_automation(configured(*rules), {"office": office()})


def test_rules_stand_in_ascending_order_with_their_version_and_that_of_the_configuration() -> None:
    first, last = {"name": "b", "on": ["opened"], "order": 1}, {"name": "a", "on": ["opened"], "order": 2}
    rules = compiled(last, first, {"name": "c", "on": ["opened"], "order": 2, "channels": ["phone"], "stop": True})

    assert [rule.name for rule in rules.by_fact["opened"]] == ["b", "a", "c"]
    assert (rules.rules[0].version, rules.configuration_version) == (2, 7)
    assert (rules.rules[2].channels, rules.rules[2].stop) == (frozenset({Channel.PHONE}), True)


@pytest.mark.parametrize(
    ("after", "end"),
    [
        ({"duration": "90m"}, moment("fri 18:00")),
        ({"duration": "90m", "calendar": "office"}, moment("mon 10:00", week=1)),
        ({"duration": "3bd", "calendar": "office"}, moment("wed 16:30", week=1)),
    ],
)
def test_a_wait_is_counted_by_the_wall_clock_or_by_the_business_time_of_its_calendar(
    after: dict[str, str], end: object
) -> None:
    rules = compiled({"name": "a", "after": {"status": "pending", **after}})

    [(_, stay)] = rules.by_status[Status.PENDING]
    assert stay.end(moment("fri 16:30")) == end
    assert rules.by_status[Status.OPEN] == ()


@pytest.mark.parametrize(
    "unusable",
    [
        {"on": ["opened"], "when": "ticket.number >"},
        {"on": ["opened"], "when": "tickets.number > 3"},
        {"after": {"status": "pending", "duration": "1bd", "calendar": "gone"}},
        {"after": {"status": "pending", "duration": "99999bd", "calendar": "office"}},
    ],
)
def test_a_rule_that_cannot_be_used_is_left_out_and_the_others_go_on(unusable: dict[str, Any]) -> None:
    rules = compiled({"name": "bad", **unusable}, {"name": "good", "on": ["opened"]})

    assert [rule.name for rule in rules.rules] == ["good"]


@pytest.mark.parametrize(
    ("notify", "told"),
    [
        ({"to": "assignee"}, {"wang@acme.example": ("assignee",)}),
        ({"to": "team-leads"}, {"lin@acme.example": ("team-lead",)}),
        ({"to": "watchers"}, {"lin@acme.example": ("watcher",), "gone": ("watcher",)}),
        ({"to": "agent", "name": "wang"}, {"wang@acme.example": ("agent",)}),
        ({"to": "agent", "name": "gone"}, {"gone": ("agent",)}),
        ({"to": "group", "name": "duty"}, {"lin@acme.example": ("group:duty",), "duty@acme.example": ("group:duty",)}),
    ],
    ids=str,
)
def test_roles_and_names_become_people(notify: dict[str, str], told: dict[str, tuple[str, ...]]) -> None:
    loaded = configured({"name": "tell", "on": ["opened"], "then": {"notify": [notify]}})
    [rule] = compile_automation(loaded, {}).rules

    people = compile_people(loaded).resolve(rule.effect.notify, a_summary(assignee="wang", watchers=("lin", "gone")))
    assert {person.email or person.name: person.roles for person in people} == told


def test_a_wait_without_a_calendar_lasts_as_long_as_a_stop_watch_says() -> None:
    [(_, stay)] = compiled({"name": "a", "after": {"status": "new", "duration": "36h"}}).by_status[Status.NEW]

    assert stay.end(moment("fri 16:30")) == moment("fri 16:30") + timedelta(hours=36)


PAGE = (Path(__file__).parents[3] / "docs" / "automation.md").read_text(encoding="utf-8")


def test_the_rules_of_the_documentation_can_all_be_used(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0], encoding="utf-8")
    found = [each for each in read_documents(file) if isinstance(each, Automation)]
    loaded = Configuration(7, {(each.kind, each.name): Versioned(each, 2) for each in found})

    rules = compile_automation(loaded, {"office-hours": office()}).rules
    assert [rule.name for rule in rules] == ["safety", "remind", "close"]


def test_the_documentation_lists_in_both_languages_all_that_a_condition_sees() -> None:
    english, chinese = PAGE.split("## 中文")
    shown = Views(["ticket", "fact", "message"])
    for name in (*shown.ticket_fields, *shown.message_fields):
        assert f".{name}" in english, name
        assert f"`{name}`" in chinese, name
