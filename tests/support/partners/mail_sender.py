"""A mail server that delivers to us: plain SMTP over one connection, cheap enough to drive a benchmark.

It says exactly what it is told to and reports exactly what it hears, so that tests can be wrong on purpose.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from typing import NamedTuple

LONGEST_LINE = 64 * 1024
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_BARE_END = re.compile(rb"\r?\n")


class Reply(NamedTuple):
    """What the server said; `text` is all its lines."""

    code: int
    text: str


class MailSender:
    """One connection after its greeting. Made by `mail_sender`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: Reply) -> None:
        self._reader = reader
        self._writer = writer
        self.greeting = greeting

    async def command(self, line: str) -> Reply:
        """Say one line and return the answer."""
        self._writer.write(line.encode() + b"\r\n")
        return await read_reply(self._reader)

    async def send(self, raw: bytes, sender: str, recipients: Sequence[str], *, declare_size: bool = False) -> Reply:
        """Deliver one mail; returns the first refusal or the answer to its data."""
        size = f" SIZE={len(raw)}" if declare_size else ""
        reply = await self.command(f"MAIL FROM:<{sender}>{size}")
        if reply.code != 250:
            return reply
        replies = [await self.command(f"RCPT TO:<{recipient}>") for recipient in recipients]
        if not any(answer.code == 250 for answer in replies):
            await self.command("RSET")
            return replies[0]
        reply = await self.command("DATA")
        if reply.code != 354:
            return reply
        self._writer.write(on_the_wire(raw))
        with suppress(ConnectionError):  # the answer, or its absence, says so
            await self._writer.drain()
        return await read_reply(self._reader)

    async def next_reply(self) -> Reply:
        """Read another answer to what was said last: LMTP gives one for each recipient."""
        return await read_reply(self._reader)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)

    def hang_up(self) -> None:
        """Drop the connection without a word."""
        self._writer.transport.abort()


def on_the_wire(raw: bytes) -> bytes:
    """A mail as DATA wants it: CRLF, dots doubled, a lone dot at the end (RFC 5321 §4.5.2)."""
    lines = _BARE_END.sub(b"\r\n", raw)
    end = b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n"
    return _LEADING_DOT.sub(b"..", lines) + end


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    """Read one reply, however many lines it has; code 0 when the server hung up."""
    lines = []
    while True:
        try:
            line = (await reader.readline()).decode("utf-8", "replace").rstrip("\r\n")
        except ConnectionError as error:
            return Reply(0, f"the connection ended: {error}")
        if not line:
            return Reply(0, "the connection ended")
        lines.append(line[4:])
        if line[3:4] != "-":
            return Reply(int(line[:3]), "\n".join(lines))


@asynccontextmanager
async def mail_sender(host: str, port: int, hello: str = "EHLO") -> AsyncIterator[MailSender]:
    """Connect and say EHLO, or LHLO (unless the greeting is a refusal); says QUIT at the end."""
    reader, writer = await asyncio.open_connection(host, port, limit=LONGEST_LINE)
    try:
        connection = MailSender(reader, writer, await read_reply(reader))
        if connection.greeting.code == 220:
            await connection.command(f"{hello} sender.example")
        yield connection
        if connection.greeting.code == 220 and not writer.transport.is_closing():
            await connection.command("QUIT")
    finally:
        writer.close()
        with suppress(OSError):  # the server may have closed first
            await writer.wait_closed()


def write_mail(
    sender: str, recipient: str, subject: str, text: str, *, message_id: str, headers: Sequence[tuple[str, str]] = ()
) -> bytes:
    """A usual mail of a customer."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = subject
    mail["Message-ID"] = message_id
    for name, value in headers:
        mail[name] = value
    mail.set_content(text)
    return mail.as_bytes()
