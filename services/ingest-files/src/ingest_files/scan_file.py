"""Asks a clamd by its INSTREAM command (man clamd): `zINSTREAM\\0`, chunks with a length of four bytes, an empty one.

The answer is `stream: OK`, `stream: NAME FOUND`, or ends in ERROR. One connection for each file.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ingest_files.errors import GiveUp, NotItsFault, TryLater

_CHUNK_BYTES = 64 * 1024
_MOST_ANSWER_BYTES = 4096
# For an answer to PING. clamd may be silent for longer while it reads new signatures, and is away as long.
_PING_SECONDS = 5.0

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Silence = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class ScannerAway(NotItsFault):
    """It answers nobody."""


class ScannerFell(TryLater):
    """It was there, got the file, and answers nobody since: the file may be why, so this counts as an attempt."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """A clamd at an address."""

    host: str
    port: int
    seconds: float

    async def find(self, content: bytes) -> str | None:
        """Return the name of what was found, None when the scanner calls it clean.

        :raises ScannerAway: it does not answer a PING.
        :raises ScannerFell: it does not answer a PING any more.
        :raises TryLater: it could not tell, or not in time.
        :raises GiveUp: the file is larger than the scanner takes (`StreamMaxLength`).
        """
        if not await self.answers():
            raise ScannerAway("the scanner does not answer")
        try:
            async with asyncio.timeout(self.seconds):
                answer = await self._scan(content)
        except _Silence as error:
            reason = f"the scanner does not answer: {type(error).__name__}"
            raise (TryLater if await self.answers() else ScannerFell)(reason) from error
        return _read(answer)

    async def answers(self) -> bool:
        """Whether it is there at all: a file that takes it too long is another thing than no scanner."""
        try:
            async with asyncio.timeout(min(self.seconds, _PING_SECONDS)), self._connected() as (reader, writer):
                writer.write(b"zPING\0")
                return await reader.readuntil(b"\0") == b"PONG\0"
        except _Silence:
            return False

    async def _scan(self, content: bytes) -> bytes:
        async with self._connected() as (reader, writer):
            # Read from the start: it refuses what is too large in the middle, and closes.
            answering = asyncio.create_task(reader.readuntil(b"\0"))
            try:
                await _send(writer, content, answering)
                return await answering
            finally:
                answering.cancel()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Streams]:
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=_MOST_ANSWER_BYTES)
        try:
            yield reader, writer
        finally:
            writer.close()


async def _send(writer: asyncio.StreamWriter, content: bytes, answering: "asyncio.Task[bytes]") -> None:
    """Write a file, until there is an answer or nobody who reads."""
    writer.write(b"zINSTREAM\0")
    for start in range(0, len(content), _CHUNK_BYTES):
        if answering.done():
            return
        chunk = content[start : start + _CHUNK_BYTES]
        writer.write(len(chunk).to_bytes(4, "big") + chunk)
        try:
            await writer.drain()
        except ConnectionError:
            return  # the answer, or that there is none, comes from the other side
    writer.write(bytes(4))


def _read(answer: bytes) -> str | None:
    words = answer.rstrip(b"\0").decode("utf-8", "replace").strip()
    if words == "stream: OK":
        return None
    if words.startswith("stream: ") and words.endswith(" FOUND"):
        return words.removeprefix("stream: ").removesuffix(" FOUND")
    if "size limit exceeded" in words:
        raise GiveUp("larger than the scanner takes; raise its StreamMaxLength")
    raise TryLater(f"the scanner could not tell: {words[:100]}")
