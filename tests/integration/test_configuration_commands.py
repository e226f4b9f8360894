"""An operator at the command line: applies a directory, sees the plan first, and goes back."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ticket_store.test_configuration_files import GOOD, write

COMMAND_SECONDS = 60  # other work shares the machine; two usual


@dataclass(frozen=True)
class Desk:
    """The shell of an operator with FIREBREAK_POSTGRES set."""

    database: str

    async def run(self, *arguments: str, answer: str = "") -> tuple[int | None, str]:
        others = {name: value for name, value in os.environ.items() if not name.startswith("FIREBREAK_")}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "firebreak_cli", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=others | {"FIREBREAK_POSTGRES": self.database, "COLUMNS": "150"},
        )
        output, _ = await asyncio.wait_for(process.communicate(answer.encode()), COMMAND_SECONDS)
        return process.returncode, output.decode()

    async def succeeds(self, *arguments: str, answer: str = "") -> str:
        code, output = await self.run(*arguments, answer=answer)
        assert code == 0, output
        return output

    async def history(self) -> list[dict[str, Any]]:
        versions: list[dict[str, Any]] = json.loads(await self.succeeds("configuration", "history", "--json"))
        return versions


@pytest.fixture
def desk(database_url: str) -> Desk:
    return Desk(database_url)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write(tmp_path, GOOD)


async def test_a_directory_is_planned_asked_about_and_applied(desk: Desk, directory: Path) -> None:
    output = await desk.succeeds("apply", str(directory), "--as", "anna", answer="y\n")

    assert "+ policy/standard  added" in output
    assert "On version 0: 6 added, 0 changed, 0 archived, 0 unchanged." in output
    assert "The configuration is at version 1." in output
    assert [(each["version"], each["applied_by"]) for each in await desk.history()] == [(1, "anna")]


@pytest.mark.parametrize(("options", "answer"), [(("--dry-run",), ""), ((), "n\n"), ((), "")], ids=str)
async def test_nothing_is_applied_without_a_yes(
    desk: Desk, directory: Path, options: tuple[str, ...], answer: str
) -> None:
    _, output = await desk.run("apply", str(directory), *options, answer=answer)

    assert "+ calendar/hours  added" in output
    assert await desk.history() == []


async def test_a_second_apply_shows_the_fields_that_differ_and_the_same_again_changes_nothing(
    desk: Desk, directory: Path
) -> None:
    await desk.succeeds("apply", str(directory), "--yes")
    changed = GOOD["sla/standard.yml"].replace("normal: 4h", "normal: 2h").replace("13:30-24:00", "13:30-18:00")
    write(directory, {"sla/standard.yml": changed})

    output = await desk.succeeds("apply", str(directory), "--yes")
    again = await desk.succeeds("apply", str(directory))

    assert 'targets.first_response.normal: "4h" → "2h"' in output
    assert "~ calendar/hours  changed" in output
    assert "worked out anew: roll-out" in output
    assert "Nothing to change: version 2 is in force with 6 documents." in again


async def test_a_wrong_directory_is_refused_with_every_problem_and_no_trace_of_code(
    desk: Desk, directory: Path
) -> None:
    write(directory, {"more.yaml": "kind: brand\nname: x\ncolour: red\n"})

    code, output = await desk.run("apply", str(directory), "--yes")

    assert code == 1
    assert "more.yaml: brand/x: display_name: it is missing; add it" in output
    assert "more.yaml: brand/x: colour: there is no such field" in output
    assert "Traceback" not in output
    assert await desk.history() == []


async def test_what_was_shown_of_a_version_can_be_applied_and_one_command_goes_back(
    desk: Desk, directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await desk.succeeds("apply", str(directory), "--yes")
    shown = await desk.succeeds("configuration", "show", "1")
    assert await desk.succeeds("configuration", "show") == shown  # the newest
    same = write(tmp_path_factory.mktemp("shown"), {"all.yaml": shown})
    assert "Nothing to change" in await desk.succeeds("apply", str(same))
    (directory / "rules.yaml").unlink()
    assert "- routing/rules  archived" in await desk.succeeds("apply", str(directory), "--yes")

    output = await desk.succeeds("configuration", "rollback", "1", "--yes", "--as", "ben")

    assert "+ routing/rules  added" in output
    assert "at version 3" in output
    newest = (await desk.history())[0]
    assert (newest["version"], newest["rolled_back_to"], newest["applied_by"]) == (3, 1, "ben")
    table = await desk.succeeds("configuration", "history")
    assert "back to 1; + routing/rules" in table


async def test_a_version_that_never_was_is_said_plainly(desk: Desk, directory: Path) -> None:
    await desk.succeeds("apply", str(directory), "--yes")

    code, output = await desk.run("configuration", "show", "7")

    assert code == 1
    assert "there is no version 7; give one from 1 to 1" in output


async def test_a_reevaluation_needs_a_stated_set(desk: Desk, directory: Path) -> None:
    await desk.succeeds("apply", str(directory), "--yes")

    code, output = await desk.run("reevaluate")
    assert (code, "say which tickets" in output) == (2, True)
    assert "Asked for 0 tickets" in await desk.succeeds("reevaluate", "--team", "triage", answer="y\n")
