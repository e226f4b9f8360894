"""What counts as a head, read by read as the socket gives it."""

import asyncio
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service_kit.request_head import limited_protocol

HEAD_BYTES = 1000
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3000\r\n\r\n"
ENDLESS = b"GET / HTTP/1.1\r\nendless: "


async def answer_at_once(_: Scope, __: Receive, send: Send) -> None:
    """Answer without a look at the body."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


class Connection(asyncio.Transport):
    """The server's side of one connection."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False
        config = uvicorn.Config(answer_at_once, lifespan="off", log_config=None)
        protocol: Any = limited_protocol(HEAD_BYTES)
        self.protocol = protocol(config=config, server_state=ServerState(), app_state={})
        self.protocol.connection_made(self)

    async def receive(self, *reads: bytes) -> bytes:
        """Return what was answered."""
        for data in reads:
            self.protocol.data_received(data)
            await asyncio.gather(*self.protocol.tasks)
        if self.protocol.timeout_keep_alive_task is not None:
            self.protocol.timeout_keep_alive_task.cancel()
        return self.written

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def test_a_head_that_does_not_end_is_refused_within_one_read() -> None:
    assert b" 431 " not in await Connection().receive(ENDLESS, b"x" * 900)
    assert b" 431 " in await Connection().receive(ENDLESS, b"x" * 1000)
    assert b" 431 " in await Connection().receive(ENDLESS + b"x" * 1000)


async def test_a_body_is_no_head_however_it_is_cut() -> None:
    whole = POST + b"x" * 3000
    for step in (7, 1000, 2900, len(whole)):
        reads = [whole[at : at + step] for at in range(0, len(whole), step)]
        assert (await Connection().receive(*reads, *reads)).count(b" 200 ") == 2


async def test_what_came_before_a_head_does_not_count_but_all_that_comes_then() -> None:
    for before in ([POST + b"x" * 3000 + ENDLESS], [POST, b"x" * 3000 + ENDLESS], [POST, b"x" * 3000, ENDLESS]):
        assert b" 431 " not in await Connection().receive(*before, b"x" * 900)
        assert b" 431 " in await Connection().receive(*before, b"x" * 1001)
