"""The limit of `email_to_ticket`: a bare aiosmtpd whose handler publishes the mail as it came.

    python -m tests.load.bare_mail PORT KAFKA TOPIC [LHLO]

Nothing is stored, parsed or looked up. Longer lines than aiosmtpd's default are taken, because real mail has them.
"""

import asyncio
import sys
from itertools import cycle
from typing import Any

import uvloop
from aiokafka import AIOKafkaProducer
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope

from tests.load.bare_event import bare_producer


class LongLines(SMTP):
    """aiosmtpd with the limit on lines that ours has."""

    line_length_limit = 64 * 1024


class LongLinesLmtp(LMTP):
    """The same for LMTP."""

    line_length_limit = 64 * 1024


class BareMail:
    """The handler."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: list[int]) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = cycle(partitions)

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        acknowledged = await self._producer.send(
            self._topic, envelope.content, key=b"mail", partition=next(self._partitions)
        )
        await acknowledged
        return "250 OK"


async def serve(port: int, kafka: str, topic: str, hello: str) -> None:
    """Run until the process is ended."""
    producer = bare_producer(kafka)
    await producer.start()
    handler = BareMail(producer, topic, sorted(await producer.partitions_for(topic)))
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        kind = LongLinesLmtp if hello == "LHLO" else LongLines
        return kind(handler, hostname="bare", loop=loop, command_call_limit=1_000_000_000)

    server = await loop.create_server(session, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3], "".join(sys.argv[4:])))
