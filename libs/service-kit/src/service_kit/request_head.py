"""A limit on what a client may send before its request is understood.

uvicorn's httptools protocol has none (its `h11_max_incomplete_event_size` is for h11 only): one connection that sends
headers without an end would fill the memory.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Twice what common proxies let through, so a request that passed one is never refused here.
HEAD_BYTES = 64 * 1024

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def limited_protocol(head_bytes: int) -> type[asyncio.Protocol]:
    """uvicorn takes a class, so the limit is bound into one. It holds to within one read from the socket."""

    class LimitedHeadProtocol(HttpToolsProtocol):
        head_received = 0
        heads_completed = 0
        in_body = False

        def data_received(self, data: bytes) -> None:
            completed, began_in_body = self.heads_completed, self.in_body
            super().data_received(data)
            if began_in_body or self.heads_completed != completed:
                return  # not all of this read was head
            self.head_received += len(data)
            if self.head_received > head_bytes and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

        def on_headers_complete(self) -> None:
            self.heads_completed += 1
            self.head_received, self.in_body = 0, True
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self.in_body = False
            super().on_message_complete()

    return LimitedHeadProtocol
