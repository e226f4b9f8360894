"""The one image recipe, as far as it can be checked without building it."""

import ast
import json
import re

from tests.support.workspace_services import ROOT
from tests.unit.deploy.environment import DOCKERFILE, IMAGE_ENVIRONMENT


def test_uv_is_the_one_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = re.search(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)
    assert wanted is not None
    assert f"ARG UV_VERSION={wanted[1]}\n" in DOCKERFILE


def test_python_is_the_one_that_is_tested() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    minimum = re.search(r'requires-python = ">=(\S+)"', project)
    assert minimum is not None
    assert f"ARG PYTHON={minimum[1]}\n" in DOCKERFILE


def test_the_process_is_not_root_and_gets_signals_itself() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    entries = re.findall(r"^(?:ENTRYPOINT|CMD) (.+)$", DOCKERFILE, re.MULTILINE)
    assert [json.loads(entry) for entry in entries] == [["/app/.venv/bin/service"]]


def test_the_health_check_is_a_program_that_asks_a_probe_that_exists() -> None:
    [found] = re.findall(r"^HEALTHCHECK .*?CMD (.+)$", DOCKERFILE, re.MULTILINE)
    program, option, code = json.loads(found)
    assert (program, option) == ("python", "-c")
    words = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    assert {"/live", "FIREBREAK_PORT"} <= words
    assert f"EXPOSE {IMAGE_ENVIRONMENT['FIREBREAK_PORT']}\n" in DOCKERFILE


def test_what_is_copied_reaches_the_builder() -> None:
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    assert copied == let_through
    assert [name for name in copied if not (ROOT / name).exists()] == []
