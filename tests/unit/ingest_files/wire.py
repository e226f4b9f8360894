"""A provider without a network, whose answers come as a stream like those of a real one."""

from collections.abc import Callable

import httpx

Handler = Callable[[httpx.Request], httpx.Response]


class Wire(httpx.AsyncBaseTransport):
    """Hands each request to a function."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        made = self._handler(request)
        return httpx.Response(made.status_code, headers=made.headers, stream=httpx.ByteStream(made.content))
