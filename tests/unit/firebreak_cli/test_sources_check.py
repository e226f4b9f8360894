"""`firebreak sources check`: what the services say of their sources, in one table."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from firebreak_cli import contributed_commands
from firebreak_cli.__main__ import make_app
from firebreak_cli.commands import sources as command
from firebreak_cli.contributed_commands import contributed_checkers
from firebreak_cli.sources import new_mailboxes, new_pull_sources, new_sources
from ticket_intake.source_checks import Asked, Attempt, Checker, SourcesFile, Trial, failed, not_tried, passed
from ticket_intake.source_file import SourcesInvalid

CHECKERS = ("ingest-email", "ingest-files", "ingest-files-pull", "ingest-pull", "ingest-webhook")


def saying(*attempts: Attempt) -> Callable[[], AsyncIterator[Attempt]]:
    async def said() -> AsyncIterator[Attempt]:
        for attempt in attempts:
            yield attempt

    return said


async def breaking() -> AsyncIterator[Attempt]:
    yield passed("first", "200")
    raise KeyError("a secret")


def checker(
    file: SourcesFile,
    *trials: Trial,
    problem: str = "",
    defect: Exception | None = None,
    asked: list[Asked] | None = None,
) -> Checker:
    @asynccontextmanager
    async def open_trials(what: Asked) -> AsyncIterator[Sequence[Trial]]:
        if asked is not None:
            asked.append(what)
        if defect is not None:
            raise defect
        if problem:
            raise SourcesInvalid([problem])
        yield trials

    return Checker(file, open_trials)


SHOP = Trial("shop", "standard-webhooks", saying(passed("an unknown event, signed", "200")))
MAIL = Trial("mail", "ses", saying(not_tried("AWS's signature", "only AWS can sign")))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run the command with these checkers on files whose content nobody reads; no stack runs."""
    for name in ("FIREBREAK_SOURCES_FILE", "FIREBREAK_PULL_SOURCES_FILE", "FIREBREAK_MAILBOXES_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("FIREBREAK_POSTGRES", raising=False)

    def run_with(checkers: Sequence[tuple[str, Checker | Exception]], *arguments: str) -> Result:
        monkeypatch.setattr(command, "contributed_checkers", lambda: iter(checkers))
        usual = ["sources", "check", "--data-dir", str(tmp_path / "none")]
        return CliRunner(env={"COLUMNS": "200"}).invoke(make_app(), [*usual, *arguments])

    return run_with


FILES = ("--file", "sources.yaml", "--mailboxes", "mailboxes.yaml")


def test_all_files_are_told_in_one_table_and_what_could_not_be_tried_is_no_failure(run: Callable[..., Result]) -> None:
    found = run([("a", checker(SourcesFile.MAILBOXES, MAIL)), ("b", checker(SourcesFile.WEBHOOKS, SHOP))], *FILES)
    assert found.exit_code == 0, found.output
    rows = [line for line in found.output.splitlines() if "shop" in line or "mail" in line]
    assert [row.split("│")[1].strip() for row in rows] == ["–", "✔"]
    assert "only AWS can sign" in rows[0]


def test_what_fails_ends_in_one_and_stands_beside_the_rest(run: Callable[..., Result]) -> None:
    wrong = Trial("form", "web-form", saying(failed("a form", "401", "restart it")))
    found = run([("b", checker(SourcesFile.WEBHOOKS, wrong, SHOP))], *FILES, "--json")
    assert found.exit_code == 1
    assert [(each["source"], each["outcome"], each["advice"]) for each in json.loads(found.stdout)] == [
        ("form", "failed", "restart it"),
        ("shop", "passed", ""),
    ]


def test_a_file_that_is_refused_by_two_services_is_told_once_and_costs_no_other(run: Callable[..., Result]) -> None:
    refused = [(name, checker(SourcesFile.WEBHOOKS, problem="sources.0.name: is missing")) for name in ("a", "b")]
    found = run([*refused, ("c", checker(SourcesFile.MAILBOXES, MAIL))], *FILES, "--json")
    assert found.exit_code == 1
    assert [(each["source"], each["advice"]) for each in json.loads(found.stdout)] == [
        ("sources.yaml", "sources.0.name: is missing"),
        ("mail", "only AWS can sign"),
    ]


def test_a_defect_of_one_check_or_service_costs_no_other_and_shows_nothing_of_what_it_had(
    run: Callable[..., Result],
) -> None:
    checkers = [
        ("broken", ImportError("no module")),
        ("b", checker(SourcesFile.WEBHOOKS, Trial("a", "x", breaking), SHOP)),
        ("c", checker(SourcesFile.MAILBOXES, defect=KeyError("a secret"))),
    ]
    found = run(checkers, *FILES, "--json")
    assert [(each["source"], each["outcome"]) for each in json.loads(found.stdout)] == [
        ("broken", "failed"),
        ("mailboxes.yaml", "failed"),
        ("a", "passed"),
        ("a", "failed"),
        ("shop", "passed"),
    ]
    assert "a secret" not in found.output


def test_without_sending_nothing_is_tried(run: Callable[..., Result]) -> None:
    found = run([("b", checker(SourcesFile.WEBHOOKS, Trial("a", "x", breaking)))], *FILES, "--no-send", "--json")
    assert [each["what"] for each in json.loads(found.stdout)] == ["the file and its secrets alone"]


def test_one_source_can_be_chosen_and_one_that_is_not_there_is_told_with_those_that_are(
    run: Callable[..., Result],
) -> None:
    checkers = [("a", checker(SourcesFile.MAILBOXES, MAIL)), ("b", checker(SourcesFile.WEBHOOKS, SHOP))]
    found = run(checkers, *FILES, "--only", "shop", "--json")
    assert [each["source"] for each in json.loads(found.stdout)] == ["shop"]
    unknown = run(checkers, *FILES, "--only", "shp")
    assert (unknown.exit_code, "there are mail, shop" in unknown.output) == (2, True)


def test_only_named_files_are_checked_each_with_its_services_address(run: Callable[..., Result]) -> None:
    asked: list[Asked] = []
    checkers = [(kind, checker(kind, asked=asked)) for kind in SourcesFile]
    run(checkers, "--file", "s.yaml", "--url", "https://in.example.com/", "--mailboxes", "m.yaml")
    assert [(each.file.name, each.url) for each in asked] == [("s.yaml", "https://in.example.com"), ("m.yaml", None)]


MALFORMED = (
    "",
    "in.example.com",
    "127.0.0.1:8081",
    "https://",
    "https://a..b",
    "ftp://in.example.com",
    "http://in.example.com:99999",
    "http://[::1",
    "http://a b",
    "http://a\\b",
    "https://user:password@in.example.com",
    "https://in.example.com/?a=b",
    "https://in.example.com/#a",
)


@pytest.mark.parametrize("option", ["--url", "--pull-url", "--mail-url"])
@pytest.mark.parametrize("url", MALFORMED)
def test_an_address_that_is_none_is_told_with_its_option_and_the_fix(
    option: str, url: str, run: Callable[..., Result]
) -> None:
    found = run([("b", checker(SourcesFile.WEBHOOKS, SHOP))], *FILES, option, url)
    assert found.exit_code == 2
    assert f"Invalid value for '{option}'" in found.output
    assert "such as https://in.example.com" in found.output
    assert "report this as a bug" not in found.output


@pytest.mark.parametrize("url", ["http://127.0.0.1:8081", "http://[::1]:8081/", "https://客服.example/firebreak/"])
def test_an_address_is_taken_as_it_is_but_for_the_slash_at_its_end(url: str, run: Callable[..., Result]) -> None:
    asked: list[Asked] = []
    run([("b", checker(SourcesFile.WEBHOOKS, asked=asked))], "--file", "s.yaml", "--url", url)
    assert [each.url for each in asked] == [url.rstrip("/")]


def test_without_files_and_without_a_stack_the_command_says_what_to_name(run: Callable[..., Result]) -> None:
    found = run([("b", checker(SourcesFile.WEBHOOKS, SHOP))])
    assert found.exit_code != 0
    assert "No stack runs" in str(found.exception)


def test_where_no_service_is_installed_nothing_is_called_right(run: Callable[..., Result]) -> None:
    found = run([], *FILES)
    assert found.exit_code != 0
    assert "none can be checked" in str(found.exception)


def test_each_service_with_sources_brings_its_check() -> None:
    found = dict(contributed_checkers())
    assert tuple(found) == CHECKERS
    assert [each for each in found.values() if not isinstance(each, Checker)] == []


def test_a_service_that_cannot_be_loaded_is_returned_as_what_it_failed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("broken", "no_such_service:CHECKER", "any")
    monkeypatch.setattr(contributed_commands, "entry_points", lambda **_: [entry])
    [(name, error)] = contributed_checkers()
    assert (name, type(error)) == ("broken", ModuleNotFoundError)


def test_the_files_of_a_new_stack_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources.yaml").write_text(new_sources())
    (tmp_path / "pull.yaml").write_text(new_pull_sources(tmp_path))
    (tmp_path / "mailboxes.yaml").write_text(new_mailboxes())
    arguments = ["--file", "sources.yaml", "--pull-file", "pull.yaml", "--mailboxes", "mailboxes.yaml", "--no-send"]
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(make_app(), ["sources", "check", *arguments, "--json"])
    assert found.exit_code == 0, found.output
    assert sorted(each["source"] for each in json.loads(found.stdout)) == ["call-log", "dealers", "shop", "telephone"]


def test_a_file_that_is_wrong_is_told_with_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sources.yaml").write_text("sources: [{name: shop}]")
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(make_app(), ["sources", "check", "--file", "sources.yaml", "--no-send", "--json"])
    assert found.exit_code == 1
    assert "sources.0.provider" in found.output
