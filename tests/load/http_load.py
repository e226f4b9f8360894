"""A load generator process that delivers Standard Webhooks over kept-alive connections."""

import asyncio
import base64
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

from tests.load.steered_load import Answered, SteeredLoad, run_steered

# People write again: half of a lap's messages come from somebody whom the router has met in it.
CUSTOMERS = 5_000
WORDS = (
    "The washing machine that I bought in May stops in the middle of the programme and shows E18. I have cleaned the "
    "filter and started it three times. Order number {number}. 洗衣机中途停止,请尽快联系我。Please call me after six."
)

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class HttpSender(asyncio.Protocol):
    """One kept-alive connection, one request at a time. `received` gets the answer's status and body."""

    def __init__(self, received: Callable[["HttpSender", int, bytes], None]) -> None:
        self._received = received
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is not derived from asyncio's

    def send(self, item: bytes) -> None:
        assert self._transport is not None, "connect first"
        self._transport.write(item)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(buffer, 0, end)
        if end < 0 or length is None or len(buffer) < (whole := end + 4 + int(length[1])):
            self._buffer = buffer
            return
        self._buffer = b""
        self._received(self, int(buffer[9:12]), buffer[end + 4 : whole])

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport is not None and not self._transport.is_closing():
            raise ConnectionError("the server closed a kept-alive connection") from error

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(host: str, port: int, received: Callable[[HttpSender, int, bytes], None]) -> HttpSender:
    """Open one connection."""
    _, sender = await asyncio.get_running_loop().create_connection(lambda: HttpSender(received), host, port)
    return sender


class SignedRequests:
    """Makes signed requests from templates, each of a new conversation that opens a ticket."""

    def __init__(self, host: str, port: int, path: str, secret: str, now: Callable[[], float] = time.time) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._now = now
        self._run = uuid4().hex[:12]
        self._numbers = count()
        self._head = (
            f"POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\n"
            "content-length: %d\r\nwebhook-id: %s\r\nwebhook-timestamp: %d\r\nwebhook-signature: v1,%s\r\n\r\n"
        )
        sender = {"kind": "email", "id": "customer%d@example.com", "name": "Customer %d"}
        data = {"sender": sender, "subject": "E18 on order %d", "text": WORDS.format(number="%d")}
        self._body = json.dumps({"type": "message.created", "data": data}, ensure_ascii=False)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.next_request()[1]

    def next_request(self) -> tuple[str, bytes]:
        """Return the webhook id and the bytes to send."""
        number = next(self._numbers)
        customer = number % CUSTOMERS
        body = (self._body % (customer, customer, number, number)).encode()
        name, timestamp = f"msg_{self._run}_{number}", int(self._now())
        signed = b"%s.%d.%s" % (name.encode(), timestamp, body)
        signature = base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        return name, (self._head % (len(body), name, timestamp, signature)).encode() + body


async def prepare(options: dict[str, str]) -> SteeredLoad[bytes]:
    """Connect all senders."""
    host, port = options["host"], int(options["port"])
    requests = SignedRequests(host, port, options["path"], options["secret"])
    return await with_senders(SteeredLoad(iter(requests)), options)


async def with_senders(load: SteeredLoad[bytes], options: dict[str, str]) -> SteeredLoad[bytes]:
    """Give a load its connections: whatever is not 2xx is told as a failure."""
    host, port = options["host"], int(options["port"])
    answered: Answered[bytes] = load.answered

    def received(sender: HttpSender, status: int, body: bytes) -> None:
        answered(sender, None if 200 <= status < 300 else f"{status} {body[:200].decode(errors='replace')}")

    load.idle.extend([await connect(host, port, received) for _ in range(int(options["connections"]))])
    return load


if __name__ == "__main__":
    run_steered(prepare)
