"""Holds the sizes of style.md: `python -m tools.check_sizes` prints where they are passed and leaves with 1."""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MODULE_WARNING = 300  # lines; beyond it a reader no longer holds a module in the head
MODULE_LIMIT = 400
TEST_MODULE_LIMIT = 500  # tests repeat themselves on purpose
FUNCTION_LIMIT = 50
DOCSTRING_LIMIT = 0.15  # of a package's lines; more is prose that belongs to docs/
_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Finding:
    """Something too long; a warning does not fail the check."""

    where: str
    what: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{'warning' if self.warning else 'error'}: {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Module:
    """One source file, read once."""

    path: Path
    text: str

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)


def check(root: Path) -> list[Finding]:
    """Return all findings below the root of the repository, in the order of the folders."""
    findings: list[Finding] = []
    for package in _packages(root):
        modules = _modules(package)
        for module in modules:
            findings += _module(module, root)
        findings += _docstrings(package, modules, root)
    for module in _modules(root / "tests"):
        findings += _test_module(module, root)
    return findings


def _packages(root: Path) -> list[Path]:
    sources = [*root.glob("libs/*/src/*"), *root.glob("services/*/src/*"), root / "tools"]
    return sorted(folder for folder in sources if folder.is_dir() and "." not in folder.name)


def _modules(folder: Path) -> list[Module]:
    return [Module(path, path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))]


def _module(module: Module, root: Path) -> Iterator[Finding]:
    where = str(module.path.relative_to(root))
    if module.lines > MODULE_LIMIT:
        yield Finding(where, f"{module.lines} lines, the limit is {MODULE_LIMIT}: split it by what its parts are about")
    elif module.lines > MODULE_WARNING:
        yield Finding(where, f"{module.lines} lines, more than {MODULE_WARNING}", warning=True)
    yield from _functions(module, where)


def _test_module(module: Module, root: Path) -> Iterator[Finding]:
    where = str(module.path.relative_to(root))
    if module.lines > TEST_MODULE_LIMIT:
        yield Finding(where, f"{module.lines} lines, the limit of a test module is {TEST_MODULE_LIMIT}")
    yield from _functions(module, where)


def _functions(module: Module, where: str) -> Iterator[Finding]:
    for node in ast.walk(module.tree()):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _lines(node)
            if lines > FUNCTION_LIMIT:
                yield Finding(f"{where}:{node.lineno}", f"{node.name} has {lines} lines, the limit is {FUNCTION_LIMIT}")


def _docstrings(package: Path, modules: Sequence[Module], root: Path) -> Iterator[Finding]:
    total = sum(module.lines for module in modules)
    documented = sum(_docstring_lines(module) for module in modules)
    if documented > DOCSTRING_LIMIT * total:
        share = f"{documented / total:.1%}"
        yield Finding(str(package.relative_to(root)), f"{share} docstrings, the limit is {DOCSTRING_LIMIT:.0%}")


def _docstring_lines(module: Module) -> int:
    return sum(
        _lines(node.body[0])
        for node in ast.walk(module.tree())
        if isinstance(node, _Documented) and ast.get_docstring(node, clean=False) is not None
    )


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def main() -> int:
    """Print the findings of the repository that this file stands in; return the exit code."""
    findings = check(Path(__file__).parents[1])
    for finding in findings:
        print(finding)
    return 1 if any(not finding.warning for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
