"""An Asterisk's manager interface: a small server that challenges, takes a login and tells events."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

USER, SECRET = "firebreak", "manager-secret"
CHALLENGE = "840415273"


class AsteriskManager:
    """`tell` sends an event to whoever is logged in; `hang_up` closes every connection, as a restart does."""

    def __init__(self) -> None:
        self.port = 0
        self.logins: list[dict[str, str]] = []
        self.logoffs = 0
        self.logged_in = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    def tell(self, event: str, **fields: str) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in {"Event": event, **fields}.items())
        for writer in self._writers:
            writer.write(f"{lines}\r\n".encode())

    def hang_up(self) -> None:
        self.logged_in.clear()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        while packet := await _read(reader):
            if packet["Action"] == "Challenge":
                writer.write(f"Response: Success\r\nChallenge: {CHALLENGE}\r\n\r\n".encode())
            elif packet["Action"] == "Login":
                self._answer_login(packet, writer)
            elif packet["Action"] == "Logoff":
                self.logoffs += 1
                writer.write(b"Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n")
                break
            elif packet["Action"] == "Ping":
                writer.write(b"Response: Success\r\nPing: Pong\r\n\r\n")
        writer.close()

    def _answer_login(self, packet: dict[str, str], writer: asyncio.StreamWriter) -> None:
        self.logins.append(packet)
        key = hashlib.md5((CHALLENGE + SECRET).encode()).hexdigest()
        if packet["Username"] != USER or (packet.get("Key"), packet.get("Secret")) not in ((key, None), (None, SECRET)):
            writer.write(b"Response: Error\r\nMessage: Authentication failed\r\n\r\n")
            return
        writer.write(b"Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n")  # events may come before the response
        writer.write(b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n")
        self._writers.append(writer)
        self.logged_in.set()


async def _read(reader: asyncio.StreamReader) -> dict[str, str]:
    try:
        content = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return {}
    pairs = (line.partition(": ") for line in content.decode().splitlines() if line)
    return {name: value for name, _, value in pairs}


@asynccontextmanager
async def asterisk_manager() -> AsyncIterator[AsteriskManager]:
    manager = AsteriskManager()
    server = await asyncio.start_server(manager.serve, "127.0.0.1", 0)
    manager.port = server.sockets[0].getsockname()[1]
    try:
        yield manager
    finally:
        manager.hang_up()
        server.close()
        await server.wait_closed()
