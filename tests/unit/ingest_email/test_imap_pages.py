"""How an IMAP folder's mails come together in pages, by a folder that can lose, refuse and withhold them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from ingest_email import read_imap
from ingest_email.accept_mail import Prepared
from ingest_email.delivery import Mailbox
from ingest_email.imap_mailbox import Account, Folder
from ingest_email.imap_wire import ImapClosed, ImapRefused
from ingest_email.read_imap import FIRST_BYTES, PAGE_BYTES, PAGE_MAILS, REFUSALS, ImapSource, ReadImap
from ticket_contracts.envelope import Event
from ticket_store.object_storage import StorageUnavailable
from ticket_stream.leased_jobs import Cursor, Outgoing

LARGEST = PAGE_BYTES + FIRST_BYTES


class Box:
    """A folder. `refused` are UIDs over which the server ends the connection, or says NO where `keeps_open`."""

    folder = Folder(uid_validity=1, uid_next=0)

    def __init__(self, mails: dict[int, bytes], refused: Sequence[int] = (), *, keeps_open: bool = False) -> None:
        self.held = mails
        self.gone: set[int] = set()
        self.asked: list[list[int]] = []
        self._refused = refused
        self._refusal = ImapRefused("some cannot be fetched") if keeps_open else ImapClosed("the connection ended")

    async def uids_after(self, uid: int, newest: int) -> list[int]:
        return sorted(each for each in self.held if each > uid)

    async def mails(self, uids: Sequence[int], most: int) -> dict[int, bytes]:
        self.asked.append(list(uids))
        if set(uids) & set(self._refused):
            raise self._refusal
        return {uid: self.held[uid][:most] for uid in uids if uid not in self.gone}

    async def mail(self, uid: int, most: int) -> bytes | None:
        return (await self.mails([uid], most)).get(uid)

    async def wait(self, seconds: float, poll_seconds: float) -> None:
        raise ImapClosed("at rest")


class Turn:
    """A job's turn that remembers each hand-over: its last UID, and what was in it."""

    def __init__(self) -> None:
        self.cursor: Cursor = {}
        self.pages: list[tuple[int, list[bytes]]] = []

    async def hand_over(self, cursor: Cursor, messages: Sequence[Outgoing] = ()) -> None:
        self.cursor = cursor
        if messages:
            self.pages.append((cursor["uid"], [message.event.data for message in messages]))

    def behind(self, amount: float) -> None: ...


class Accept:
    """Takes a mail's subject, or the note that came with it, for its message."""

    async def prepare(self, raw: bytes, sender: str, mailboxes: Sequence[Mailbox], *, note: str = "") -> list[Prepared]:
        words = note.encode() or raw.split(b"\r\n", 1)[0]
        event = Event(id=str(uuid4()), source="/x", type="x", time=datetime.now(UTC), data=words, partitionkey="k")
        return [Prepared("k", event)]


class Failing:
    """Storage that is away for the second mail while the first is still on its way."""

    def __init__(self) -> None:
        self.given_up = 0

    async def prepare(self, raw: bytes, *_: object, **__: object) -> list[Prepared]:
        if raw.startswith(b"2"):
            raise StorageUnavailable("away")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return []


@pytest.fixture
def turn() -> Turn:
    return Turn()


async def _read(
    monkeypatch: pytest.MonkeyPatch, box: Box, turn: Turn, *, connections: int = 1, accept: Any = None
) -> None:
    """Connect so many times and read each time as far as it goes, as the runner does."""

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[Box]:
        yield box

    async def secret() -> str:
        return ""

    monkeypatch.setattr(read_imap, "open_mailbox", opened)
    account = Account("h", 1, "none", "u", "INBOX", "password")
    source = ImapSource(account, Mailbox("a", "b", "c", "s"), secret, "start", 1.0)
    given: Any = accept or Accept()
    job = ReadImap(source, given, ssl.create_default_context(), LARGEST, lambda: datetime.now(UTC))
    for _ in range(connections):
        try:
            await job.run(turn)  # type: ignore[arg-type]  # has all that a job uses of a turn
        except (ImapClosed, ImapRefused):
            continue


def _mails(count: int, **sizes: int) -> dict[int, bytes]:
    """Mails 1 to `count`, of another size where `uid_N` says so."""
    return {uid: b"%d\r\n" % uid + b"x" * sizes.get(f"uid_{uid}", 10) for uid in range(1, count + 1)}


def _numbers(uids: Sequence[int]) -> list[bytes]:
    return [b"%d" % uid for uid in uids]


async def test_a_page_is_one_command_and_one_hand_over(monkeypatch: pytest.MonkeyPatch, turn: Turn) -> None:
    box = Box(_mails(PAGE_MAILS + 2))
    await _read(monkeypatch, box, turn)
    first, second = range(1, PAGE_MAILS + 1), range(PAGE_MAILS + 1, PAGE_MAILS + 3)
    assert box.asked == [[*first], [*second]]
    assert turn.pages == [(first[-1], _numbers(first)), (second[-1], _numbers(second))]


async def test_a_mail_that_vanished_since_the_search_is_passed_over_also_as_the_last_of_its_page(
    monkeypatch: pytest.MonkeyPatch, turn: Turn
) -> None:
    box = Box(_mails(5))
    box.gone = {2, 5}
    await _read(monkeypatch, box, turn)
    assert turn.pages == [(5, _numbers([1, 3, 4]))]


@pytest.mark.parametrize("keeps_open", [False, True])
async def test_a_mail_that_is_refused_is_noted_alone_and_those_before_it_do_not_wait(
    monkeypatch: pytest.MonkeyPatch, turn: Turn, *, keeps_open: bool
) -> None:
    box = Box(_mails(PAGE_MAILS + 1), refused=[3], keeps_open=keeps_open)
    await _read(monkeypatch, box, turn, connections=2)
    assert turn.pages == [(2, _numbers([1, 2]))]
    await _read(monkeypatch, box, turn, connections=REFUSALS + 2)
    messages = [words for _, page in turn.pages for words in page]
    assert b"does not give this mail" in messages.pop(2)
    assert messages == _numbers([1, 2, *range(4, PAGE_MAILS + 2)])


async def test_a_page_ends_with_the_mail_that_fills_it_and_only_long_mails_are_asked_for_twice(
    monkeypatch: pytest.MonkeyPatch, turn: Turn
) -> None:
    box = Box(_mails(5, uid_2=FIRST_BYTES + 1, uid_3=PAGE_BYTES))
    await _read(monkeypatch, box, turn)
    assert box.asked == [[1, 2, 3, 4, 5], [2], [3]]
    assert turn.pages == [(3, _numbers([1, 2, 3])), (5, _numbers([4, 5]))]


async def test_a_page_that_fails_moves_no_cursor_and_leaves_none_of_its_mails_behind(
    monkeypatch: pytest.MonkeyPatch, turn: Turn
) -> None:
    accept = Failing()
    with pytest.raises(StorageUnavailable):
        await _read(monkeypatch, Box(_mails(3)), turn, accept=accept)
    await asyncio.sleep(0)
    assert (accept.given_up, turn.pages, turn.cursor["uid"]) == (2, [], 0)
