"""A clamd that knows one virus: the EICAR test file (eicar.org, "Intended use"), which harms nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

# The published 68 bytes, in two halves so that a scanner of this repository does not find them here.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + rb"ANTIVIRUS-TEST-FILE!$H+H*"
FOUND = "Eicar-Test-Signature"


@dataclass
class Clamd:
    """`address` is host and port. `answer` is said instead of the truth; `silent` answers nothing, no PING either.

    Of what holds `unsure` it cannot tell; `deadly` makes it silent.
    """

    most_bytes: int = 1024 * 1024
    answer: bytes | None = None
    silent: bool = False
    unsure: bytes | None = None
    deadly: bytes | None = None
    scanned: list[bytes] = field(default_factory=list)
    address: tuple[str, int] = ("", 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One command of one connection, as `man clamd` says of INSTREAM."""
        try:
            command = await reader.readuntil(b"\0")
            if self.silent:
                return
            if command == b"zPING\0":
                writer.write(b"PONG\0")
                return
            assert command == b"zINSTREAM\0"
            content = b""
            while size := int.from_bytes(await reader.readexactly(4), "big"):
                content += await reader.readexactly(size)
                if len(content) > self.most_bytes:
                    writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                    return
            self.scanned.append(content)
            if self.deadly is not None and self.deadly in content:
                self.silent = True
                return
            told = f"stream: {FOUND} FOUND" if EICAR in content else "stream: OK"
            if self.unsure is not None and self.unsure in content:
                told = "stream: broken ERROR"
            writer.write(self.answer if self.answer is not None else told.encode() + b"\0")
        finally:
            writer.close()


@asynccontextmanager
async def clamd(**settings: object) -> AsyncIterator[Clamd]:
    """Listen on a free port until the block ends."""
    partner = Clamd(**settings)  # type: ignore[arg-type]
    server = await asyncio.start_server(partner.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    partner.address = (host, port)
    try:
        yield partner
    finally:
        server.close()
