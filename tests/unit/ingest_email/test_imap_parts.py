"""The parts of reading IMAP that need no server: what the file may say, secrets, and a server that misbehaves."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from ingest_email.domain.envelopes import UNKNOWN, stated_envelope_sender
from ingest_email.imap_entries import ImapEntry
from ingest_email.imap_mailbox import Account, Folder, ImapMailbox, modified_utf_7
from ingest_email.imap_secrets import EARLY_SECONDS, secret_of
from ingest_email.imap_wire import MOST_ANSWERED, ImapClosed, ImapDisordered, ImapRefused, ImapWire
from ingest_email.secret_references import SecretMissing

LARGEST = 1000
_BASE = {"host": "imap.example.com", "user": "support@example.com"}


class Wires:
    """Both ends of a connection without one: `said` is what the client wrote."""

    def __init__(self, *script: bytes) -> None:
        self._script = list(script)
        self.said: list[bytes] = []
        self.reader = asyncio.StreamReader(limit=2000)
        self.writer = _Writer(self._answer)
        self.wire = ImapWire(self.reader, self.writer, LARGEST)  # type: ignore[arg-type]  # as much as is used of it

    def _answer(self, line: bytes) -> None:
        self.said.append(line)
        if self._script:
            self.reader.feed_data(self._script.pop(0))
        else:
            self.reader.feed_eof()


class _Writer:
    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        self.write = on_line
        self.transport = self

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        return None


async def test_a_mail_comes_as_it_is_whatever_it_contains() -> None:
    raw = b"Subject: )\r\n\r\nf1 OK not the end {5}\r\n* BYE\r\n"
    wires = Wires(
        b"* 7 FETCH (FLAGS (\\Seen))\r\n* 3 FETCH (UID 9 BODY[]<0> {%d}\r\n%b)\r\nf1 OK\r\n" % (len(raw), raw)
    )
    assert await _mailbox(wires).mail(9, LARGEST) == raw
    assert wires.said == [b"f1 UID FETCH 9 (UID BODY.PEEK[]<0.1000>)\r\n"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'* 3 FETCH (UID 9 BODY[]<0> "a \\"b\\"")\r\nf1 OK\r\n', b'a "b"'),
        (b"* 3 FETCH (UID 8 BODY[]<0> {1}\r\nx)\r\nf1 OK\r\n", None),
        (b"f1 OK nothing there\r\n", None),
    ],
)
async def test_a_short_mail_may_be_quoted_and_another_one_is_not_taken_for_it(
    answer: bytes, expected: bytes | None
) -> None:
    assert await _mailbox(Wires(answer)).mail(9, LARGEST) == expected


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"f1 NO [SERVERBUG] broken\r\n", ImapRefused),
        (b"f1 BAD what?\r\n", ImapRefused),
        (b"* BYE going down\r\n", ImapClosed),
        (b"* 3 FETCH (UID 9 BODY[] {1001}\r\n", ImapDisordered),
        (b"* " + b"x" * 5000, ImapDisordered),
        (b"+ and now?\r\n", ImapDisordered),
        (b"* 3 FETCH (UID 9 BODY[] {10}\r\nhalf", ImapClosed),
    ],
)
async def test_a_server_that_misbehaves_ends_the_connection_and_nothing_else(
    answer: bytes, error: type[Exception]
) -> None:
    wires = Wires(answer)
    if error is ImapClosed:
        wires.reader.feed_data(answer)
        wires.reader.feed_eof()
        wires.writer.write = wires.said.append
    with pytest.raises(error):
        await _mailbox(wires).mail(9, LARGEST)


async def test_the_mails_of_a_page_are_told_apart_by_their_uids_and_what_is_missing_is_gone() -> None:
    wires = Wires(
        b'* 3 FETCH (UID 11 BODY[]<0> {2}\r\nhi)\r\n* 1 FETCH (BODY[]<0> "UID 10" UID 9)\r\n* 2 EXPUNGE\r\nf1 OK\r\n'
    )
    assert await _mailbox(wires).mails([9, 10, 11], 100) == {9: b"UID 10", 11: b"hi"}
    assert wires.said == [b"f1 UID FETCH 9,10,11 (UID BODY.PEEK[]<0.100>)\r\n"]


async def test_a_server_that_answers_without_an_end_is_not_listened_to_for_ever() -> None:
    answer = b"* 3 FETCH (UID 9 BODY[]<0> {1000}\r\n%b)\r\n" % (b"x" * 1000)
    wires = Wires(answer * (MOST_ANSWERED // 1000 + 2) + b"f1 OK\r\n")
    with pytest.raises(ImapDisordered, match="to one command"):
        await _mailbox(wires).mails([9], 1000)


async def test_the_last_mail_that_a_server_always_names_is_not_taken_twice() -> None:
    wires = Wires(b"* SEARCH 9\r\nf1 OK\r\n", b"* SEARCH 11 10\r\n* 12 EXISTS\r\nf2 OK\r\n")
    box = _mailbox(wires)
    assert await box.uids_after(9, 0) == []
    assert await box.uids_after(9, 0) == [10, 11]
    assert wires.wire.news  # a mail came meanwhile: no need to wait for it
    await box.wait(60, 60)
    assert len(wires.said) == 2


async def test_waiting_ends_with_news_and_with_the_time() -> None:
    wires = Wires(b"+ idling\r\n* 5 EXISTS\r\n", b"f1 OK\r\n", b"+ idling\r\n", b"f2 OK\r\n")
    await wires.wire.idle(60)
    assert wires.said == [b"f1 IDLE\r\n", b"DONE\r\n"]
    wires.wire.news = False
    await wires.wire.idle(0.01)
    assert wires.said[2:] == [b"f2 IDLE\r\n", b"DONE\r\n"]


async def test_a_command_is_one_line() -> None:
    with pytest.raises(ValueError, match="one line"):
        await Wires().wire.command("LOGIN a b\r\nf9 DELETE INBOX")


def _mailbox(wires: Wires) -> ImapMailbox:
    return ImapMailbox(wires.wire, Folder(1, 0), frozenset({"IDLE"}))


@pytest.mark.parametrize(
    ("name", "written"),
    [("INBOX", "INBOX"), ("收件箱", "&ZTZO9nux-"), ("R&D/故障", "R&-D/&ZUWWnA-"), ("Entwürfe", "Entw&APw-rfe")],
)
def test_folders_are_named_as_imap_writes_them(name: str, written: str) -> None:
    assert modified_utf_7(name) == written


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ({}, "either password or oauth2"),
        ({"password": "env:A", "oauth2": {"token": "env:T"}}, "either password or oauth2"),
        ({"password": "plain words"}, "env:NAME or file:/path"),
        ({"password": "env:A", "security": "none"}, "in plain"),
        ({"oauth2": {"token_url": "https://x.example/t"}}, "needs client_id"),
        ({"oauth2": {}}, "either token or token_url"),
    ],
)
def test_an_entry_that_could_not_work_is_refused_with_the_reason(stated: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ImapEntry.model_validate({**_BASE, **stated})


def test_ports_follow_from_security() -> None:
    entries = [ImapEntry.model_validate({**_BASE, "password": "env:A", "security": way}) for way in ("tls", "starttls")]
    assert [entry.chosen_port for entry in entries] == [993, 143]
    assert Account("h", 993, "tls", "u", "INBOX", "password").folder == "INBOX"


def test_a_folder_s_place_has_the_port_unless_it_is_a_usual_one() -> None:
    def place(**more: object) -> str:
        return ImapEntry.model_validate({**_BASE, "password": "env:A", **more}).place

    usual = "support@example.com@imap.example.com/INBOX"
    ways: tuple[dict[str, object], ...] = ({}, {"port": 993}, {"security": "starttls"}, {"port": 143})
    assert {place(**way) for way in ways} == {usual}
    assert place(port=1143) == "support@example.com@imap.example.com:1143/INBOX"
    local = {"host": "::1", "security": "none", "folder": "a/b"}
    assert place(**local, port=1143) == "support@example.com@[::1]:1143/a/b"
    assert place(**local) == "support@example.com@::1/a/b"


async def test_a_password_in_a_file_is_read_at_each_login(tmp_path: Path) -> None:
    file = tmp_path / "password"
    entry = ImapEntry.model_validate({**_BASE, "password": f"file:{file}"})
    async with httpx.AsyncClient() as client:
        secret = secret_of(entry, {}, client, lambda: 0.0)
        with pytest.raises(SecretMissing, match="password"):
            await secret()
        for words in ("first", "second"):
            file.write_text(f"{words}\n")
            assert await secret() == words


async def test_a_token_is_asked_for_once_while_it_lasts_and_its_successor_for_the_next() -> None:
    asked: list[str] = []

    def give(request: httpx.Request) -> httpx.Response:
        asked.append(request.content.decode())
        return httpx.Response(200, json={"access_token": f"t{len(asked)}", "expires_in": 600, "refresh_token": "next"})

    now = [0.0]
    async with httpx.AsyncClient(transport=httpx.MockTransport(give)) as client:
        token = secret_of(_oauth2(refresh_token={"value": "first"}), {}, client, lambda: now[0])
        assert [await token(), await token()] == ["t1", "t1"]
        now[0] = 600 - EARLY_SECONDS
        assert await token() == "t2"
    assert "refresh_token=first" in asked[0]
    assert "refresh_token=next" in asked[1]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            httpx.Response(400, json={"error": "invalid_grant", "error_description": "secret words"}),
            "400 invalid_grant",
        ),
        (httpx.Response(500, text="secret words"), "500"),
        (httpx.Response(200, text="<html>secret words"), "no token"),
        (httpx.Response(200, json={"access_token": ""}), "no token"),
    ],
)
async def test_no_token_is_told_without_what_the_server_said_beside(answer: httpx.Response, told: str) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
        token = secret_of(_oauth2(), {"S": "client-secret"}, client, lambda: 0.0)
        with pytest.raises(SecretMissing, match=told) as problem:
            await token()
    assert "secret words" not in str(problem.value)


def _oauth2(**more: object) -> ImapEntry:
    oauth2 = {"token_url": "https://login.example/token", "client_id": "c", "client_secret": {"value": "s"}, **more}
    return ImapEntry.model_validate({**_BASE, "oauth2": oauth2})


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        (b"Return-Path: <a@b.example>\r\nReturn-Path: <c@d>\r\n\r\n", "a@b.example"),
        (b"Delivered-To: x\nreturn-path:\t<>\nFrom: x\n\nbody", ""),
        (b"From: x\r\n\r\nReturn-Path: <in@the.body>", UNKNOWN),
        (b"", UNKNOWN),
    ],
)
def test_the_server_that_delivered_says_who_the_envelope_named(raw: bytes, sender: str) -> None:
    assert stated_envelope_sender(raw) == sender
