"""One connection to a telephone exchange's manager interface: log in, read events, notice a dead one.

Own code and no library: the protocol is lines of text, and the one asyncio library for it (panoramisk) had its last
release years ago.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

from ingest_pull.domain.ami_packets import key_of, read_packet, write_packet
from ingest_pull.domain.line_text import read_text

Login = Literal["md5", "plain"]

_CONNECT_SECONDS = 10.0
_LARGEST_PACKET = 64 * 1024  # an event has a kilobyte
_AT_ONCE = 256 * 1024  # bytes of one read: some hundred events, which are then handed over together
_PACKET_END = b"\r\n\r\n"
_PING_SECONDS = 30.0  # a dead peer, or a firewall that forgot us, shows within twice this


class ManagerAway(OSError):
    """It cannot be reached, or went silent: try again later."""


class ManagerRefused(Exception):
    """It does not let us in: the account or its rights are wrong."""


class ManagerAddress(NamedTuple):
    host: str
    port: int
    tls: bool
    user: str
    secret: str
    login: Login


class ManagerConnection:
    """Made by `open_manager`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._silent = 0.0
        self._unfinished = b""
        self._packets: deque[Mapping[str, str]] = deque()

    async def next_events(self, seconds: float) -> list[Mapping[str, str]]:
        """Return the next packet with all that came together with it; none: there was none for so long.

        :raises ManagerAway:
        """
        try:
            async with asyncio.timeout(seconds):
                events = [await self._read()]
        except TimeoutError:
            await self._mind_the_silence(seconds)
            return []
        self._silent = 0.0
        events += self._packets
        self._packets.clear()
        return events

    async def log_in(self, address: ManagerAddress) -> None:
        """:raises ManagerRefused, ManagerAway:"""
        async with asyncio.timeout(_CONNECT_SECONDS):
            await self._reader.readline()  # Asterisk Call Manager/x.y.z
            proof = {"Secret": address.secret}
            if address.login == "md5":
                answer = await self._ask(Action="Challenge", AuthType="MD5")
                proof = {"AuthType": "MD5", "Key": key_of(answer.get("Challenge", ""), address.secret)}
            answer = await self._ask(Action="Login", Username=address.user, Events="on", **proof)
        if answer.get("Response") != "Success":
            raise ManagerRefused(f"login of {address.user}: {answer.get('Message', 'no reason given')}")

    async def log_off(self) -> None:
        """Say good-bye, so that the exchange logs no lost connection.

        :raises ManagerAway:
        """
        async with asyncio.timeout(_CONNECT_SECONDS):
            await self._ask(Action="Logoff")

    async def _ask(self, **fields: str) -> Mapping[str, str]:
        """Send an action, and return its response; events before it are of no interest yet."""
        self._writer.write(write_packet(**fields))
        await self._writer.drain()
        while "Response" not in (packet := await self._read()):
            continue
        return packet

    async def _read(self) -> Mapping[str, str]:
        while not self._packets:
            if len(self._unfinished) > _LARGEST_PACKET:
                raise ManagerAway(f"a packet is longer than {_LARGEST_PACKET} bytes")
            try:
                content = await self._reader.read(_AT_ONCE)
            except OSError as error:
                raise ManagerAway("the connection to the exchange broke") from error
            if not content:
                raise ManagerAway("the exchange closed the connection")
            *whole, self._unfinished = (self._unfinished + content).split(_PACKET_END)
            self._packets.extend(read_packet(map(read_text, packet.split(b"\r\n"))) for packet in whole)
        return self._packets.popleft()

    async def _mind_the_silence(self, seconds: float) -> None:
        before, self._silent = self._silent, self._silent + seconds
        if self._silent > 2 * _PING_SECONDS:
            raise ManagerAway(f"silent for {self._silent:.0f} s")
        if before < _PING_SECONDS <= self._silent:
            self._writer.write(write_packet(Action="Ping"))
            await self._writer.drain()


@asynccontextmanager
async def open_manager(address: ManagerAddress) -> AsyncIterator[ManagerConnection]:
    """Connect and log in; close at the end, whatever happened.

    :raises ManagerAway, ManagerRefused:
    """
    context = ssl.create_default_context() if address.tls else None
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context, limit=_AT_ONCE)
    except (OSError, UnicodeError) as error:  # includes TimeoutError; UnicodeError: no name of a host
        raise ManagerAway(f"{address.host}:{address.port} cannot be reached: {error}") from error
    try:
        connection = ManagerConnection(reader, writer)
        try:
            await connection.log_in(address)
        except TimeoutError as error:
            raise ManagerAway("the exchange does not answer the login") from error
        yield connection
    finally:
        writer.transport.abort()  # nothing of ours waits to be sent
