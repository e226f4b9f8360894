"""aiosmtpd inside our loop, behind a door that counts: connections in all, per client address, and bytes in memory."""

import asyncio
import re
import ssl
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import structlog
from aiosmtpd.smtp import SMTP

from ingest_email.metrics import MailMetrics
from ingest_email.receive_mail import STOPPING, ReceiveMail
from service_kit.start_error import StartError

TOO_MANY_CONNECTIONS = b"421 4.7.0 Too many connections, try again later\r\n"
MEMORY_FULL = b"421 4.3.1 Too much mail at once, try again later\r\n"
LONGEST_COMMAND = 1024
"""Bytes. RFC 5321 §4.5.3.1.4 asks for 512, internationalised addresses and parameters need more."""

COMMANDS = {"*": 1_000_000, "NOOP": 1000, "VRFY": 10, "HELP": 10}
"""How often a command may come on one connection, so that nobody keeps us busy without ever sending mail."""

BACKLOG = 512
"""Connections that wait for the loop; a relay opens many at once after an outage."""

STOP_SECONDS = 5.0
"""For mails on their way when the process stops; below the default of `stop_seconds`."""

_USUAL_PATH = re.compile(r"\s*<([\w.+=-]+@[\w.-]+)>(.*)", re.ASCII | re.DOTALL)

log = structlog.get_logger("smtp_server")


@dataclass(frozen=True, slots=True)
class SmtpLimits:
    """See the settings of the same names."""

    message_bytes: int
    line_bytes: int
    connections: int
    connections_per_address: int
    buffered_bytes: int
    idle_seconds: float


class Door:
    """Counts what is inside. One per server."""

    def __init__(self, limits: SmtpLimits, metrics: MailMetrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._by_address: Counter[str] = Counter()
        self._buffered = 0
        self._emptied = asyncio.Event()
        self.sessions: set[SmtpSession] = set()

    def has_room_for(self, address: str) -> bool:
        return (
            len(self.sessions) < self._limits.connections
            and self._by_address[address] < self._limits.connections_per_address
        )

    def enter(self, session: "SmtpSession", address: str) -> None:
        self.sessions.add(session)
        self._by_address[address] += 1
        self._metrics.connections.set(len(self.sessions))

    def leave(self, session: "SmtpSession", address: str) -> None:
        """May be called twice: with STARTTLS two transports end."""
        if session not in self.sessions:
            return
        self.sessions.remove(session)
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
        if not self.sessions:
            self._emptied.set()
        self._metrics.connections.set(len(self.sessions))

    def hold(self, size: int) -> bool:
        """Count bytes in memory, or uncount them when negative; false when there is no room left."""
        self._buffered += size
        return self._buffered <= self._limits.buffered_bytes

    def refuse(self, reason: str) -> None:
        self._metrics.refused.labels(reason).inc()

    async def empty(self) -> None:
        """Send everybody away, and wait for those in the middle of a mail; the rest is cut off."""
        for session in tuple(self.sessions):
            session.stop()
        self._emptied.clear()
        if self.sessions:
            with suppress(TimeoutError):  # what is left is cut off below
                async with asyncio.timeout(STOP_SECONDS):
                    await self._emptied.wait()
        for session in tuple(self.sessions):
            session.cut()


class SmtpSession(SMTP):
    """One connection. Adds to aiosmtpd what it has no hook for: counting, and an orderly end."""

    def __init__(self, handler: ReceiveMail, door: Door, address: str, limits: SmtpLimits, **options: Any) -> None:
        self.line_length_limit = limits.line_bytes  # read by SMTP.__init__
        super().__init__(
            handler,
            data_size_limit=limits.message_bytes,
            timeout=limits.idle_seconds,
            enable_SMTPUTF8=True,
            command_call_limit=COMMANDS,
            **options,
        )
        # The class attribute is shared by all connections and grows with every EHLO (aiosmtpd 1.4.6).
        self.command_size_limits = defaultdict(lambda: LONGEST_COMMAND)
        self._door = door
        self._address = address
        self._held = 0
        self._in_data = False
        self._stopping = False

    @property
    def _wire(self) -> asyncio.Transport:
        return cast(asyncio.Transport, self.transport)  # what aiosmtpd declares cannot be written to

    def data_received(self, data: bytes) -> None:
        self._held += len(data)
        if self._door.hold(len(data)):
            super().data_received(data)
        elif self.transport is not None:
            self._door.refuse("memory full")
            self._wire.write(MEMORY_FULL)
            self._wire.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._forget_held()
        self._door.leave(self, self._address)
        super().connection_lost(error)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """A usual path without the standard library's grammar, which takes a fifth of the whole dialogue's time."""
        usual = _USUAL_PATH.fullmatch(arg)
        if usual is not None:
            return usual.group(1), usual.group(2)
        address, rest = super()._getaddr(arg)
        return address, rest

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd calls it so
        self._in_data = True
        try:
            await super().smtp_DATA(arg)
        finally:
            self._in_data = False
        if self._stopping:
            self._say_goodbye()

    def stop(self) -> None:
        """End the connection now, or as soon as the mail that is on its way is answered."""
        self._stopping = True
        if not self._in_data:
            self._say_goodbye()

    def cut(self) -> None:
        """End the connection without an answer: the sender will try again."""
        if self.transport is not None:
            self._wire.abort()

    def _say_goodbye(self) -> None:
        if self.transport is not None:
            self._wire.write(f"{STOPPING}\r\n".encode())
            self._wire.close()

    def _set_post_data_state(self) -> None:
        """aiosmtpd calls it when a mail is done with, well or not."""
        self._forget_held()
        super()._set_post_data_state()  # type: ignore[no-untyped-call]  # not annotated in aiosmtpd

    def _forget_held(self) -> None:
        held, self._held = self._held, 0
        self._door.hold(-held)


class Doorkeeper(asyncio.Protocol):
    """Turns a connection away before anything is built for it, else hands it to a session."""

    def __init__(self, door: Door, make_session: Callable[[str], SmtpSession]) -> None:
        self._door = door
        self._make_session = make_session

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)  # uvloop's are not derived from asyncio's
        peer = wire.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) else "local"
        if not self._door.has_room_for(address):
            self._door.refuse("too many connections")
            wire.write(TOO_MANY_CONNECTIONS)
            wire.close()
            return
        session = self._make_session(address)
        self._door.enter(session, address)
        wire.set_protocol(session)
        session.connection_made(wire)


@asynccontextmanager
async def open_smtp_server(
    host: str,
    port: int,
    hostname: str,
    handler: ReceiveMail,
    door: Door,
    limits: SmtpLimits,
    tls: ssl.SSLContext | None,
) -> AsyncIterator[int]:
    """Listen while the block lasts, and give the port. Mails on their way at the end are still answered.

    :raises StartError: the address cannot be had.
    """
    loop = asyncio.get_running_loop()

    def make_session(address: str) -> SmtpSession:
        return SmtpSession(handler, door, address, limits, hostname=hostname, tls_context=tls, loop=loop)

    try:
        server = await loop.create_server(lambda: Doorkeeper(door, make_session), host, port, backlog=BACKLOG)
    except OSError as error:
        raise StartError(
            f"cannot listen on {host} port {port} for mail: {error.strerror}",
            fix="set FIREBREAK_SMTP_HOST and FIREBREAK_SMTP_PORT to an address and a port that this user may open",
        ) from error
    try:
        listening_on: int = server.sockets[0].getsockname()[1]
        log.info("listening for mail", host=host, port=listening_on, starttls=tls is not None)
        yield listening_on
    finally:
        server.close()
        await door.empty()


def load_tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return the context for STARTTLS, None when none is configured.

    :raises StartError: a file cannot be used.
    """
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise StartError(
            f"the certificate {certificate} or its key cannot be used: {error}",
            fix="correct FIREBREAK_SMTP_TLS_CERTIFICATE and FIREBREAK_SMTP_TLS_KEY, or leave both out",
        ) from error
    return context
