"""docs/escalation.md: its policy is one that is accepted, and it is there in both languages."""

import re
from pathlib import Path

from tests.support.workspace_services import ROOT
from ticket_store.configuration import load_directory
from ticket_store.documents import Policy

PAGE = (ROOT / "docs" / "escalation.md").read_text(encoding="utf-8")
EXAMPLES = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXPERTS = "kind: team\nname: experts\ndisplay_name: Experts\nmembers: [lin]\n"


def test_the_policy_with_the_people_of_the_configuration_page_is_accepted(tmp_path: Path) -> None:
    people, hours, *_ = EXAMPLES.findall(CONFIGURATION)
    for number, text in enumerate((people, hours, EXPERTS, *EXAMPLES.findall(PAGE))):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")

    [policy] = [each for each in load_directory(tmp_path) if isinstance(each, Policy)]
    assert [step.at for step in policy.escalations] == ["warning:75", "breach", "breach+2h"]


def test_every_field_of_a_step_is_explained_in_both_languages() -> None:
    english, chinese = PAGE.split("## 中文说明")
    for field in (
        "notify",
        "reassign_team",
        "reassign_to",
        "raise_priority",
        "out_of_hours",
        "warning:75",
        "breach+1bd",
    ):
        assert f"`{field}" in english
        assert f"`{field}" in chinese
