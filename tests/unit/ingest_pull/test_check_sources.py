"""`firebreak sources check` of pull sources: a look that reads, says what it found, and moves nothing."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ingest_pull import try_files
from ingest_pull.check_sources import attempts, open_trials
from ingest_pull.kinds.registry import KINDS
from ingest_pull.kinds.wecom_service import WecomService
from ingest_pull.receive_callback import CallbackApp
from tests.support.partners.wecom_service import ACCOUNT, CORPORATION, SECRET, WecomServiceApi
from tests.unit.ingest_pull import test_asterisk_cdr as cdr
from tests.unit.ingest_pull import test_connect_records as connect
from tests.unit.ingest_pull.pulling import Desk
from tests.unit.ingest_pull.test_csv_files import CALLS, HEADER, wanted
from tests.unit.ingest_pull.test_queue_log import ENTERED
from ticket_intake.source_checks import Asked, Attempt, Outcome
from ticket_stream.leased_jobs import Job

CALLBACK = "QDG6eK:jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
OTHER_CALLBACK = "other0:jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
P, F, N = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_TRIED


def tried(job: Job, url: str | None = None) -> list[Attempt]:
    async def try_it() -> list[Attempt]:
        return [attempt async for attempt in attempts(job, Asked(Path(), url, {}, datetime.now(UTC)))]

    return asyncio.run(try_it())


def tried_files(kind: str, **options: Any) -> Attempt:
    """A source of files, without anything that it was handed over."""
    desk = Desk()
    [attempt] = tried(desk.build(kind, **options))
    assert (desk.messages, desk.cursor, desk.stored, desk.unreadable()) == ([], {}, {}, 0)
    return attempt


@pytest.mark.parametrize(
    ("kind", "name", "content", "answer"),
    [
        ("asterisk-cdr", "Master.csv", f"{cdr.row()}\n{cdr.row()}\n", "records: 2"),
        ("asterisk-queue-log", "queue_log", f"1795690000|NONE|NONE|NONE|QUEUESTART|\n{ENTERED}\n", "records: 2"),
    ],
)
def test_the_newest_file_is_read_though_a_first_look_would_skip_what_it_holds(
    tmp_path: Path, kind: str, name: str, content: str, answer: str
) -> None:
    (tmp_path / name).write_text(content)
    attempt = tried_files(kind, folder=tmp_path, begin="end")
    assert (attempt.outcome, attempt.answer) == (P, answer)


def test_the_first_line_that_is_refused_is_named_and_all_of_them_are_counted(tmp_path: Path) -> None:
    (tmp_path / "Master.csv").write_text(f"{cdr.row()}\n\nhalf,a,row\n{cdr.row()}\nanother\n")
    attempt = tried_files("asterisk-cdr", folder=tmp_path)
    assert attempt.outcome is F
    assert attempt.answer == "records: 2; refused: 2, the first: line 3 has 3 columns, expected 16 to 21"


def test_the_header_of_an_export_is_no_record_and_other_files_are_not_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "old.csv").write_text("something else\n")
    os.utime(folder / "old.csv", (1, 1))
    (folder / "new.csv").write_text(f"{HEADER}A1,13800138000,400,2026/11/26 19:00:00,75,已接听\n")
    (folder / "notes.txt").write_text("something else\n")
    os.utime(folder / "notes.txt", (2**32, 2**32))
    attempt = tried_files("csv", **wanted(folder, CALLS))
    assert (attempt.outcome, attempt.answer) == (P, "records: 1")
    assert attempt.what.startswith("new.csv")


def test_an_export_that_does_not_fit_its_mapping_is_told_by_the_column(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "new.csv").write_text("流水号,主叫号码\nA1,2\n")
    attempt = tried_files("csv", **wanted(folder, CALLS))
    assert (attempt.outcome, "'呼叫时间'" in attempt.answer, "mapping file" in attempt.advice) == (F, True, True)


def test_a_long_file_is_read_from_its_beginning_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(try_files, "MOST_BYTES", 1)
    (tmp_path / "Master.csv").write_text(f"{cdr.row()}\n" * 2000)
    attempt = tried_files("asterisk-cdr", folder=tmp_path)
    assert "in the first" in attempt.answer
    assert int(attempt.answer.split()[1]) < 2000


@pytest.mark.parametrize(
    ("content", "outcome", "words"),
    [(None, N, "there is no such file"), ("", N, "no record yet"), ("half a line", N, "no record yet")],
)
def test_where_there_is_nothing_to_read_yet_nothing_is_claimed(
    tmp_path: Path, content: str | None, outcome: Outcome, words: str
) -> None:
    if content is not None:
        (tmp_path / "Master.csv").write_text(content)
    attempt = tried_files("asterisk-cdr", folder=tmp_path)
    assert (attempt.outcome, words in attempt.advice) == (outcome, True)


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    attempt = tried_files("asterisk-cdr", folder=tmp_path / "absent")
    assert (attempt.outcome, attempt.answer) == (F, "No such file or directory")


def test_an_object_of_contact_records_is_read(tmp_path: Path) -> None:
    connect.write(tmp_path, "11/contacts-1", {}, connect.ABANDONED)
    attempt = tried_files("connect-records", url=tmp_path.as_uri())
    assert (attempt.outcome, attempt.answer) == (P, "records: 2")


def test_an_object_that_is_something_else_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "1").write_text(json.dumps(connect.RECORD) + '{"Channel": "VOICE"}' + '{"half')
    attempt = tried_files("connect-records", url=tmp_path.as_uri())
    assert attempt.outcome is F
    assert attempt.answer.startswith("records: 1; refused: record 2 is no contact record: ContactId")


def test_a_bucket_that_is_empty_or_away_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert tried_files("connect-records", url=(tmp_path / "empty").as_uri()).outcome is N
    (tmp_path / "no-folder").write_text("")
    assert tried_files("connect-records", url=(tmp_path / "no-folder").as_uri()).outcome is not P


class Corporation:
    """微信客服: the API, and the service's own callbacks, behind one client."""

    def __init__(self, *running: str) -> None:
        """:param running: the callback keys that the running service has."""
        self.api = WecomServiceApi()
        self._running = running
        self.desk = Desk(httpx.AsyncClient(mounts={"all://edge": httpx.ASGITransport(self._app)}, transport=self._wire))

    def try_out(self, secret: str = SECRET, url: str | None = "http://edge") -> list[Attempt]:
        found = tried(self._job([CALLBACK], secret), url)
        assert self.desk.cursor == {}
        return found

    @property
    def _wire(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(self.api)

    def _job(self, keys: list[str], secret: str = SECRET) -> WecomService:
        job = self.desk.build("wecom-service", [secret], keys, corporation=CORPORATION, accounts=[ACCOUNT])
        assert isinstance(job, WecomService)
        return job

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        called = {"desk": self._job(list(self._running))} if self._running else {}
        await CallbackApp(called.get, _nobody_is_woken, self.desk.now.timestamp)(scope, receive, send)


async def _nobody_is_woken(job: str, hint: str) -> None:
    raise AssertionError("a question wakes nobody")


def test_a_customer_service_account_is_read_once_and_its_callback_answers() -> None:
    corporation = Corporation(CALLBACK)
    for number in range(3):
        corporation.api.say(f"m{number}")
    attempts = corporation.try_out()
    assert [(each.outcome, each.answer) for each in attempts] == [(P, "let in"), (P, "entries: 2"), (P, "200")]
    assert [call.get("cursor") for call in corporation.api.calls] == [None]


def test_what_wecom_refuses_is_told_without_a_secret() -> None:
    corporation = Corporation(CALLBACK)
    refused, page, callback = corporation.try_out(secret="wrong")
    assert (refused.outcome, refused.answer) == (F, "gettoken: 40001 invalid credential")
    assert page.outcome is F
    assert callback.outcome is P


@pytest.mark.parametrize(
    ("running", "url", "words"),
    [
        ([OTHER_CALLBACK], "http://edge", "other tokens"),
        ([], "http://edge", "does not know this source"),
        ([CALLBACK], None, "--pull-url"),
    ],
)
def test_a_callback_that_would_not_arrive_is_found_out(running: list[str], url: str | None, words: str) -> None:
    *_, callback = Corporation(*running).try_out(url=url)
    assert (callback.outcome, words in callback.advice) == (F, True)


async def test_every_source_of_the_file_has_a_check(tmp_path: Path) -> None:
    entry = {"brand": "acme", "account": "main"}
    mapping = wanted(tmp_path / "exports", CALLS)["mapping"]
    written: dict[str, dict[str, Any]] = {
        "asterisk-cdr": {"options": {"folder": "/var/log"}},
        "asterisk-queue-log": {"options": {"folder": "/var/log"}},
        "asterisk-ami": {"options": {"host": "127.0.0.1"}, "secrets": [{"value": "user:secret"}]},
        "connect-records": {"options": {"url": tmp_path.as_uri()}},
        "csv": {"options": {"folder": "/var/log", "mapping": mapping}},
        "wecom-service": {"options": {"corporation": CORPORATION}, "secrets": [{"value": SECRET}],
                          "tokens": [{"value": CALLBACK}]},
    }  # fmt: skip
    assert set(written) == set(KINDS)
    sources = [{"name": f"a-{kind}", "provider": kind, **entry, **more} for kind, more in written.items()]
    (tmp_path / "pull.yaml").write_text(yaml.safe_dump({"sources": sources}))
    async with open_trials(Asked(tmp_path / "pull.yaml", None, {}, datetime.now(UTC))) as trials:
        assert {(trial.source, trial.provider) for trial in trials} == {(f"a-{kind}", kind) for kind in KINDS}
    desk = Desk()
    for kind, more in written.items():
        secrets, tokens = ([each["value"] for each in more.get(field, [])] for field in ("secrets", "tokens"))
        assert hasattr(desk.build(kind, secrets, tokens, **more["options"]), "try_out")
