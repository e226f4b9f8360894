"""A Telegram Bot API server of one's own (github.com/tdlib/telegram-bot-api), as far as it gives out files."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class BotApi:
    """`files` has contents by file id; `refusals` is how many requests get 503 first.

    Who asks for one of `held` is kept waiting until `go`; `asked_for_held` is set when somebody does.
    """

    token: str
    files: dict[str, bytes] = field(default_factory=dict)
    refusals: int = 0
    asked: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked_for_held: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of one connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        target = head.split(" ", 2)[1]
        if any(file_id in target for file_id in self.held):
            self.asked_for_held.set()
            await self.go.wait()
        status, body = self._answer(target)
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    def _answer(self, target: str) -> tuple[int, bytes]:
        url = urlsplit(target)
        self.asked.append(url.path)
        if self.refusals:
            self.refusals -= 1
            return 503, b""
        if url.path == f"/bot{self.token}/getFile":
            [file_id] = parse_qs(url.query)["file_id"]
            if file_id in self.files:
                return 200, json.dumps({"ok": True, "result": {"file_path": f"documents/{file_id}"}}).encode()
            return 400, b'{"ok":false,"description":"Bad Request: invalid file_id"}'
        content = self.files.get(unquote(url.path).removeprefix(f"/file/bot{self.token}/documents/"))
        return (404, b"") if content is None else (200, content)


@asynccontextmanager
async def bot_api(token: str) -> AsyncIterator[BotApi]:
    """Listen on a free port until the block ends."""
    partner = BotApi(token)
    server = await asyncio.start_server(partner.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    partner.url = f"http://{host}:{port}"
    try:
        yield partner
    finally:
        server.close()
