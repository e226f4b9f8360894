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
    """uvicorn takes a class, so the limit is bound into one. It holds to within one read from the socket.

    uvicorn makes a `scope` where a head begins, puts the path into it where the head ends, and makes a `cycle` then.
    """

    class LimitedHeadProtocol(HttpToolsProtocol):
        head_received = 0

        def data_received(self, data: bytes) -> None:
            scope, cycle = self.scope, self.cycle
            in_body = cycle is not None and cycle.more_body
            super().data_received(data)
            if self.cycle is not cycle or self.scope is None or "path" in self.scope:
                self.head_received = 0  # a head was completed, or none has begun
            elif self.scope is scope or not in_body:  # all of this read was head
                self.head_received += len(data)
                if self.head_received > head_bytes and not self.transport.is_closing():
                    self.transport.write(_TOO_LARGE)
                    self.transport.close()

    return LimitedHeadProtocol
