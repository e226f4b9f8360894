"""The file of pull sources: read whole, and every problem told at once."""

from pathlib import Path

import pytest

from tests.unit.ingest_pull.pulling import jobs_of
from ticket_intake.source_file import SourcesInvalid

ENTRY = "{name: desk, provider: asterisk-cdr, brand: acme, account: main, options: {folder: /var/log}}"


def test_a_file_without_sources_is_a_process_that_waits(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("sources: []")
    assert jobs_of(tmp_path / "sources.yaml", {}) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"sources: [{ENTRY}, {ENTRY}]", "the name 'desk' stands twice"),
        ("sources: [{name: desk, provider: fax, brand: acme, account: main}]", "must be one of asterisk-cdr"),
        (f"sources: [{ENTRY.replace('/var/log', 'here')}]", r"sources\.0 \(desk\)\.options\.folder: .*absolute path"),
        (f"sources: [{ENTRY[:-1]}, secrets: [env:ABSENT]}}]", "set the environment variable ABSENT"),
        (f"sources: [{ENTRY[:-1]}, files: {{}}}}]", r"sources\.0 \(desk\)\.files: asterisk-cdr has no files"),
        (f"sources: [{ENTRY[:-1]}, files: {{token: x}}}}]", r"sources\.0\.files\.token"),
        ("sources: desk", "valid list"),
        ("sources: [", "not YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "sources.yaml").write_text(text)
    with pytest.raises(SourcesInvalid, match=words):
        jobs_of(tmp_path / "sources.yaml", {})


def test_a_file_that_is_missing_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(SourcesInvalid, match="FIREBREAK_PULL_SOURCES_FILE"):
        jobs_of(tmp_path / "absent.yaml", {})
