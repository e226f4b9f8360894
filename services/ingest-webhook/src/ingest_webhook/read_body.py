"""Reads a request's body within its limits of size and time."""

import asyncio

from starlette.types import Receive

from ingest_webhook.rejections import Outcome, Rejected

# A sender that is refused while it still writes sees a broken connection and not the reason, so some more is read and
# thrown away; whoever goes on after that gets the broken connection.
DRAIN_FACTOR = 8

_CLOSE = (("connection", "close"),)


class SenderLeft(Exception):
    """The connection ended in the middle of the body: there is nobody to answer."""


async def read_body(receive: Receive, max_bytes: int, max_seconds: float) -> bytes:
    """Return the whole body.

    :raises Rejected: too large, or not complete in time.
    :raises SenderLeft:
    """
    try:
        async with asyncio.timeout(max_seconds):
            return await _collect(receive, max_bytes)
    except TimeoutError as error:
        detail = f"The body was not complete after {max_seconds:g} seconds."
        raise Rejected(Outcome.TOO_SLOW, 408, "Request too slow", detail, headers=_CLOSE) from error


async def _collect(receive: Receive, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
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
