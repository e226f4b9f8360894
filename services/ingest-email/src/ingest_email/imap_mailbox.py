"""One folder of an IMAP account, read only: what is new in it, and its mails one by one."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from ingest_email.imap_wire import Answer, ImapRefused, ImapWire, connect, encoded, quoted

COMMAND_SECONDS = 60.0  # a busy server opens a large folder in some seconds
FETCH_SECONDS = 300.0  # the largest mail over a slow line
SEARCH_WINDOW = 20_000
"""UIDs that are looked for at once."""

Secret = Callable[[], Awaitable[str]]
"""Gives the password, or a token that is valid now."""

_UID_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
_UID_NEXT = re.compile(rb"\[UIDNEXT (\d+)\]", re.IGNORECASE)
_TELLING = 40  # characters of a secret by which it is found in an answer that is cut off
_EXISTS = re.compile(rb"^(\d+) EXISTS", re.IGNORECASE | re.MULTILINE)
_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_BODY = re.compile(rb'\bBODY\[\](?:<0>)? (?:\{\d+\}|"((?:[^"\\]|\\.)*)")', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Account:
    """Where a mailbox is, and who we are there."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    user: str
    folder: str
    method: Literal["password", "xoauth2"]


@dataclass(frozen=True, slots=True)
class Folder:
    """As the server describes it when it is opened. `uid_next` 0: it did not say. `mails`: how many there are."""

    uid_validity: int
    uid_next: int
    mails: int = 0


class ImapMailbox:
    """A folder that is open. Made by `open_mailbox`."""

    def __init__(self, wire: ImapWire, folder: Folder, abilities: frozenset[str]) -> None:
        """:param abilities: what the server can once we are logged in, in capitals."""
        self._wire = wire
        self.folder = folder
        self.abilities = abilities

    async def uids_after(self, uid: int, newest: int) -> list[int]:
        """Return the UIDs of the mails above `uid` and up to `newest`, in order."""
        self._wire.news = False
        # `uid:*` always finds the last mail, also when it is below `uid` (RFC 3501 §6.4.8).
        asked = f"UID SEARCH UID {uid + 1}:{newest}" if newest else f"UID SEARCH UID {uid + 1}:*"
        found = await self._command(asked)
        numbers = [int(word) for answer in found if answer.line[:7].upper() == b"SEARCH " for word in _numbers(answer)]
        return sorted({number for number in numbers if number > uid})

    async def uids_since(self, day: str) -> list[int]:
        """Return the UIDs of the mails that came on a day (`26-Nov-2026`) or later."""
        self._wire.news = False
        found = await self._command(f"UID SEARCH SINCE {day}")
        return sorted({int(word) for each in found if each.line[:7].upper() == b"SEARCH " for word in _numbers(each)})

    async def count_unseen(self) -> int:
        """Return how many of the newest SEARCH_WINDOW mails nobody has read."""
        first = max(1, self.folder.uid_next - SEARCH_WINDOW)
        found = await self._command(f"UID SEARCH UNSEEN UID {first}:*")
        return len({word for each in found if each.line[:7].upper() == b"SEARCH " for word in _numbers(each)})

    async def mails(self, uids: Sequence[int], most: int) -> dict[int, bytes]:
        """Return mails as they are, at most so many bytes of each, by UID; who is missing is gone.

        Nobody else sees them as read. Sizes are not asked for before: over one mail that it cannot read, Dovecot ends
        the connection, also when asked for its size only.

        :raises OSError: the server cannot give one of them; which, only asking for one by one tells.
        """
        wanted = ",".join(map(str, uids))
        answers = await self._command(f"UID FETCH {wanted} (UID BODY.PEEK[]<0.{most}>)", FETCH_SECONDS)
        found = dict(filter(None, map(_mail_in, filter(_is_fetch, answers))))
        return {uid: found[uid] for uid in uids if uid in found}

    async def mail(self, uid: int, most: int) -> bytes | None:
        """Return one mail like `mails`; None when it is gone.

        :raises OSError: the server cannot give it.
        """
        return (await self.mails([uid], most)).get(uid)

    async def wait(self, seconds: float, poll_seconds: float) -> None:
        """Return when there may be new mail: at once when it came meanwhile; without IDLE after `poll_seconds`."""
        if self._wire.news:
            return
        if "IDLE" in self.abilities:
            async with asyncio.timeout(seconds + COMMAND_SECONDS):
                await self._wire.idle(seconds)
        else:
            await asyncio.sleep(min(seconds, poll_seconds))
            await self._command("NOOP")

    async def _command(self, words: str, seconds: float = COMMAND_SECONDS) -> list[Answer]:
        async with asyncio.timeout(seconds):
            return await self._wire.command(words)


@asynccontextmanager
async def open_mailbox(
    account: Account, secret: Secret, tls: ssl.SSLContext, largest: int
) -> AsyncIterator[ImapMailbox]:
    """Log in and open the folder without the right to change anything in it.

    :raises ImapRefused: wrong name, secret or folder; the message is the server's.
    :raises OSError: the server is away; also `ImapClosed` and time-outs.
    """
    direct = tls if account.security == "tls" else None
    wire = await connect(account.host, account.port, direct, largest_literal=largest, seconds=COMMAND_SECONDS)
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            await wire.greeting()
            if account.security == "starttls":
                await wire.start_tls(tls, account.host)
            await _log_in(wire, account, secret)
            abilities = await _abilities(wire)
            folder = await _examine(wire, account.folder)
        yield ImapMailbox(wire, folder, frozenset(word.decode("ascii", "replace") for word in abilities))
    finally:
        wire.close()


async def _log_in(wire: ImapWire, account: Account, secret: Secret) -> None:
    words = await secret()
    abilities = await _abilities(wire)
    if account.method == "xoauth2":
        claim = encoded(f"user={account.user}\1auth=Bearer {words}\1\1".encode())
        command, respond = "AUTHENTICATE XOAUTH2", _once(claim)
    elif b"AUTH=PLAIN" in abilities:
        claim = encoded(f"\0{account.user}\0{words}".encode())
        command, respond = "AUTHENTICATE PLAIN", _once(claim)
    elif b"LOGINDISABLED" in abilities:
        raise ImapRefused("the server takes no password on this connection: use security tls or starttls")
    else:
        claim = quoted(words)
        command, respond = f"LOGIN {quoted(account.user)} {claim}", None
    try:
        await wire.command(command, respond=respond)
    except ImapRefused as error:
        if any(each[:_TELLING] in str(error) for each in (words, claim)):
            raise ImapRefused("the login is refused; the server's reason repeats our secret and is left out") from None
        raise


def _once(claim: str) -> Callable[[bytes], bytes]:
    """Answer the first question; a second one holds the reason of a refusal, and wants an empty line (XOAUTH2)."""
    waiting = [claim.encode()]
    return lambda _: waiting.pop() if waiting else b""


async def _abilities(wire: ImapWire) -> set[bytes]:
    answers = await wire.command("CAPABILITY")
    return {word.upper() for each in answers if each.line[:11].upper() == b"CAPABILITY " for word in each.line.split()}


async def _examine(wire: ImapWire, folder: str) -> Folder:
    answers = await wire.command(f"EXAMINE {quoted(modified_utf_7(folder))}")
    told = b"\n".join(answer.line for answer in answers)
    validity, after, mails = (each.search(told) for each in (_UID_VALIDITY, _UID_NEXT, _EXISTS))
    wire.news = False
    return Folder(*(int(found[1]) if found else 0 for found in (validity, after, mails)))


def modified_utf_7(name: str) -> str:
    """The name of a folder as IMAP writes it (RFC 3501 §5.1.3): `收件箱` is `&ZTZO9nux-`."""
    written, foreign = "", ""
    for character in [*name, ""]:
        if character and not " " <= character <= "~":
            foreign += character
            continue
        if foreign:
            written += "&" + encoded(foreign.encode("utf-16-be")).rstrip("=").replace("/", ",") + "-"
            foreign = ""
        written += "&-" if character == "&" else character
    return written


def _is_fetch(answer: Answer) -> bool:
    return answer.line.split(b"(", 1)[0].upper().endswith(b"FETCH ")


def _mail_in(answer: Answer) -> tuple[int, bytes] | None:
    """Return the UID and what came of the mail; None where the answer is about something else."""
    found = _BODY.search(answer.line)
    if found is None:
        return None
    stated = _UID.search(answer.line[: found.start()] + answer.line[found.end() :])  # a quoted mail may hold the words
    if stated is None:
        return None
    if found[1] is not None:  # a short one may come as a quoted string
        return int(stated[1]), re.sub(rb"\\(.)", rb"\1", found[1])
    return (int(stated[1]), answer.literals[0]) if answer.literals else None


def _numbers(answer: Answer) -> list[bytes]:
    return [word for word in answer.line.split()[1:] if word.isdigit()]
