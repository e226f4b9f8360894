"""Whatever stands in a file or an option: one sentence that names it and the fix, no trace, and a failing exit code."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from firebreak_cli.__main__ import main
from ticket_contracts.topics import MAX_EVENT_BYTES

Run = Callable[..., tuple[int, str]]
SPAN = ("--from", "2026-01-01", "--to", "2026-02-01")
READERS = {
    "policy": ("what-if", *SPAN, "--policy"),
    "staffing": ("what-if", *SPAN, "--staffing"),
    "rules": ("automation", "dry-run"),
    "directory": ("apply", "--as", "anna", "--yes"),
}
DEEP = "[" * 1_000
HUGE = f"kind: policy\nname: p\norder: {'9' * 5000}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
    for before, after in ("ab", "bc", "cd", "de", "ef", "fg", "gh", "hi", "ij")
)
TICKET = {
    "origin": "old",
    "external_id": "1",
    "brand": "acme",
    "channel": "email",
    "contact_id": "01900000-0000-7000-8000-0000000000cc",
    "contact": {"kind": "email", "value": "wang@customer.example"},
    "team": "service",
    "opened_at": "2026-01-05T10:00:00Z",
}


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "list": (b"- a\n- b\n", "beginning with `"),
    "number": (b"42", "beginning with `"),
    "binary": (b"\xff\xfe\x00k", "its byte 1 is no UTF-8; save the file as UTF-8"),
    "gbk": ("kind: brand\nname: 极光".encode("gb18030"), "its byte 19 is no UTF-8; save the file as UTF-8"),
    "nul": (b"kind: brand\nname: a\x00b\n", "unacceptable character #x0000"),
    "deep": (DEEP.encode(), "it is nested too deeply; write it flatter"),
    "huge": (HUGE.encode(), "is no number that there is; correct it in line 3"),
    "no-date": (
        b"kind: calendar\nclosed: [2026-02-30]\n",
        "'2026-02-30' is no date that there is; correct it in line 2",
    ),
    "object": (b"kind: !!python/object:os.system x\n", "could not determine a constructor for the tag"),
    "twice": (b"kind: brand\nkind: team\n", "'kind' is written twice"),
    "bomb": (f"{BOMB}kind: *j\nname: *j\nsupposed: *j\n".encode(), "x.yaml: "),
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command in this process, before servers that do not exist; return its exit code and all that it said."""
    monkeypatch.setenv("FIREBREAK_POSTGRES", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("FIREBREAK_KAFKA", "127.0.0.1:9")
    monkeypatch.setenv("COLUMNS", "1000")

    def once(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["firebreak", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        assert said.out == ""
        code = ended.value.code
        assert isinstance(code, int)
        return code, " ".join(said.err.split())

    yield once
    structlog.reset_defaults()  # `main` sends logs to this test's standard error, which ends with it


def assert_refused(run: Run, tmp_path: Path, reader: str, content: bytes, sentence: str) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    code, said = run(*READERS[reader], str(tmp_path if reader == "directory" else tmp_path / "x.yaml"))

    assert code in (1, 2)
    assert "x.yaml: " in said
    assert sentence in said
    assert len(said) < 5000


@pytest.mark.parametrize("reader", ["policy", "directory"])
@pytest.mark.parametrize(("content", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_none_is_named_with_what_to_do(
    run: Run, tmp_path: Path, reader: str, content: bytes, sentence: str
) -> None:
    assert_refused(run, tmp_path, reader, content, sentence)


@pytest.mark.parametrize("reader", ["staffing", "rules"])
@pytest.mark.parametrize("name", ["list", "gbk", "deep", "bomb"])
def test_every_command_reads_its_file_as_carefully(run: Run, tmp_path: Path, reader: str, name: str) -> None:
    assert_refused(run, tmp_path, reader, *BAD_FILES[name])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("what-if", *SPAN, "--policy", "EMPTY"), "no document is in it; begin with `kind:`"),
        (("what-if", *SPAN, "--policy", "FOLDER"), "is a directory"),
        (("what-if", *SPAN, "--policy", "没有.yaml"), "'没有.yaml' does not exist"),
        (("what-if", *SPAN, "--staffing", "EMPTY"), "write one document, beginning with `supposed:`"),
        (("automation", "dry-run", "EMPTY"), "no document is in it; begin with `kind:`"),
        (("import", "EMPTY"), "no ticket is in it; write one a line"),
        (("import", "FOLDER"), "is a directory"),
        (("apply", "EMPTY"), "is a file"),
        (("apply", "FOLDER", "--as", "", "--yes"), "'--as': say who, in 1 to 100 printable characters"),
        (("apply", "FOLDER", "--as", "张" * 101, "--yes"), "'--as': say who, in 1 to 100 printable characters"),
        (("apply", "FOLDER", "--as", "a\udcff", "--yes"), "'--as': say who, in 1 to 100 printable characters"),
        (("configuration", "rollback", "9" * 40, "--as", "x"), "'VERSION': Input should be less than or equal to 9223"),
        (("configuration", "rollback", "0", "--as", "x"), "'VERSION': Input should be greater than or equal to 1"),
        (("configuration", "show", "七"), "'VERSION': Input should be a valid integer"),
        (("automation", "dry-run", "EMPTY", "--days", "-1"), "'--days': Input should be greater than or equal to 1"),
        (("automation", "dry-run", "EMPTY", "--days", "9" * 40), "'--days': Input should be less than or equal to 366"),
        (("what-if", "--from", "2026-03-01", "--to", "2026-02-01"), "--from must be before --to: no ticket lies"),
        (("what-if", "--from", "2026-03-01", "--to", "2026-03-01T08:00:00+08:00"), "--from must be before --to"),
        (("what-if", "--from", "2026-02-30", "--to", "2026-03-01"), "'--from': '2026-02-30' is no time: day is out of"),
        (("what-if", "--from", "2026-01-01", "--to", "二〇二六"), "'--to': '二〇二六' is no time; write 2026-11-23"),
        (("what-if", "--from", "-5", "--to", "2026-03-01"), "'--from': '-5' is no time; write 2026-11-23"),
        (("what-if", "--from", "0001-01-01", "--to", "9999-12-31"), "give a year from 1970 to 8999"),
        (("rebuild", "--check", "--since", "2026-01-01T25:00:00"), "'--since': '2026-01-01T25:00:00' is no time"),
        (("rebuild", "--check", "--from", "one"), "'--from': Input should be a valid UUID"),
        (("rebuild", "--check", "--from", "f" * 32, "--to", "0" * 32), "--from must not be above --to: swap the two"),
        (
            ("reevaluate", "--opened-after", "2026-02-01", "--opened-before", "2026-01-01"),
            "--opened-after must be",
        ),
        (("reevaluate", "--opened-after", "yesterday"), "'--opened-after': 'yesterday' is no time"),
        (("reevaluate", "--team", "a\x1bb"), "--team: String should match pattern"),
        (("reevaluate",), "say which tickets: --team"),
    ],
    ids=lambda each: " ".join(each)[:60].encode("ascii", "replace").decode() if isinstance(each, tuple) else "",
)
def test_what_an_option_cannot_mean_is_refused_by_its_name(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "policy.yaml").write_text("kind: brand\nname: 极光\ndisplay_name: 极光\n", encoding="utf-8")
    places = {"EMPTY": tmp_path / "empty.yaml", "FOLDER": tmp_path}
    more = (
        ("--policy", str(tmp_path / "policy.yaml")) if arguments[0] == "what-if" and "--policy" not in arguments else ()
    )
    code, said = run(*(str(places.get(each, each)) for each in arguments), *more)

    assert (code, sentence in said) == (2, True), said


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("[1, 2]", "line 2: it is no JSON object; write one ticket in braces"),
        ('{"a":' * 20_000, "line 2: it is no JSON object; write one ticket in braces"),
        (json.dumps(TICKET | {"opened_at": "2026-02-30"}), "line 2: opened_at: "),
        (
            json.dumps(TICKET | {"opened_at": "2026-02-28T10:00:00"}),
            "opened_at: Input should have timezone",
        ),
        (json.dumps(TICKET | {"channel": "微信"}), "line 2: channel: Input should be 'email'"),
        (json.dumps(TICKET | {"text": "a\x00b"}), "line 2: it holds the character U+0000, which cannot be stored"),
        (json.dumps(TICKET | {"text": "a\ud800b"}), "line 2: it is no JSON object"),
        (
            json.dumps(
                TICKET
                | {"steps": [{"at": "2026-01-06T10:00:00Z", "actor": "a", "message": {"text": "字" * 20_000}}] * 5},
                ensure_ascii=False,
            ),
            f"at most {MAX_EVENT_BYTES} fit; shorten its messages",
        ),
    ],
    ids=["list", "deep", "no-date", "no-zone", "no-channel", "nul", "surrogate", "too-long"],
)
def test_a_line_that_is_no_ticket_is_named_before_any_is_sent(
    run: Run, tmp_path: Path, line: str, sentence: str
) -> None:
    file = tmp_path / "tickets.jsonl"
    file.write_text(f"\ufeff{json.dumps(TICKET)}\n{line}\n", encoding="utf-8")
    code, said = run("import", str(file))

    assert (code, sentence in said) == (2, True), said[:2000]
    file.write_bytes(f"{json.dumps(TICKET)}\n".encode() + b"{\xff}\n")
    assert "line 2: its byte 2 is no UTF-8; save the file as UTF-8" in run("import", str(file))[1]


def test_a_folder_or_file_that_cannot_be_read_stops_an_apply(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    _, said = run("apply", str(tmp_path), "--as", "anna", "--yes")
    assert "gone.yaml: not readable: No such file or directory; let your account read it, or take it away" in said

    (tmp_path / "gone.yaml").unlink()
    (tmp_path / "there.yaml").write_text("kind: brand\nname: a\ndisplay_name: A\n", encoding="utf-8")
    (tmp_path / "shut").mkdir()
    scan = os.scandir

    def denied(path: str) -> object:  # the test may run as root, to whom no folder is shut
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", denied)
    _, said = run("apply", str(tmp_path), "--as", "anna", "--yes")
    assert "shut: not readable: Permission denied; let your account read it, or take it away" in said
