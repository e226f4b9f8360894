"""docs/what-if.md: its staffing file can be read, and its example is what the model gives."""

import re
from pathlib import Path

import pytest

from sla_engine.compile_staffing import compile_side
from sla_engine.domain.queueing import serve
from sla_engine.domain.team_queue import Shift
from sla_engine.domain.waits import Wait, Waited, Waits, microseconds
from sla_engine.staffing_file import StaffingDocument, StaffingFile, read_staffing
from tests.support.workspace_services import ROOT
from tests.unit.docs.sla_examples import ZONE, at
from tests.unit.sla_engine.case import office
from ticket_contracts.vocabulary import Priority

PAGE = (ROOT / "docs" / "what-if.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (Mon .*?) \| (normal|urgent) \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)


@pytest.fixture
def file(tmp_path: Path) -> StaffingFile:
    [text] = re.findall(r"```yaml\n(supposed:.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "agents.yaml"
    path.write_text(text, encoding="utf-8")
    return read_staffing(path)


@pytest.mark.parametrize("agents", [1, 2])
def test_the_example_is_what_the_model_gives(file: StaffingFile, agents: int) -> None:
    team = compile_side(file.document, "supposed", {"office": office()}, {})["after-sales"]
    queue = type(team)((Shift(office(zone=ZONE), agents),), team.handling, team.by_priority)
    waits = Waits()
    for asked, priority, *_ in ROWS:
        waits.add(Waited([Wait(1, at(asked), at(asked), "after-sales", Priority(priority))], goes_on=False))
    served = serve(waits, {"after-sales": queue}, microseconds(at("next Mon 下周一 09:00")))
    assert [microseconds(at(row[1 + agents])) for row in ROWS] == list(served.ended)


def test_every_setting_is_on_the_page() -> None:
    assert len(ROWS) == 4
    assert [name for name in StaffingDocument.model_fields if f"`{name}`" not in PAGE] == []
