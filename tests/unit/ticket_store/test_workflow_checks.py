"""The documents of work are refused when they contradict themselves, each by its field."""

import pytest

from ticket_contracts.automation import MOST_RULES
from ticket_store.configuration_checks import ConfigurationRefused, FoundDocument, check_documents
from ticket_store.documents import Document, Team
from ticket_store.workflow_documents import Automation, CustomField, Flow, PriorityMatrix, StatusName, Taxonomy

TRIAGE = Team(name="triage", display_name="Triage", triage=True)
PARTS = StatusName.model_validate({"name": "waiting-for-parts", "category": "on-hold"})
ROW = {"low": "low", "medium": "normal", "high": "high"}


def problems(*documents: Document) -> list[str]:
    try:
        check_documents([FoundDocument(each) for each in (TRIAGE, PARTS, *documents)])
    except ConfigurationRefused as refused:
        return [str(problem) for problem in refused.problems]
    return []


def test_documents_that_hold_are_accepted() -> None:
    steps = {"new": ("open",), "open": ("waiting-for-parts", "solved"), "waiting-for-parts": ("open",)}
    flow = Flow(name="careful", allowed=steps)
    field = CustomField(name="warranty", type="choice", choices=("valid", "expired"))
    taxonomy = Taxonomy.model_validate({"name": "taxonomy", "causes": [{"name": "wear"}]})
    matrix = PriorityMatrix.model_validate({"name": "priorities", "priorities": dict.fromkeys(ROW, ROW)})
    assert problems(flow, field, taxonomy, matrix) == []


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (Flow(name="f", allowed={"new": ("opne", "solved")}), "flow/f: allowed.new: there is no status 'opne'"),
        (CustomField(name="w", type="choice"), "field/w: choices: a choice needs at least one"),
        (CustomField(name="w", type="text", choices=("a",)), "field/w: choices: a field of type text has none"),
        (CustomField(name="w", type="choice", choices=("a", "a")), "field/w: choices: 'a' stands there 2 times"),
        (Taxonomy(name="words"), "taxonomy/words: name: the one taxonomy is named 'taxonomy'"),
        (PriorityMatrix(name="m", priorities={}), "matrix/m: name: the one matrix is named 'priorities'"),
        (PriorityMatrix(name="priorities", priorities={}), "priorities.low.high: it is missing"),
    ],
    ids=str,
)
def test_each_contradiction_is_named_with_its_fix(document: Document, problem: str) -> None:
    assert any(problem in each for each in problems(document)), problems(document)


@pytest.mark.parametrize("allowed", [{"new": ("open",)}, {"open": ("pending",), "pending": ("open",)}], ids=str)
def test_a_flow_without_an_end_is_told_once(allowed: dict[str, tuple[str, ...]]) -> None:
    assert problems(Flow(name="f", allowed=allowed)) == [
        "flow/f: allowed: no way leads from new or open to a status that is solved or closed; add one"
    ]


def test_more_automation_rules_than_a_ticket_remembers_are_refused_once_with_the_limit() -> None:
    content = [{"name": f"r{n}", "order": n, "on": ["opened"], "then": {"note": "x"}} for n in range(MOST_RULES + 2)]
    rules = [Automation.model_validate(each) for each in content]

    assert problems(*rules[:MOST_RULES]) == []
    assert problems(*rules) == [
        "automation/r500: it is one of 502 automation rules, and at most 500 are allowed; remove or join some"
    ]


def test_more_rules_on_time_for_one_status_than_the_engine_lets_wait_are_refused() -> None:
    after, then = {"status": "pending", "duration": "3h"}, {"note": "x"}
    content = [{"name": f"r{n}", "order": n, "after": after, "then": then} for n in range(101)]
    rules = [Automation.model_validate(each) for each in content]

    assert problems(*rules[:100]) == []
    assert [each for each in problems(*rules) if "more than 100 rules wait" in each] == [
        "automation/r100: after.status: more than 100 rules wait in the status pending; remove some, or join them"
    ]
