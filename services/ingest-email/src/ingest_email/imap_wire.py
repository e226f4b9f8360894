"""IMAP as lines: one command at a time, its answers, and the bytes that come along with them (RFC 3501, RFC 2177).

Small, and by hand: docs/decisions/0029 says why. It only reads, it never hangs (every wait has an end, which the caller
sets), and what a server may send is bounded.
"""

import asyncio
import base64
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

LONGEST_LINE = 1024 * 1024
"""Bytes without literals; the numbers of twenty thousand mails take a quarter of it."""

MOST_LITERALS = 16  # of one answer; we ask for one of each mail
MOST_ANSWERED = 16 * 1024 * 1024
"""Bytes of all answers to one command, beside one largest literal; fifty beginnings of mails are 6.3 MiB."""

_LITERAL = re.compile(rb"\{(\d{1,10})\}$")


class ImapClosed(ConnectionError):
    """The server ended the connection, or it broke. Try again."""


class ImapRefused(OSError):
    """The server says NO or BAD; the message is its own. Tried again like any trouble of a server's."""


class ImapDisordered(ConnectionError):
    """What the server sends is not IMAP, or more than we take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One untagged answer after its `* `; where a literal stood, its size in braces is left in the line."""

    line: bytes
    literals: list[bytes] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.line) + sum(map(len, self.literals))


class ImapWire:
    """One connection. Cancelling a command leaves it unusable: close it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, largest_literal: int) -> None:
        self._reader = reader
        self._writer = writer
        self._largest = largest_literal
        self._number = 0
        self.news = False
        """Whether the server has announced mails since this was last set to false."""

    async def greeting(self) -> bytes:
        answer = await self._receive()
        if not answer.line.startswith((b"* OK", b"* PREAUTH")):
            raise ImapClosed(f"the server does not let us in: {_shown(answer.line)}")
        return answer.line[2:]

    async def command(self, words: str, *, respond: Callable[[bytes], bytes] | None = None) -> list[Answer]:
        """Say a command and return its untagged answers.

        :param respond: answers the server's questions (`+ …`), whose text it gets.
        :raises ImapRefused: it says NO or BAD.
        :raises ImapClosed: the connection ended.
        :raises ImapDisordered: it is no IMAP, or more than MOST_ANSWERED.
        """
        tag = self._send(words)
        answers: list[Answer] = []
        held = 0
        while True:
            answer = await self._receive()
            held += answer.size
            if held > self._largest + MOST_ANSWERED:
                raise ImapDisordered(f"more than {MOST_ANSWERED} bytes in answer to one command")
            if answer.line.startswith(b"* "):
                answers.append(self._noted(answer))
            elif answer.line.startswith(b"+"):
                if respond is None:
                    raise ImapDisordered("a question to which there is no answer")
                self._write(respond(answer.line[2:]) + b"\r\n")
            elif answer.line.startswith(tag + b" "):
                _check(answer.line[len(tag) + 1 :])
                return answers

    async def idle(self, seconds: float) -> None:
        """Wait until the server announces mail, or for so long. It may also simply say nothing for ever.

        :raises ImapClosed: the connection ended meanwhile.
        """
        tag = self._send("IDLE")
        try:
            async with asyncio.timeout(seconds):
                while not self.news:
                    answer = await self._receive()
                    if answer.line.startswith(tag):
                        _check(answer.line[len(tag) + 1 :])
                        return
                    if answer.line.startswith(b"* "):
                        self._noted(answer)
        except TimeoutError:  # bytes that were read stay in the reader's buffer: nothing is lost
            pass
        self._write(b"DONE\r\n")
        while not (answer := await self._receive()).line.startswith(tag):
            if answer.line.startswith(b"* "):
                self._noted(answer)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        await self.command("STARTTLS")
        if self._reader._buffer:  # type: ignore[attr-defined]  # what came in plain must not count as encrypted
            raise ImapDisordered("the server spoke on before the encryption began")
        await self._writer.start_tls(context, server_hostname=host)

    def close(self) -> None:
        """At once; a server needs no good-bye."""
        self._writer.transport.abort()

    def _noted(self, answer: Answer) -> Answer:
        line = answer.line[2:]
        if line[:3].upper() == b"BYE":
            raise ImapClosed(f"the server says good-bye: {_shown(line)}")
        if line.upper().endswith((b" EXISTS", b" RECENT")):
            self.news = True
        return Answer(line, answer.literals)

    def _send(self, words: str) -> bytes:
        if "\r" in words or "\n" in words or "\0" in words:
            raise ValueError("a command is one line")
        self._number += 1
        tag = b"f%d" % self._number
        self._write(tag + b" " + words.encode() + b"\r\n")
        return tag

    def _write(self, data: bytes) -> None:
        if self._writer.is_closing():
            raise ImapClosed("the connection is closed")
        self._writer.write(data)

    async def _receive(self) -> Answer:
        pieces: list[bytes] = []
        literals: list[bytes] = []
        try:
            while True:
                line = (await self._reader.readuntil(b"\n")).rstrip(b"\r\n")
                pieces.append(line)
                announced = _LITERAL.search(line)
                if announced is None:
                    return Answer(b"".join(pieces), literals)
                size = int(announced[1])
                if size > self._largest or len(literals) == MOST_LITERALS:
                    raise ImapDisordered(f"{size} bytes announced")
                literals.append(await self._reader.readexactly(size))
        except asyncio.IncompleteReadError as end:
            raise ImapClosed("the connection ended") from end
        except asyncio.LimitOverrunError as long:
            raise ImapDisordered("a line without an end") from long


async def connect(
    host: str, port: int, tls: ssl.SSLContext | None, *, largest_literal: int, seconds: float
) -> ImapWire:
    """Connect, encrypted from the first byte when `tls` is given.

    :raises OSError: the server cannot be reached, or its certificate is wrong.
    """
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(
            host, port, ssl=tls, server_hostname=host if tls else None, limit=LONGEST_LINE
        )
    connected = writer.get_extra_info("socket")
    if connected is not None:  # so that a peer that vanished is noticed while nothing is said
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return ImapWire(reader, writer, largest_literal)


def encoded(words: bytes) -> str:
    return base64.b64encode(words).decode()


def quoted(words: str) -> str:
    """A quoted string (RFC 3501 §4.3)."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _check(status: bytes) -> None:
    if status[:2].upper() != b"OK":
        raise ImapRefused(_shown(status))


def _shown(line: bytes) -> str:
    return line[:200].decode("ascii", "replace")
