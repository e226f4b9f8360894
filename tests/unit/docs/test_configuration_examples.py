"""docs/configuration.md: its examples are one configuration that is accepted, and show every kind there is."""

import re
from pathlib import Path

from tests.support.workspace_services import ROOT
from ticket_store.configuration import load_directory
from ticket_store.document_kinds import DOCUMENT_KINDS

PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_examples_together_are_a_configuration_with_every_kind(tmp_path: Path) -> None:
    for number, example in enumerate(EXAMPLES):
        (tmp_path / f"{number}.yaml").write_text(example, encoding="utf-8")

    assert {document.kind for document in load_directory(tmp_path)} == set(DOCUMENT_KINDS)


def test_the_page_has_a_summary_in_chinese() -> None:
    assert "中文摘要" in PAGE
