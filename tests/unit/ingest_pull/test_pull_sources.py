"""The file of pull sources: read whole, and every problem told at once."""

from pathlib import Path

import pytest

from ingest_pull.pull_sources import read_pull_sources
from tests.unit.ingest_pull.pulling import Desk, jobs_of
from ticket_intake.source_file import SourcesInvalid

ENTRY = "{name: desk, provider: asterisk-cdr, brand: acme, account: main, options: {folder: /var/log}}"

CONNECT = "sources: [{{name: c, provider: connect-records, brand: acme, account: main, options: {{url: '{}'}}}}]"


def test_a_file_without_sources_is_a_process_that_waits(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text("sources: []")
    assert jobs_of(tmp_path / "sources.yaml", {}) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"sources: [{ENTRY}, {ENTRY}]", "the name 'desk' stands twice"),
        ("sources: [{name: desk, provider: fax, brand: acme, account: main}]", "must be one of asterisk-cdr"),
        (f"sources: [{ENTRY.replace('/var/log', 'here')}]", r"sources\.0 \(desk\)\.options\.folder: .*absolute path"),
        (f"sources: [{ENTRY.replace('}}', ', zone: Asia}}')}]", r"options\.zone: .*no time zone"),
        ("sources: !!timestamp then", "not YAML"),
        (f"sources: [{ENTRY[:-1]}, secrets: [env:ABSENT]}}]", "set the environment variable ABSENT"),
        (f"sources: [{ENTRY[:-1]}, files: {{}}}}]", r"sources\.0 \(desk\)\.files: asterisk-cdr has no files"),
        (f"sources: [{ENTRY[:-1]}, files: {{token: x}}}}]", r"sources\.0\.files\.token"),
        (CONNECT.format("s3://a b"), r"sources\.0 \(c\)\.options\.url: invalid domain character; write s3://bucket"),
        (CONNECT.format("file:///nowhere/at/all"), r"options\.url: .*a folder that is there"),
        ("sources: 2026-13-45", "not YAML"),
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


def test_a_reading_keeps_the_jobs_of_sources_that_did_not_change(tmp_path: Path) -> None:
    file, secret = tmp_path / "sources.yaml", tmp_path / "secret"
    secret.write_text("user:one")
    ami = "{name: exchange, provider: asterisk-ami, brand: acme, account: main, options: {host: pbx}"
    ami += f", secrets: ['file:{secret}']}}"
    shared = Desk().shared
    file.write_text(f"sources: [{ENTRY}, {ami}]")
    first = read_pull_sources(file, {}, shared)
    assert first.files == (file, secret)
    again = read_pull_sources(file, {}, shared, first)
    assert all(again.jobs[name] is job for name, job in first.jobs.items())
    secret.write_text("user:two")
    file.write_text(f"sources: [{ENTRY}, {ami}, {ENTRY.replace('desk', 'second')}]")
    changed = read_pull_sources(file, {}, shared, again)
    assert changed.jobs["desk"] is first.jobs["desk"]
    assert changed.jobs["exchange"] is not first.jobs["exchange"]
    assert [job.name for job in changed.jobs.values()] == [
        "asterisk-cdr/desk",
        "asterisk-ami/exchange",
        "asterisk-cdr/second",
    ]
    assert "user:two" not in repr(changed)


def test_a_mapping_that_changed_is_read_again_with_its_source_alone(tmp_path: Path) -> None:
    file, mapping = tmp_path / "sources.yaml", tmp_path / "calls.yaml"
    columns = "{id: ID, caller: From, started_at: Start, seconds: Length}"
    mapping.write_text(f"{{kind: call, columns: {columns}}}")
    options = f"{{folder: {tmp_path}, mapping: {mapping}}}"
    export = f"{{name: export, provider: csv, brand: acme, account: main, options: {options}}}"
    file.write_text(f"sources: [{ENTRY}, {export}]")
    first = read_pull_sources(file, {}, Desk().shared)
    assert first.files == (file, mapping)
    mapping.write_text(mapping.read_text().replace("Length", "Seconds"))
    again = read_pull_sources(file, {}, Desk().shared, first)
    assert [again.jobs[name] is job for name, job in first.jobs.items()] == [True, False]
