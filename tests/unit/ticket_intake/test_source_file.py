"""Secrets that stand elsewhere, whole or in parts."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from ticket_intake.source_file import SecretResolver, WrittenSecret

_WRITTEN: TypeAdapter[list[WrittenSecret]] = TypeAdapter(list[WrittenSecret])


def resolved(written: object, **environment: str) -> tuple[list[str], list[str]]:
    """The secrets and the problems."""
    resolver = SecretResolver("sources.0 (wecom)", environment)
    return resolver.resolve_all("secrets", _WRITTEN.validate_python(written)), resolver.problems


def test_a_secret_in_parts_is_the_same_as_the_whole(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y\n")
    in_parts = {"parts": ["env:TOKEN", f"file:{tmp_path / 'key'}"]}
    literal = {"parts": [{"value": "a"}, {"value": "b:c"}]}
    found, problems = resolved(["env:WHOLE", in_parts, literal], TOKEN="t0ken", WHOLE="t0ken:k3y")
    assert (found, problems) == (["t0ken:k3y", "t0ken:k3y", "a:b:c"], [])


def test_files_of_parts_are_watched_like_those_of_whole_secrets(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y")
    resolver = SecretResolver("sources.0", {})
    resolver.resolve_all("secrets", _WRITTEN.validate_python([{"parts": [{"value": "a"}, f"file:{tmp_path / 'key'}"]}]))
    assert resolver.files == [tmp_path / "key"]


def test_a_part_that_is_missing_is_told_by_its_place() -> None:
    _, problems = resolved([{"parts": ["env:TOKEN", "env:ABSENT"]}], TOKEN="t0ken")
    assert problems == ["sources.0 (wecom).secrets.0.parts.1: no secret found; set the environment variable ABSENT"]


def test_a_whole_secret_in_the_place_of_a_part_is_found_out_and_not_shown() -> None:
    _, [problem] = resolved([{"parts": ["env:WHOLE", "env:KEY"]}], WHOLE="t0ken:k3y", KEY="k3y")
    assert "secrets.0.parts.0: has a colon" in problem
    assert "k3y" not in problem


@pytest.mark.parametrize("written", [{"parts": ["env:A"]}, {"parts": []}, {"parts": ["env:A", "env:B"], "value": "c"}])
def test_parts_are_at_least_two_and_nothing_else(written: object) -> None:
    with pytest.raises(ValidationError):
        resolved([written])
