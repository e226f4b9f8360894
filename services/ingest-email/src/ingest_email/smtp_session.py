"""aiosmtpd's dialogue by SMTP and by LMTP, with what it has no hook for."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable
from typing import Any, cast

from aiosmtpd.smtp import SMTP, TLSSetupException

from ingest_email.door import Door, SmtpLimits
from ingest_email.receive_mail import STOPPING, ReceiveMail

TOO_MANY_MAILS = "450 4.7.1 Too many mails from this address in a minute, try again later"
TLS_FIRST = "530 5.7.0 Say STARTTLS first"
TLS_ALREADY = "503 5.5.1 This connection is encrypted"
MEMORY_FULL = b"421 4.3.1 Too much mail at once, try again later\r\n"
LONGEST_COMMAND = 1024
"""Bytes. RFC 5321 §4.5.3.1.4 asks for 512, internationalised addresses and parameters need more."""

COMMANDS = {"*": 1_000_000, "NOOP": 1000, "VRFY": 10, "HELP": 10}
"""How often a command may come on one connection, so that nobody keeps us busy without ever sending mail."""

_ENHANCED = {"500": "5.5.2", "501": "5.5.4", "502": "5.5.1", "503": "5.5.1", "552": "5.3.4"}
"""Status codes (RFC 3463) of what aiosmtpd answers by itself; others get `<class>.0.0`, "no more is known"."""
_BARE = re.compile(r"([245])\d\d (?!\d\.\d)")

_USUAL_PATH = re.compile(r"\s*<([\w.+=-]+@[\w.-]+)>(.*)", re.ASCII | re.DOTALL)


class SmtpSession(SMTP):
    """One connection. Adds to aiosmtpd what it has no hook for: counting, and an orderly end."""

    protocol = "SMTP"

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
        self._require_tls = limits.require_tls and options.get("tls_context") is not None
        self._held = 0
        self._in_data = False
        self._greeted = True
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

    async def push(self, status: str | bytes) -> None:
        """Answer with a status code of RFC 3463, as RFC 2034 asks of who offers it; never to a greeting."""
        text = status.decode() if isinstance(status, bytes) else status
        if self._greeted and (bare := _BARE.match(text)):
            text = f"{text[:3]} {_ENHANCED.get(text[:3], f'{bare[1]}.0.0')} {text[4:]}"
        await super().push(text)

    async def smtp_EHLO(self, arg: str) -> None:  # noqa: N802 - aiosmtpd calls it so
        await self._greet(super().smtp_EHLO(arg))

    async def smtp_HELO(self, arg: str) -> None:  # noqa: N802 - as above
        await self._greet(super().smtp_HELO(arg))

    async def _greet(self, greeting: Awaitable[None]) -> None:
        self._greeted = False
        try:
            await greeting
        finally:
            self._greeted = True

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - aiosmtpd calls it so
        """Once for each connection.

        :raises TLSSetupException: aiosmtpd ends the connection.
        """
        if self._tls_protocol:
            await self.push(TLS_ALREADY)
            return
        await super().smtp_STARTTLS(arg)
        if self._tls_protocol and self.session and self.session.ssl is None:
            # We closed it in the middle of the handshake (idle, full, stopping), which aiosmtpd takes for a success:
            # it would wait for a command, and the door count the connection, for ever.
            raise TLSSetupException

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802 - aiosmtpd calls it so
        if self._require_tls and not self._tls_protocol:
            self._door.refuse("not encrypted")
            await self.push(TLS_FIRST)
        elif self._door.may_send(self._address):
            await super().smtp_MAIL(arg)
        else:
            await self.push(TOO_MANY_MAILS)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - as above
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


class LmtpSession(SmtpSession):
    """The same by LMTP (RFC 2033): greeted by LHLO, and each accepted recipient gets an answer of its own at the end.

    All recipients of a mail share its fate: it is stored and in the log for each of them, or for none. A client that is
    told to try again sends the whole once more, and what was recorded already is recognised.
    """

    protocol = "LMTP"
    _waiting = 0
    """Recipients that wait for an answer to the data; 0 before it was asked for."""

    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802 - as above
        if not arg:
            await self.push("501 5.5.4 Syntax: LHLO hostname")
        else:
            await super().smtp_EHLO(arg)

    async def smtp_HELO(self, _: str) -> None:  # noqa: N802 - as above
        await self.push("500 5.5.1 This is LMTP: say LHLO")

    async def smtp_EHLO(self, arg: str) -> None:  # noqa: N802 - as above
        await self.smtp_HELO(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - as above
        try:
            await super().smtp_DATA(arg)
        finally:
            self._waiting = 0

    async def push(self, status: str | bytes) -> None:
        """Answer; what ends the data once for each recipient, also where aiosmtpd itself refuses it."""
        for _ in range(max(1, self._waiting)):
            await super().push(status)
        if self._in_data and str(status).startswith("354") and self.envelope:
            self._waiting = len(self.envelope.rcpt_tos)
