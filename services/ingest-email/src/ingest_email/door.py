"""A door that counts: connections in all and per client address, mails in a minute, and bytes in memory."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Protocol

from ingest_email.mail_rate import MailRate
from ingest_email.metrics import MailMetrics

STOP_SECONDS = 5.0
"""For mails on their way when the process stops; below the default of `stop_seconds`."""


def client_of(address: str) -> str:
    """Return who is counted: the address, or the /64 of an IPv6 one, of which each customer of a provider has all."""
    found = ip_address(address.partition("%")[0])
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or IPv6Network((found, 64), strict=False))


class Inside(Protocol):
    """A connection that was let in."""

    def stop(self) -> None: ...

    def cut(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SmtpLimits:
    """See the settings of the same names."""

    message_bytes: int
    line_bytes: int
    connections: int
    connections_per_address: int
    mails_per_minute: int
    buffered_bytes: int
    idle_seconds: float
    require_tls: bool = False


class Door:
    """Counts what is inside. One per server."""

    def __init__(self, limits: SmtpLimits, metrics: MailMetrics, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._metrics = metrics
        self._mails = MailRate(limits.mails_per_minute, monotonic)
        self._by_address: Counter[str] = Counter()
        self._buffered = 0
        self._emptied = asyncio.Event()
        self.sessions: set[Inside] = set()

    def has_room_for(self, address: str) -> bool:
        return (
            len(self.sessions) < self._limits.connections
            and self._by_address[address] < self._limits.connections_per_address
        )

    def enter(self, session: Inside, address: str) -> None:
        self.sessions.add(session)
        self._by_address[address] += 1
        self._metrics.connections.set(len(self.sessions))

    def leave(self, session: Inside, address: str) -> None:
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

    def may_send(self, address: str) -> bool:
        """Count a mail that is about to come; false when its client has sent its share of the minute."""
        allowed = self._mails.take(address)
        if not allowed:
            self.refuse("too many mails")
        return allowed

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
