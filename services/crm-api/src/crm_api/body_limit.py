"""Refuse large and slow bodies while they arrive (OWASP API4:2023): uvicorn takes any size and waits for ever."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.problems import Problem, problem_response

MAX_BODY_BYTES = 256 * 1024
"""The longest text of a command is 60,000 characters, at most 240,000 bytes of UTF-8."""

DRAIN_FACTOR = 64
"""A caller that is refused while it still writes sees a broken connection and not the reason, so some more is read and
thrown away; whoever goes on after that gets the broken connection."""

_CLOSE = [("Connection", "close")]

TOO_LARGE = Problem(
    type="/problems/too-large",
    title="The body is too large",
    status=413,
    detail=f"Send at most {MAX_BODY_BYTES} bytes.",
)

TOO_SLOW = Problem(type="/problems/too-slow", title="The body came too slowly", status=408, detail="Send it in one go.")


class BodyLimit:
    """Around an ASGI app: a body that is too large or not complete in time never reaches the app."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                messages = await _read_body(receive)
        except TimeoutError:
            await problem_response(TOO_SLOW, instance=scope["path"], headers=_CLOSE).send(send)
            return
        if messages is None:
            await problem_response(TOO_LARGE, instance=scope["path"], headers=_CLOSE).send(send)
            return
        if messages[-1]["type"] == "http.disconnect":
            return  # in the middle of the body: there is nobody to answer
        await self._app(scope, _replay(messages, receive), send)


async def _read_body(receive: Receive) -> list[Message] | None:
    messages: list[Message] = []
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            messages.clear()
            if not more or size > MAX_BODY_BYTES * DRAIN_FACTOR:
                return None
            continue
        messages.append(message)
        if not more:
            return messages


def _replay(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def next_message() -> Message:
        message = next(waiting, None)
        return message if message is not None else await receive()

    return next_message
