"""The limit of `webhook_accept`: a bare ASGI endpoint on uvicorn that reads the body and publishes one of our events.

    python -m tests.load.bare_webhook PORT KAFKA TOPIC

No check, no parsing, no metrics, no limits: the record has the bytes of a real event, so Kafka has the same work.
"""

import sys
from itertools import cycle
from typing import Any

import uvicorn
from aiokafka import AIOKafkaProducer

from tests.load.bare_event import bare_producer, sample_event

_HEAD: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_END: dict[str, Any] = {"type": "http.response.body", "body": b""}


class BareWebhook:
    """The application; the producer lives as long as uvicorn's loop."""

    def __init__(self, kafka: str, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None
        self._partitions = cycle(range(1))
        self._key, self._event = sample_event()
        self._headers = self._event.headers()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        more = True
        while more:
            more = (await receive()).get("more_body", False)
        producer = self._producer
        assert producer is not None, "uvicorn waits for the start"
        partition = next(self._partitions)
        acknowledged = await producer.send(
            self._topic, self._event.data, key=self._key, partition=partition, headers=self._headers
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
        BareWebhook(*sys.argv[2:4]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
        log_level="warning",
    )
