"""A whole HTTP answer for bare ASGI apps, where FastAPI would cost more than the work itself."""

from collections.abc import Iterable
from typing import NamedTuple

from starlette.types import Send

RawHeaders = list[tuple[bytes, bytes]]


class RawResponse(NamedTuple):
    """Built once and sent as often as wanted."""

    status: int
    headers: RawHeaders
    body: bytes

    async def send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def raw_response(status: int, content_type: str, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> RawResponse:
    """Names are lower-cased as ASGI demands; the length is added."""
    raw: RawHeaders = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    raw += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return RawResponse(status, raw, body)
