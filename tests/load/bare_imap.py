"""The limit of `imap`: a client that fetches a whole mailbox in one command and publishes each mail as it came.

    python -m tests.load.bare_imap PORT USER PASSWORD KAFKA TOPIC MAILS

Nothing is read of a mail and no place in the mailbox is kept. Prints the seconds from the command to the last
acknowledgement, as JSON.
"""

import asyncio
import json
import re
import sys
import time
from itertools import cycle

import uvloop

from tests.load.bare_event import bare_producer

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


async def fetch_all(port: int, user: str, password: str, kafka: str, topic: str, mails: int) -> float:
    """Fetch and publish so many mails."""
    producer = bare_producer(kafka)
    await producer.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        partitions = cycle(sorted(await producer.partitions_for(topic)))
        await reader.readline()
        await _command(reader, writer, b'LOGIN "%b" "%b"' % (user.encode(), password.encode()))
        await _command(reader, writer, b"SELECT INBOX")
        acknowledged: list[asyncio.Future[object]] = []
        began = time.perf_counter()
        writer.write(b"A UID FETCH 1:* (BODY.PEEK[])\r\n")
        while len(acknowledged) < mails:
            literal = _LITERAL.search(await reader.readline())
            if literal is not None:
                raw = await reader.readexactly(int(literal[1]))
                acknowledged.append(await producer.send(topic, raw, key=b"mail", partition=next(partitions)))
        await asyncio.gather(*acknowledged)
        return time.perf_counter() - began
    finally:
        writer.close()
        await producer.stop()


async def _command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(b"A " + line + b"\r\n")
    while not (answer := await reader.readline()).startswith(b"A "):
        pass
    assert answer.startswith(b"A OK"), answer


if __name__ == "__main__":
    port, user, password, kafka, topic, mails = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seconds = runner.run(fetch_all(int(port), user, password, kafka, topic, int(mails)))
    print(json.dumps({"seconds": seconds}))
