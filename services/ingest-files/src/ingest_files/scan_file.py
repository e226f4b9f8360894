"""Asks a clamd by its INSTREAM command (man clamd): `zINSTREAM\\0`, chunks with a length of four bytes, an empty one.

The answer is `stream: OK`, `stream: NAME FOUND`, or ends in ERROR. One connection for each file.
"""

import asyncio
from dataclasses import dataclass

from ingest_files.errors import GiveUp, TryLater

_CHUNK_BYTES = 64 * 1024
_MOST_ANSWER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Scanner:
    """A clamd at an address."""

    host: str
    port: int
    seconds: float

    async def find(self, content: bytes) -> str | None:
        """Return the name of what was found, None when the scanner calls it clean.

        :raises TryLater: no scanner, or none that could tell.
        :raises GiveUp: the file is larger than the scanner takes (`StreamMaxLength`).
        """
        try:
            async with asyncio.timeout(self.seconds):
                answer = await self._ask(content)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise TryLater(f"the scanner does not answer: {type(error).__name__}") from error
        return _read(answer)

    async def _ask(self, content: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=_MOST_ANSWER_BYTES)
        try:
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(content), _CHUNK_BYTES):
                chunk = content[start : start + _CHUNK_BYTES]
                writer.write(len(chunk).to_bytes(4, "big") + chunk)
                await writer.drain()
            writer.write(bytes(4))
            await writer.drain()
            return await reader.readuntil(b"\0")
        finally:
            writer.close()


def _read(answer: bytes) -> str | None:
    words = answer.rstrip(b"\0").decode("utf-8", "replace").strip()
    if words == "stream: OK":
        return None
    if words.startswith("stream: ") and words.endswith(" FOUND"):
        return words.removeprefix("stream: ").removesuffix(" FOUND")
    if "size limit exceeded" in words:
        raise GiveUp("larger than the scanner takes; raise its StreamMaxLength")
    raise TryLater(f"the scanner could not tell: {words[:100]}")
