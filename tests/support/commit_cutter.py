"""A TCP relay before PostgreSQL that cuts a connection when a COMMIT was sent and its answer has not come back."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.support.frontend_messages import FrontendMessages

CHUNK = 64 * 1024
ANSWER_SECONDS = 5.0  # a commit takes milliseconds; a server that is down meanwhile never answers


class Cut(StrEnum):
    """What becomes of the COMMIT; the client cannot tell which."""

    ANSWER_LOST = "answer lost"  # the server commits
    COMMIT_LOST = "commit lost"  # the server never hears of it and rolls back


class CommitCutter:
    """The relay. `done` counts the cuts made."""

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.done: Counter[Cut] = Counter()
        self._server_port = server_port
        self._wanted: deque[Cut] = deque()
        self._relays: set[asyncio.Task[None]] = set()
        self._away = False

    def cut_next(self, cut: Cut) -> None:
        """Cut the connection of the next COMMIT that nobody else waits for."""
        self._wanted.append(cut)

    async def take_away(self) -> None:
        """End every connection and refuse new ones, as a server that is down; until `bring_back`."""
        self._away = True
        await self.close()

    def bring_back(self) -> None:
        self._away = False

    @property
    def waiting(self) -> int:
        """How many cuts still wait for a COMMIT."""
        return len(self._wanted)

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client connection until either side ends it."""
        if self._away:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None, "asyncio runs each connection in a task"
        self._relays.add(task)
        try:
            server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self._server_port)
        except OSError:  # the server is down, and the client sees what it would see without us
            writer.transport.abort()
            self._relays.discard(task)
            return
        try:
            answers = asyncio.create_task(_pump(server_reader, writer))
            try:
                await self._pass_on(reader, server_reader, server_writer, answers)
            finally:
                answers.cancel()
                await asyncio.wait({answers})
        except (OSError, asyncio.CancelledError):
            pass  # either side went away, or the test is over: the ends are closed below
        finally:
            writer.transport.abort()
            server_writer.transport.abort()
            self._relays.discard(task)

    async def close(self) -> None:
        """End every connection."""
        for task in self._relays:
            task.cancel()
        if self._relays:
            await asyncio.wait(self._relays)

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
        answers: "asyncio.Task[None]",
    ) -> None:
        messages = FrontendMessages()
        while True:
            data = await _unless_ended(reader.read(CHUNK), answers)
            if not data:
                return
            for message in messages.feed(data):
                if message.is_commit and self._wanted:
                    await self._cut(self._wanted.popleft(), message.wire, server_reader, server_writer, answers)
                    return
                server_writer.write(message.wire)
            await server_writer.drain()

    async def _cut(
        self,
        cut: Cut,
        commit: bytes,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
        answers: "asyncio.Task[None]",
    ) -> None:
        answers.cancel()  # from here on nothing reaches the client
        await asyncio.wait({answers})
        if cut is Cut.ANSWER_LOST:
            server_writer.write(commit)
            await server_writer.drain()
            async with asyncio.timeout(ANSWER_SECONDS):
                await server_reader.read(CHUNK)
        self.done[cut] += 1


async def _unless_ended(reading: Coroutine[None, None, bytes], other: "asyncio.Task[None]") -> bytes:
    """Return what was read, nothing when the other direction ended first."""
    received = asyncio.create_task(reading)
    try:
        await asyncio.wait({received, other}, return_when=asyncio.FIRST_COMPLETED)
        return received.result() if received.done() else b""
    finally:
        received.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        return  # the other direction closes both


@asynccontextmanager
async def open_commit_cutter(server_port: int) -> AsyncIterator[CommitCutter]:
    """Listen on any free port for clients of the server."""
    cutter = CommitCutter(server_port)
    listener = await asyncio.start_server(cutter.relay, LOOPBACK, 0)
    cutter.port = listener.sockets[0].getsockname()[1]
    try:
        yield cutter
    finally:
        listener.close()
        await cutter.close()
        await listener.wait_closed()


def through(port: int, url: str) -> str:
    """Return the database URL by another port."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@{parts.hostname}:{port}"))
