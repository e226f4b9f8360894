"""What policies, flows, fields and automation may say: each mistake is named with its field and its fix."""

from typing import Any

import pytest

from ticket_store.configuration_checks import ConfigurationRefused, FoundDocument, check_documents
from ticket_store.document_kinds import DOCUMENT_KINDS
from ticket_store.documents import Document

ANNA = {"kind": "agent", "name": "anna", "display_name": "Anna", "email": "anna@example.org"}
TRIAGE = {"kind": "team", "name": "triage", "display_name": "Triage", "members": ["anna"], "triage": True}
HOURS = {"kind": "calendar", "name": "hours", "week": {"monday": ["09:00-17:00"]}}
DUTY = {"kind": "group", "name": "duty", "display_name": "Duty", "members": ["anna"]}
PARTS = {"kind": "status", "name": "waiting-for-parts", "category": "on-hold"}
COLOUR = {"kind": "field", "name": "colour", "type": "choice", "choices": ["red", "blue"]}
BASE: tuple[dict[str, Any], ...] = (ANNA, TRIAGE, HOURS, DUTY, PARTS, COLOUR)
MATRIX = {impact: dict.fromkeys(("low", "medium", "high"), "normal") for impact in ("low", "medium", "high")}


def document(fields: dict[str, Any]) -> Document:
    return DOCUMENT_KINDS[fields["kind"]].model_validate({name: fields[name] for name in fields if name != "kind"})


def problems(*added: dict[str, Any]) -> list[str]:
    """What is said of these beside the base; one of the same kind and name takes its place."""
    replaced = {(each["kind"], each["name"]): each for each in (*BASE, *added)}
    try:
        check_documents([FoundDocument(document(each)) for each in replaced.values()])
    except ConfigurationRefused as refused:
        return [str(each) for each in refused.problems]
    return []


def policy(name: str = "standard", order: int = 10, **fields: Any) -> dict[str, Any]:
    targets = {"first_response": {"normal": "4h"}}
    return {"kind": "policy", "name": name, "order": order, "calendar": "hours", "targets": targets, **fields}


def step(**fields: Any) -> dict[str, Any]:
    told = {"name": "late", "metric": "first_response", "at": "breach", "notify": [{"to": "assignee"}]}
    return policy(escalations=[{**told, **fields}])


def flow(allowed: dict[str, list[str]], **fields: Any) -> dict[str, Any]:
    return {"kind": "flow", "name": "work", "allowed": allowed, **fields}


def rule(**fields: Any) -> dict[str, Any]:
    return {"kind": "automation", "name": "rule", "order": 1, "on": ["opened"], "then": {"note": "x"}, **fields}


GOOD: tuple[dict[str, Any], ...] = (
    policy(match={"tags": ["vip"]}, order=1, name="vip"),
    step(at="warning:75", notify=[{"to": "group", "name": "duty"}, {"to": "agent", "name": "anna"}]),
    step(notify=[{"to": "watchers"}, {"to": "team-leads"}]),
    step(at="breach+2h", notify=[], reassign_team="triage", reassign_to="anna"),
    {**step(notify=[], raise_priority=True), "targets": {"first_response": {"high": "4h", "urgent": "1h"}}},
    flow({"new": ["open"], "open": ["waiting-for-parts", "solved"], "waiting-for-parts": ["open"]}),
    flow({"new": ["open"], "open": ["on-hold", "closed"], "on-hold": ["open"]}),
    {"kind": "field", "name": "serial", "type": "text"},
    {"kind": "taxonomy", "name": "taxonomy", "resolution_codes": [{"name": "replaced"}], "causes": [{"name": "wear"}]},
    {"kind": "matrix", "name": "priorities", "priorities": MATRIX},
    rule(on=["message-added"], when='"vip" in ticket.tags', then={"team": "triage", "fields": {"colour": "red"}}),
    rule(on=[], after={"status": "pending", "duration": "3bd", "calendar": "hours"}, then={"status": "closed"}),
)


@pytest.mark.parametrize("good", GOOD, ids=str)
def test_what_is_right_is_accepted(good: dict[str, Any]) -> None:
    assert problems(good) == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({**TRIAGE, "leads": ["ben"]}, "team/triage: leads: there is no agent named 'ben'"),
        ({**TRIAGE, "display_name": " "}, "team/triage: display_name: it is blank"),
        ({**DUTY, "members": ["ben"]}, "group/duty: members: there is no agent named 'ben'"),
        ({**DUTY, "members": []}, "group/duty: members: nobody is in it"),
        (step(metric="update"), "policy/standard: escalations.0.metric: the policy promises no update"),
        (step(at="warning:60"), "escalations.0.at: there is no warning at 60 % (warnings: 50, 75, 90)"),
        (step(notify=[]), "escalations.0.notify: the step does nothing"),
        (step(notify=[{"to": "group"}]), "escalations.0.notify.0.name: name the group that is told"),
        (step(notify=[{"to": "group", "name": "x"}]), "escalations.0.notify.0.name: there is no group named 'x'"),
        (step(notify=[{"to": "agent", "name": "x"}]), "escalations.0.notify.0.name: there is no agent named 'x'"),
        (step(notify=[{"to": "assignee", "name": "x"}]), "escalations.0.notify.0.name: assignee is a role"),
        (step(reassign_team="x"), "escalations.0.reassign_team: there is no team named 'x'"),
        (step(reassign_to="x"), "escalations.0.reassign_to: there is no agent named 'x'"),
        (step(raise_priority=True), "escalations.0.raise_priority: from normal it leads to high, for which no first"),
        (policy(escalations=step()["escalations"] * 2), "escalations: 2 steps are named 'late'"),
        ({**PARTS, "name": "pending"}, "status/pending: name: this is the word of a category"),
        (flow({"new": ["solved"]}, teams=["x"]), "flow/work: teams: there is no team named 'x'"),
        (flow({"new": ["open"], "open": ["waiting-for-parts"]}), "flow/work: allowed: no way leads from"),
        (flow({"open": ["solved"], "waiting-for-parts": ["open"]}),
         "flow/work: allowed.waiting-for-parts: no ticket can come to this status"),
        (rule(on=[]), "automation/rule: on: a rule reacts to facts (`on`) or to time (`after`)"),
        (rule(after={"status": "open", "duration": "1h"}), "automation/rule: on: a rule reacts to facts"),
        (rule(on=["openend"]), "automation/rule: on.0: there is no fact 'openend'; use one of "),
        (rule(on=[], after={"status": "open", "duration": "3bd"}), "after.calendar: business days are those of a"),
        (rule(on=[], after={"status": "open", "duration": "3h", "calendar": "x"}), "after.calendar: there is no cal"),
        (rule(on=[], after={"status": "open", "duration": "00h"}), "after.duration: no time would pass; give at least"),
        (rule(on=[], after={"status": "open", "duration": "87601h"}), "after.duration: nobody lives to see it"),
        (policy(targets={"first_response": {"normal": "9" * 5000 + "h"}}), "targets.first_response.normal: nobody"),
        (step(at="breach+999999999999h"), "escalations.0.at: nobody lives to see it"),
        (policy(escalations=step()["escalations"] * 51), "escalations: 51 steps; every clock remembers"),
        (rule(then={"status": "new"}), "then.status: no ticket becomes new again"),
        (rule(then={}), "automation/rule: then: the rule does nothing"),
        (rule(then={"team": "x"}), "then.team: there is no team named 'x'"),
        (rule(then={"assignee": "x"}), "then.assignee: there is no agent named 'x'"),
        (rule(then={"notify": [{"to": "group", "name": "x"}]}), "then.notify.0.name: there is no group named 'x'"),
        (rule(then={"fields": {"size": 3}}), "then.fields.size: there is no field of this name"),
        (rule(then={"fields": {"colour": "green"}}), "then.fields.colour: 'green' is no choice of red, blue"),
        (rule(on=["rule-ran"]), "automation/rule: on.0: there is no fact 'rule-ran'"),
        (rule(when="tickets.number > 3"), "when: there is only `ticket`, `fact`, `message`, not tickets"),
        (rule(on=["assigned"], when="message.public"), "when: there is only `ticket`, `fact`, not message"),
        (rule(on=[], after={"status": "open", "duration": "3h"}, when="fact.at == 1"), "only `ticket`, not fact"),
        (rule(when='ticket.subject.matches(ticket.brand)'), "when: the regular expression of `matches` must be"),
        (rule(then={"note": "a\x00b"}), "automation/rule: then.note: it holds the character U+0000"),
    ],
    ids=str,
)  # fmt: skip
def test_each_mistake_is_named_with_its_field_and_its_fix(wrong: dict[str, Any], problem: str) -> None:
    found = problems(wrong)

    assert any(problem in each for each in found), found


@pytest.mark.parametrize(
    ("type_", "value", "fits"),
    [
        ("text", "x", True), ("text", 1, False),
        ("number", 1, True), ("number", 1.5, True), ("number", True, False), ("number", "1", False),
        ("boolean", True, True), ("boolean", 1, False),
        ("date", "2026-02-28", True), ("date", "2026-02-30", False), ("date", 20260228, False),
    ],
)  # fmt: skip
def test_a_rule_sets_a_field_only_to_what_its_type_allows(type_: str, value: object, fits: bool) -> None:
    field = {"kind": "field", "name": "extra", "type": type_}

    assert (problems(field, rule(then={"fields": {"extra": value}})) == []) is fits


@pytest.mark.parametrize(
    ("earlier", "later", "reached"),
    [
        ({}, {}, False),
        ({}, {"tags": ["vip"]}, False),
        ({"tags": ["vip"]}, {}, True),
        ({"tags": ["vip", "key"]}, {"tags": ["vip"]}, False),
        ({"tags": ["vip"]}, {"tags": ["vip", "key"]}, True),
        ({"channels": ["phone", "email"]}, {"channels": ["phone"], "tags": ["vip"]}, False),
        ({"channels": ["phone"]}, {"tags": ["vip"]}, True),
        ({"teams": ["triage"]}, {"teams": ["triage"]}, False),
    ],
    ids=str,
)
def test_a_policy_behind_one_that_takes_all_its_tickets_is_refused(
    earlier: dict[str, Any], later: dict[str, Any], reached: bool
) -> None:
    found = problems(policy("later", 20, match=later), policy("earlier", 10, match=earlier))

    expected = "policy/later: match: policy/earlier comes first and takes all its tickets; give this one a lower order"
    assert found == ([] if reached else [expected])


def test_a_policy_that_begins_at_a_date_leaves_older_tickets_to_later_ones() -> None:
    dated = policy("new", 10, effective_from="2026-03-01T00:00:00+08:00")

    assert problems(dated, policy("old", 20)) == []


def test_two_flows_of_one_team_are_refused_because_which_one_holds_would_be_open() -> None:
    steps = {"new": ["open"], "open": ["solved"]}

    found = problems(flow(steps, teams=["triage"]), flow(steps, name="other", teams=["triage"]))
    assert found == ["flow/other: teams: flow/work is the flow of team 'triage' already; which one holds would be open"]
    assert "of all teams that no flow names" in problems(flow(steps), flow(steps, name="other"))[0]


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ('ticket.subject.contains("x"', "line 1, column 28: missing ')' at '<EOF>'\n"
         '  ticket.subject.contains("x"\n'
         "                             ^"),
        ("true &&\n  )", "line 2, column 3: mismatched input ')'\n    )\n    ^"),
        ('"退款" ==', "line 1, column 8: mismatched input '<EOF>'\n  \"退款\" ==\n           ^"),
    ],
)  # fmt: skip
def test_a_condition_that_does_not_compile_shows_the_place(expression: str, place: str) -> None:
    [found] = problems(rule(when=expression))

    assert found == f"automation/rule: when: not a CEL expression at {place}"
