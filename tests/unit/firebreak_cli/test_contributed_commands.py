"""Services bring commands of their own; one that is broken costs no other."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
import typer
from typer.testing import CliRunner

from firebreak_cli import contributed_commands
from firebreak_cli.__main__ import make_app
from firebreak_cli.contributed_commands import GROUP, add_contributed


def test_the_engines_commands_stand_beside_our_own() -> None:
    listed = CliRunner().invoke(make_app(), ["--help"]).output
    assert "rebuild" in listed
    assert "dead-letters" in listed


def test_a_service_that_cannot_be_loaded_is_named_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        EntryPoint("broken", "no_such_service.commands:add_to", GROUP),
        EntryPoint("engine", "sla_engine.commands:add_to", GROUP),
    ]
    monkeypatch.setattr(contributed_commands, "entry_points", lambda **_: found)
    app = typer.Typer()
    add_contributed(app)
    assert "no_such_service" in capsys.readouterr().err
    assert CliRunner().invoke(app, ["--help"]).exit_code == 0


def test_what_goes_wrong_in_a_contributed_command_is_said_in_one_line() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "firebreak_cli", "rebuild", "--check"],
        env={"FIREBREAK_POSTGRES": "postgresql://nobody@127.0.0.1:9/none", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "127.0.0.1:9" in ended.stderr
    assert "Traceback" not in ended.stderr
