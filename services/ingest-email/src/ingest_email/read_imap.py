"""A pull job: every mail of one IMAP folder becomes a message, once, in order, and the folder stays as it is.

Mails are fetched, read, stored and handed over in pages. The cursor is the last UID of one, under the folder's
UIDVALIDITY, and moves when Kafka has acknowledged. A mail that cannot be had or read is handed over as a note that says
so, and the next one follows.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Literal

import structlog

from ingest_email.accept_mail import AcceptMail
from ingest_email.delivery import Mailbox
from ingest_email.domain.envelopes import header_block, stated_envelope_sender
from ingest_email.imap_entries import folder_place
from ingest_email.imap_mailbox import SEARCH_WINDOW, Account, ImapMailbox, Secret, open_mailbox
from ingest_email.imap_wire import ImapClosed, ImapRefused
from ticket_contracts.topics import MESSAGES
from ticket_stream.leased_jobs import Cursor, Outgoing, Turn

PAGE_MAILS, PAGE_BYTES = 50, 16 * 1024 * 1024
"""What is handed over at once, and what a kill repeats. A page ends with the mail that makes it larger than this."""

FIRST_BYTES = 128 * 1024
"""What is asked of every mail of a page in one command. The rest of a longer one is asked for alone, with it, so that a
page's memory is bounded: its bytes, one largest mail and these."""

IDLE_SECONDS = 9 * 60.0
"""Servers end an IDLE after 30 minutes (RFC 2177), routers forget a silent connection after ten or so."""

REFUSALS = 5
"""How often the server may refuse one mail, or end the connection over it (as Dovecot does), until it is given up.

With the runner's pauses half a minute at most: its trouble may be over soon.
"""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

log = structlog.get_logger("read_imap")


@dataclass(frozen=True, slots=True)
class ImapSource:
    """One folder to read, and whose mail it is."""

    account: Account
    mailbox: Mailbox
    secret: Secret
    begin: Literal["now", "start"]
    poll_seconds: float


class _Page:
    """Mails on their way to one hand-over."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.bytes = 0
        self.mails: list[tuple[bytes, str]] = []

    def add(self, uid: int, mail: tuple[bytes, str] | None) -> None:
        """:param mail: with its note; None: there is none of this UID."""
        self.last = uid
        if mail is not None:
            self.mails.append(mail)
            self.bytes += len(mail[0])


class ReadImap:
    """One job; the runner sees to it that one process has it."""

    interval_seconds = 5.0  # between a connection that ended and the next

    def __init__(
        self,
        source: ImapSource,
        accept: AcceptMail,
        tls: ssl.SSLContext,
        largest_mail: int,
        clock: Callable[[], datetime],
    ) -> None:
        account = source.account
        self.name = f"imap/{folder_place(account.user, account.host, account.port, account.folder)}"
        self._source = source
        self._accept = accept
        self._tls = tls
        self._largest = largest_mail
        self._first_bytes = min(FIRST_BYTES, largest_mail)
        self._clock = clock
        self._refusals: dict[int, list[str]] = {}
        self._one_by_one_to = 0
        """The server failed over a mail up to this UID; only asking for each by itself tells which."""

    async def run(self, turn: Turn) -> None:
        """Read until the server ends the connection; what it raises before that is the job's failure."""
        largest = self._largest + 1024  # a server's arithmetic may differ in line ends
        async with open_mailbox(self._source.account, self._source.secret, self._tls, largest) as box:
            log.info("imap folder opened", job=self.name, uid_validity=box.folder.uid_validity)
            if turn.cursor.get("uid_validity") != box.folder.uid_validity:
                await self._begin(box, turn)
            while True:
                await self._read_on(box, turn)
                try:
                    await box.wait(IDLE_SECONDS, self._source.poll_seconds)
                except ImapClosed as end:  # at rest nothing was lost: the usual end of a connection
                    log.info("imap connection ended", job=self.name, reason=str(end))
                    return

    async def _begin(self, box: ImapMailbox, turn: Turn) -> None:
        """The first look at a folder, or one whose UIDs the server has given anew.

        Then every mail since the day of the last one is read again: its identity makes it a repeat, and a mail that
        came while the numbers changed is not lost.
        """
        stated, next_uid = turn.cursor, box.folder.uid_next
        last = 0
        if not stated and self._source.begin == "now":
            last = next_uid - 1 if next_uid else max(await box.uids_after(0, 0), default=0)
        elif stated:
            log.warning("imap folder has new numbers", job=self.name, uid_validity=box.folder.uid_validity)
            known = await box.uids_since(_imap_day(datetime.fromisoformat(stated["read_at"]) - timedelta(days=1)))
            last = known[0] - 1 if known else max(next_uid - 1, 0)
        self._refusals.clear()
        self._one_by_one_to = 0
        await turn.hand_over(self._cursor(box, last))

    async def _read_on(self, box: ImapMailbox, turn: Turn) -> None:
        while True:
            last = int(turn.cursor["uid"])
            windowed = box.folder.uid_next - 1 > last + SEARCH_WINDOW
            newest = last + SEARCH_WINDOW if windowed else 0
            uids = await box.uids_after(last, newest)
            turn.behind(len(uids))
            async for uid, messages in self._pages(box, uids):
                await turn.hand_over(self._cursor(box, uid), messages)
                self._refusals = {refused: said for refused, said in self._refusals.items() if refused > uid}
            turn.behind(0)
            if windowed and int(turn.cursor["uid"]) < newest:
                await turn.hand_over(self._cursor(box, newest))
            elif not uids:
                return

    async def _pages(self, box: ImapMailbox, uids: list[int]) -> AsyncIterator[tuple[int, list[Outgoing]]]:
        """The mails in pages, each with its last UID; what came before a mail that is refused waits no longer for it.

        :raises OSError: the server does not give a mail, and may still.
        """
        for at in range(0, len(uids), PAGE_MAILS):
            some = uids[at : at + PAGE_MAILS]
            page = _Page(some[0])
            firsts = await self._firsts(box, some)
            for uid in some:
                try:
                    mail = await self._fetch(box, uid, firsts)
                except OSError:
                    if page.mails:
                        yield page.last, await self._messages(page.mails)
                    raise
                page.add(uid, mail)
                if page.bytes > PAGE_BYTES:
                    yield uid, await self._messages(page.mails)
                    page = _Page(uid)
            yield some[-1], await self._messages(page.mails)

    async def _firsts(self, box: ImapMailbox, uids: list[int]) -> dict[int, bytes] | None:
        """Return the mails, of long ones the beginning; None: to be asked for one by one.

        :raises OSError: the server gave up over one of them.
        """
        if uids[0] <= self._one_by_one_to:
            return None
        try:
            return await box.mails(uids, self._first_bytes + 1)
        except ImapRefused as refusal:
            log.info("imap page refused", job=self.name, uid=uids[0], reason=str(refusal))
            self._one_by_one_to = uids[-1]
            return None
        except OSError:
            self._one_by_one_to = uids[-1]
            raise

    async def _fetch(self, box: ImapMailbox, uid: int, firsts: dict[int, bytes] | None) -> tuple[bytes, str] | None:
        """Return a mail, and a note when it is not whole; None when it is gone.

        :raises OSError: the server does not give it, and may still.
        """
        if firsts is not None:
            first = firsts.pop(uid, None)
            if first is None or len(first) <= self._first_bytes:
                return None if first is None else (first, "")
        refusals = self._refusals.setdefault(uid, [])
        if len(refusals) >= REFUSALS:
            log.warning("imap mail given up", job=self.name, uid=uid, reason=refusals[-1])
            return self._stand_in(box, uid), f"the mail server does not give this mail: {refusals[-1]}"
        try:
            raw = await box.mail(uid, self._largest + 1)
        except OSError as refusal:
            refusals.append(str(refusal) or type(refusal).__name__)
            raise
        if raw is None or len(raw) <= self._largest:
            return None if raw is None else (raw, "")
        note = f"a mail of more than {self._largest:,} bytes is too large to take; only its headers are here"
        return header_block(raw), note

    async def _messages(self, page: list[tuple[bytes, str]]) -> list[Outgoing]:
        reading = [
            asyncio.create_task(
                self._accept.prepare(raw, stated_envelope_sender(raw), [self._source.mailbox], note=note)
            )
            for raw, note in page
        ]
        try:
            prepared = await asyncio.gather(*reading)
        finally:  # with the storage away the others are not left behind: the page is begun again
            for task in reading:
                task.cancel()
        return [Outgoing(MESSAGES, key, event) for each in prepared for key, event in each]

    def _stand_in(self, box: ImapMailbox, uid: int) -> bytes:
        """A mail in the place of one that cannot be had, the same at each attempt."""
        account = self._source.account
        place = f"{uid}.{box.folder.uid_validity}.{account.folder}.{account.user}"
        words = f"Message-ID: <{place.encode().hex()}@imap.invalid>\r\nDate: {formatdate(0)}\r\n"
        return f"{words}Subject: IMAP {account.folder} UID {uid}\r\n\r\n".encode()

    def _cursor(self, box: ImapMailbox, uid: int) -> Cursor:
        now = self._clock().astimezone(UTC).isoformat(timespec="seconds")
        return {"uid_validity": box.folder.uid_validity, "uid": uid, "read_at": now}


def _imap_day(moment: datetime) -> str:
    return f"{moment.day}-{_MONTHS[moment.month - 1]}-{moment.year}"
