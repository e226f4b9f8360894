"""Reads a request's body within its limits of size and time."""

import asyncio
import types
from collections.abc import Generator
from functools import partial
from typing import Any, cast

from starlette.types import Message, Receive

from ingest_webhook.rejections import Outcome, Rejected

# A sender that is refused while it still writes sees a broken connection and not the reason, so some more is read and
# thrown away; whoever goes on after that gets the broken connection.
DRAIN_FACTOR = 8

_CLOSE = (("connection", "close"),)


class SenderLeft(Exception):
    """The connection ended in the middle of the body: there is nobody to answer."""


async def read_body(receive: Receive, max_bytes: int, max_seconds: float) -> bytes:
    """Return the whole body. One that is there already, as nearly every one is, costs no timer.

    :raises Rejected: too large, or not complete in time.
    :raises SenderLeft:
    """
    steps = receive().__await__()
    waits_for: object = None
    message: Message | None = None
    try:
        waits_for = next(steps)
    except StopIteration as arrived:  # without a wait
        message = arrived.value
        body: bytes = arrived.value.get("body", b"")
        whole = arrived.value["type"] == "http.request" and not arrived.value.get("more_body", False)
        if whole and len(body) <= max_bytes:
            return body
    try:
        async with asyncio.timeout(max_seconds):
            return await _collect(message or await _go_on(steps, waits_for), receive, max_bytes)
    except TimeoutError as error:
        detail = f"The body was not complete after {max_seconds:g} seconds."
        raise Rejected(Outcome.TOO_SLOW, 408, "Request too slow", detail, headers=_CLOSE) from error


@types.coroutine
def _go_on(steps: Generator[Any, Any, Message], waits_for: object) -> Generator[Any, Any, Message]:
    """Await the rest of what was started by hand and now waits for something.

    It is what `yield from` would do, but for the step already taken.
    """
    while True:
        try:
            yield waits_for
        except BaseException as error:  # noqa: BLE001 - a cancellation: what waits has to hear of it
            go_on = partial(steps.throw, error)
        else:
            go_on = partial(next, steps)
        try:
            waits_for = go_on()
        except StopIteration as done:
            return cast(Message, done.value)


async def _collect(message: Message, receive: Receive, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise SenderLeft
        part = message.get("body", b"")
        size += len(part)
        more = message.get("more_body", False)
        if size > max_bytes:
            parts.clear()
            if not more or size > max_bytes * DRAIN_FACTOR:
                detail = f"A request to this service has at most {max_bytes} bytes."
                raise Rejected(Outcome.TOO_LARGE, 413, "Request too large", detail, headers=_CLOSE)
        elif not more:
            return b"".join((*parts, part)) if parts else part
        else:
            parts.append(part)
        message = await receive()
