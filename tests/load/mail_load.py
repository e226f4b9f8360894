"""A load generator process that delivers mails over SMTP or LMTP, many on each connection, without pipelining."""

import asyncio
from pathlib import Path

from tests.load.mail_corpus import fresh_mails
from tests.load.steered_load import Answered, SteeredLoad, run_steered
from tests.support.partners.mail_sender import on_the_wire


class SmtpSender(asyncio.Protocol):
    """One connection after its EHLO, or LHLO; sends one mail at a time to one recipient."""

    def __init__(
        self, answered: Answered[bytes], recipient: str, hello: str, open_: "asyncio.Future[SmtpSender]"
    ) -> None:
        self._answered = answered
        self._recipient = recipient
        self._hello = hello
        self._open = open_
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._steps: list[tuple[bytes, bytes]] = []  # (the reply that lets us go on, what we say then)
        self._last: bytes = b"220"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's is not derived from asyncio's
        self._steps = [(b"220", f"{self._hello} load.example\r\n".encode())]
        self._last = b"250"

    def send(self, item: bytes) -> None:
        self._steps = [
            (b"250", f"RCPT TO:<{self._recipient}>\r\n".encode()),
            (b"250", b"DATA\r\n"),
            (b"354", item),
        ]
        self._say(b"MAIL FROM:<load@example.com>\r\n")

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        last_line = buffer[buffer.rfind(b"\n", 0, -1) + 1 :]
        if not buffer.endswith(b"\n") or last_line[3:4] == b"-":  # half a line, or more lines to come
            self._buffer = buffer
            return
        self._buffer = b""
        self._heard(last_line[:3], buffer)

    def connection_lost(self, error: Exception | None) -> None:
        raise ConnectionError("the server closed a connection") from error

    def _heard(self, code: bytes, reply: bytes) -> None:
        if not self._steps:
            self._done(None if code == self._last else reply)
            return
        expected, line = self._steps.pop(0)
        if code == expected:
            self._say(line)
        else:
            self._steps = []
            self._say(b"RSET\r\n")
            self._last = reply  # no reply equals it: the mail counts as refused when RSET is answered

    def _done(self, refusal: bytes | None) -> None:
        if not self._open.done():
            self._open.set_result(self)
            return
        said = self._last if self._last != b"250" else refusal
        self._last = b"250"
        self._answered(self, None if said is None else said[:200].decode(errors="replace"))

    def _say(self, line: bytes) -> None:
        assert self._transport is not None, "connect first"
        self._transport.write(line)


async def prepare(options: dict[str, str]) -> SteeredLoad[bytes]:
    """Read the corpus and connect all senders."""
    corpus = Path(options["corpus"]) if options["corpus"] else None
    loop = asyncio.get_running_loop()
    load: SteeredLoad[bytes] = SteeredLoad(map(on_the_wire, fresh_mails(corpus)))
    for _ in range(int(options["connections"])):
        ready: asyncio.Future[SmtpSender] = loop.create_future()

        def make(ready: "asyncio.Future[SmtpSender]" = ready) -> SmtpSender:
            return SmtpSender(load.answered, options["recipient"], options.get("hello", "EHLO"), ready)

        await loop.create_connection(make, options["host"], int(options["port"]))
        load.idle.append(await ready)
    return load


if __name__ == "__main__":
    run_steered(prepare)
