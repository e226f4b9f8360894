"""The limit of `webhook_accept`: a bare ASGI endpoint on uvicorn that reads the body and publishes one of our events.

    python -m tests.load.bare_webhook PORT KAFKA TOPIC [TEXT | --body]

No check, no parsing, no metrics, no limits: the record has the bytes of a real event, of a message with this text, so
Kafka has the same work. With `--body` the record is the request's body.
"""

import sys
from itertools import cycle
from typing import Any

import uvicorn
from aiokafka import AIOKafkaProducer

from tests.load.bare_event import bare_producer, sample_event

BODY = "--body"

_HEAD: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_END: dict[str, Any] = {"type": "http.response.body", "body": b""}


class BareWebhook:
    """The application; the producer lives as long as uvicorn's loop."""

    def __init__(self, kafka: str, topic: str, text: str = "") -> None:
        self._kafka = kafka
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None
        self._partitions = cycle(range(1))
        self._key, event = sample_event(text) if text else sample_event()
        self._value = None if text == BODY else event.data
        self._headers = event.headers()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        more, body = True, b""
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        producer = self._producer
        assert producer is not None, "uvicorn waits for the start"
        partition = next(self._partitions)
        acknowledged = await producer.send(
            self._topic, self._value or body, key=self._key, partition=partition, headers=self._headers
        )
        await acknowledged
        await send(_HEAD)
        await send(_END)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self._producer = bare_producer(self._kafka)
        await self._producer.start()
        self._partitions = cycle(sorted(await self._producer.partitions_for(self._topic)))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._producer.stop()
        await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    uvicorn.run(
        BareWebhook(*sys.argv[2:5]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # as ours: its connections outlive our laps
        log_level="warning",
    )
