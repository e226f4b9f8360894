"""The check of sizes finds what is too long, and says where."""

from pathlib import Path

from tools.check_sizes import check

LONG_FUNCTION = "def long():\n" + "    x = 1\n" * 50


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def found(root: Path) -> list[str]:
    return [str(finding) for finding in check(root)]


def test_what_is_within_all_limits_is_not_mentioned(tmp_path: Path) -> None:
    write(tmp_path, "libs/a/src/a/module.py", '"""One line."""\n' + "x = 1\n" * 299)
    write(tmp_path, "tests/test_a.py", "x = 1\n" * 500)

    assert found(tmp_path) == []


def test_a_module_over_the_limit_is_an_error_and_one_near_it_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "libs/a/src/a/large.py", "x = 1\n" * 401)
    write(tmp_path, "services/b/src/b/near.py", "x = 1\n" * 301)

    assert [line.split(",")[0] for line in found(tmp_path)] == [
        "error: libs/a/src/a/large.py: 401 lines",
        "warning: services/b/src/b/near.py: 301 lines",
    ]


def test_a_long_function_is_named_with_its_line_wherever_it_stands(tmp_path: Path) -> None:
    write(
        tmp_path,
        "libs/a/src/a/module.py",
        "class A:\n" + LONG_FUNCTION.replace("    ", "        ").replace("def", "    async def"),
    )
    write(tmp_path, "tests/unit/test_a.py", "\n" + LONG_FUNCTION)

    assert [line.split(",")[0] for line in found(tmp_path)] == [
        "error: libs/a/src/a/module.py:2: long has 51 lines",
        "error: tests/unit/test_a.py:2: long has 51 lines",
    ]


def test_a_package_of_prose_is_found_by_its_share_of_docstrings(tmp_path: Path) -> None:
    write(tmp_path, "libs/a/src/a/module.py", '"""\n' + "words\n" * 18 + '"""\n' + "x = 1\n" * 80)

    assert found(tmp_path) == ["error: libs/a/src/a: 20.0% docstrings, the limit is 15%"]


def test_a_test_module_may_be_longer_and_not_endless(tmp_path: Path) -> None:
    write(tmp_path, "tests/unit/test_a.py", "x = 1\n" * 501)

    assert found(tmp_path) == ["error: tests/unit/test_a.py: 501 lines, the limit of a test module is 500"]
