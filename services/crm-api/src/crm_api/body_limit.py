"""Refuse large bodies while they arrive (OWASP API4:2023): uvicorn itself takes any size."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.problems import Problem, problem_response

MAX_BODY_BYTES = 256 * 1024
"""The longest text of a command is 60,000 characters, at most 240,000 bytes of UTF-8."""

TOO_LARGE = Problem(
    type="/problems/too-large",
    title="The body is too large",
    status=413,
    detail=f"Send at most {MAX_BODY_BYTES} bytes.",
)


class BodyLimit:
    """Around an ASGI app: a body above the limit is answered 413 and never reaches the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        messages = await _read_body(receive)
        if messages is None:
            await problem_response(TOO_LARGE, instance=scope["path"], headers=[("Connection", "close")]).send(send)
            return
        await self._app(scope, _replay(messages, receive), send)


async def _read_body(receive: Receive) -> list[Message] | None:
    messages, size = [], 0
    while True:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return messages


def _replay(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def next_message() -> Message:
        message = next(waiting, None)
        return message if message is not None else await receive()

    return next_message
