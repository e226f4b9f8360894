"""aiosmtpd inside our loop, behind a door that counts."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import structlog

from ingest_email.door import Door, SmtpLimits, client_of
from ingest_email.receive_mail import ReceiveMail
from ingest_email.smtp_session import SmtpSession
from service_kit.start_error import StartError

TOO_MANY_CONNECTIONS = b"421 4.7.0 Too many connections, try again later\r\n"

BACKLOG = 512
"""Connections that wait for the loop; a relay opens many at once after an outage."""

log = structlog.get_logger("smtp_server")


class Doorkeeper(asyncio.Protocol):
    """Turns a connection away before anything is built for it, else hands it to a session."""

    def __init__(self, door: Door, make_session: Callable[[str], SmtpSession]) -> None:
        self._door = door
        self._make_session = make_session

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)  # uvloop's are not derived from asyncio's
        peer = wire.get_extra_info("peername")
        address = client_of(str(peer[0])) if isinstance(peer, tuple) else "local"
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
    session_type: type[SmtpSession] = SmtpSession,
) -> AsyncIterator[int]:
    """Listen while the block lasts, and give the port. `Door.empty` then answers the mails that are on their way.

    :param session_type: what is spoken, SMTP or LMTP.
    :raises StartError: the address cannot be had.
    """
    loop = asyncio.get_running_loop()

    def make_session(address: str) -> SmtpSession:
        return session_type(handler, door, address, limits, hostname=hostname, tls_context=tls, loop=loop)

    try:
        server = await loop.create_server(lambda: Doorkeeper(door, make_session), host, port, backlog=BACKLOG)
    except OSError as error:
        raise StartError(
            f"cannot listen on {host} port {port} for mail: {error.strerror}",
            fix="set FIREBREAK_SMTP_HOST and FIREBREAK_SMTP_PORT, or those of LMTP, to an address and a port that this "
            "user may open",
        ) from error
    try:
        listening_on: int = server.sockets[0].getsockname()[1]
        log.info(
            "listening for mail", protocol=session_type.protocol, host=host, port=listening_on, starttls=tls is not None
        )
        yield listening_on
    finally:
        server.close()  # who is inside stays until the door is emptied: another server may share it


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
