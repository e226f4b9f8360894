"""An OAuth 2 server: gives tokens for a refresh token, and tells a mail server whose token one is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
CLIENT, REFRESH_TOKEN = "firebreak", "refresh-me"


@dataclass
class TokenServer:
    """`user` is whose tokens it gives. The switches make it wrong."""

    user: str
    port: int = 0
    lifetime_seconds: float = 3600
    refuses: bool = False
    answers_nonsense: bool = False
    rotates: bool = False
    """Whether each refresh token is good for one use, and brings its successor (RFC 9700 §4.14.2)."""
    refresh_token: str = REFRESH_TOKEN
    """The one that is good."""
    given: list[str] = field(default_factory=list)
    asked: int = 0
    """How many questions have begun to come in."""

    @property
    def token_url(self) -> str:
        return f"http://{HOST}:{self.port}/token"

    @property
    def info_url(self) -> str:
        """The address that a mail server asks, the token at its end."""
        return f"http://{HOST}:{self.port}/info?token="

    def answer(self, target: str, body: str) -> tuple[int, str]:
        if target.startswith("/info"):
            [token] = parse_qs(urlsplit(target).query).get("token", [""])
            return (200, json.dumps({"user": self.user})) if token in self.given else (401, "{}")
        claims = {name: values[0] for name, values in parse_qs(body).items()}
        if self.answers_nonsense:
            return 200, "<html>"
        if self.refuses or claims.get("refresh_token") != self.refresh_token or claims.get("client_id") != CLIENT:
            return 400, json.dumps({"error": "invalid_grant", "error_description": "a secret stands here"})
        self.given.append(f"token-{len(self.given)}")
        grant = {"access_token": self.given[-1], "expires_in": self.lifetime_seconds}
        if self.rotates:
            self.refresh_token = grant["refresh_token"] = f"refresh-{len(self.given)}"
        return 200, json.dumps(grant)


@asynccontextmanager
async def running_token_server(user: str) -> AsyncIterator[TokenServer]:
    """Run one while the block lasts."""
    server = TokenServer(user)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        sizes = [line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length")]
        server.asked += 1
        body = (await reader.readexactly(int(sizes[0]))).decode() if sizes else ""
        status, words = server.answer(head.split(" ")[1], body)
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(words)}\r\n"
            f"Connection: close\r\n\r\n{words}".encode()
        )
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, HOST, 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()
