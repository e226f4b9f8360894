"""docs/configuration.md: its examples are one configuration that is accepted, and show every kind there is."""

import re
from pathlib import Path
from typing import Any

import pytest

from sla_engine.compile_workflow import compile_workflow
from tests.support.workspace_services import ROOT
from tests.unit.sla_engine.case import AGENT, TICKET_ID, a_summary
from ticket_contracts.commands import SetStatus
from ticket_contracts.vocabulary import Status
from ticket_store.configuration import Configuration, Versioned, load_directory
from ticket_store.document_kinds import DOCUMENT_KINDS
from ticket_store.touched_kinds import COUNTED
from ticket_store.touched_rules import MOST_TICKETS

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

STEPS = {
    "new": ("open", "closed"),
    "open": ("pending", "waiting-for-parts", "solved"),
    "pending": ("open", "solved"),
    "waiting-for-parts": ("open", "solved"),
    "on-hold": ("open", "solved"),  # handed over by a team that has no finer word
    "solved": ("open", "closed"),
}


def test_it_tells_in_both_languages_which_open_tickets_each_kind_touches() -> None:
    english, chinese = PAGE.split("## Which open tickets a plan counts")[1].split("\n## ")[0].split("**中文**")
    for kind in DOCUMENT_KINDS:
        assert f"| `{kind}`" in english, kind
        assert f"`{kind}` " in chinese, kind
    assert f"{MOST_TICKETS:,}" in english
    assert f"{MOST_TICKETS:,}" in chinese


def test_every_kind_but_routing_is_counted_in_a_plan() -> None:
    assert {kind.kind for kind in COUNTED} | {"routing"} == set(DOCUMENT_KINDS)


def loaded(directory: Path) -> Configuration:
    for number, example in enumerate(EXAMPLES):
        (directory / f"{number}.yaml").write_text(example, encoding="utf-8")
    return Configuration(1, {(each.kind, each.name): Versioned(each, 1) for each in load_directory(directory)})


def test_the_examples_together_are_a_configuration_with_every_kind(tmp_path: Path) -> None:
    assert {kind for kind, _ in loaded(tmp_path).documents} == set(DOCUMENT_KINDS)


@pytest.mark.parametrize(("before", "after"), [(before, after) for before in STEPS for after in STEPS[before]])
def test_an_agent_can_do_what_work_asks_for_under_the_flow_of_the_example(
    tmp_path: Path, before: str, after: str
) -> None:
    workflow = compile_workflow(loaded(tmp_path))

    def words(name: str) -> dict[str, Any]:
        own = workflow.statuses.get(name)
        return {"status": own or Status(name), "status_name": name if own else None}

    ticket = a_summary(team="after-sales", **words(before))
    code = "replaced" if after in ("solved", "closed") else None
    wish = SetStatus(ticket_id=TICKET_ID, actor=AGENT, resolution_code=code, **words(after))
    assert workflow.refusal_of_status(ticket, wish) == ""


def test_the_page_has_a_summary_in_chinese() -> None:
    assert "中文摘要" in PAGE
