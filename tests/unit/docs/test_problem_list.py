"""docs/problems.md names what the services can answer: no more, no less."""

import ast
import re
from collections.abc import Iterator

from ingest_webhook.rejections import Outcome
from tests.support.workspace_services import ROOT

_ROW = re.compile(r"^\| `(/problems/[a-z-]+)` \| (\d{3}) \| (.+) \| (.+) \|$", re.MULTILINE)
_TYPE = re.compile(r"/problems/[a-z-]+")
# ingest-webhook makes the type of the outcome that it rejects with.
_REJECTS = {"Rejected", "unavailable", "__init__"}


def types_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _TYPE.fullmatch(node.value):
            yield node.value
        if isinstance(node, ast.Call) and node.args and name_of(node.func) in _REJECTS:
            first = node.args[0]
            if isinstance(first, ast.Attribute) and name_of(first.value) == "Outcome":
                yield f"/problems/{Outcome[first.attr]}"


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def types_in_code() -> set[str]:
    files = [*ROOT.glob("services/*/src/**/*.py"), *ROOT.glob("libs/*/src/**/*.py")]
    return {found for file in files for found in types_in(ast.parse(file.read_text(encoding="utf-8")))}


def test_the_page_lists_every_problem_once_in_order() -> None:
    rows = _ROW.findall((ROOT / "docs" / "problems.md").read_text(encoding="utf-8"))
    assert [row[0] for row in rows] == sorted(types_in_code())


def test_every_problem_is_explained_in_both_languages() -> None:
    rows = _ROW.findall((ROOT / "docs" / "problems.md").read_text(encoding="utf-8"))
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert [name for name, _, english, _ in rows if chinese.search(english)] == []
    assert [name for name, _, _, words in rows if not chinese.search(words)] == []
