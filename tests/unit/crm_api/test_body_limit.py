"""Bodies that are too large or too slow never reach the application."""

import asyncio
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm_api.body_limit import DRAIN_FACTOR, MAX_BODY_BYTES, BodyLimit

SCOPE: Scope = {"type": "http", "path": "/v1/tickets", "method": "POST", "headers": []}
PATIENT = 60.0  # seconds; nothing here takes so long


class Caller:
    """Sends the chunks one by one and then leaves; `sent` is what was answered."""

    def __init__(self, chunks: Sequence[bytes], *, complete: bool = True) -> None:
        self._chunks = list(chunks)
        self._complete = complete
        self.read = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self._chunks:
            return {"type": "http.disconnect"}
        self.read += 1
        chunk = self._chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks) or not self._complete}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def ask(caller: Caller, app: ASGIApp = echo) -> tuple[int, bytes]:
    """Return status and body of the answer."""
    await BodyLimit(app, PATIENT)(SCOPE, caller.receive, caller.send)
    return caller.sent[0]["status"], caller.sent[1]["body"]


async def test_a_body_at_the_limit_arrives_whole() -> None:
    half = b"x" * (MAX_BODY_BYTES // 2)
    assert await ask(Caller([half, half])) == (200, half + half)


async def test_one_byte_more_is_refused_with_a_problem_document() -> None:
    status, body = await ask(Caller([b"x" * MAX_BODY_BYTES, b"x"]))
    assert status == 413
    assert b"/problems/too-large" in body


async def test_a_caller_that_still_writes_is_read_on_so_that_it_sees_the_reason() -> None:
    caller = Caller([b"x" * MAX_BODY_BYTES] * 4)
    assert (await ask(caller))[0] == 413
    assert caller.read == 4


async def test_but_not_for_ever() -> None:
    caller = Caller([b"x" * MAX_BODY_BYTES] * 100)
    assert (await ask(caller))[0] == 413
    assert caller.read == DRAIN_FACTOR + 1


async def test_a_caller_that_leaves_in_the_middle_reaches_nobody() -> None:
    caller = Caller([b'{"type":'], complete=False)
    await BodyLimit(echo, PATIENT)(SCOPE, caller.receive, caller.send)
    assert caller.sent == []


async def test_a_body_that_is_never_complete_is_answered_408() -> None:
    caller = Caller([])

    async def silence() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    await BodyLimit(echo, 0.01)(SCOPE, silence, caller.send)
    assert caller.sent[0]["status"] == 408
    assert (b"connection", b"close") in caller.sent[0]["headers"]
    assert b"/problems/too-slow" in caller.sent[1]["body"]
