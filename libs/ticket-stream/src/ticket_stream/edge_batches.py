"""What waits to be published at an edge, gathered into batches: all that comes while one batch of a partition is under
way goes with the next.

aiokafka's own way, a future, a look-up of metadata and a bookkeeping of bytes for each event, takes as long as all the
rest of a request.
"""

import asyncio
from collections import deque
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordTooLargeError

from ticket_contracts.envelope import Headers

Place = tuple[str, int]
"""A topic's name in Kafka and the number of a partition."""


class _Waiting(NamedTuple):
    """One event of somebody who waits; `since` is the loop's time."""

    key: bytes
    value: bytes
    headers: Headers
    since: float
    acknowledged: "asyncio.Future[None]"


class EdgeBatches:
    """The way out through one producer. After a failure it takes nothing more; the next producer has its own."""

    def __init__(self, producer: AIOKafkaProducer, publish_seconds: float) -> None:
        self._producer = producer
        self._publish_seconds = publish_seconds
        self._loop = asyncio.get_running_loop()
        self._queues: dict[Place, deque[_Waiting]] = {}
        self._drains: dict[Place, asyncio.Task[None]] = {}
        self._failure: Exception | None = None

    def append(self, place: Place, key: bytes, value: bytes, headers: Headers) -> "asyncio.Future[None]":
        """Return what is done once the event is acknowledged, or fails `publish_seconds` from now at the latest."""
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        if self._failure is not None:
            acknowledged.set_exception(self._failure)
            return acknowledged
        queue = self._queues.get(place)
        if queue is None:
            queue = self._queues[place] = deque()
        queue.append(_Waiting(key, value, headers, self._loop.time(), acknowledged))
        if place not in self._drains:
            self._drains[place] = self._loop.create_task(self._drain(place, queue), name=f"publish {place}")
        return acknowledged

    def close(self, failure: Exception) -> None:
        """Give up all that waits; what is under way may be written all the same."""
        self._failure = self._failure or failure
        for drain in self._drains.values():
            drain.cancel()
        for queue in self._queues.values():
            _settle(queue, self._failure)
            queue.clear()

    async def _drain(self, place: Place, queue: "deque[_Waiting]") -> None:
        try:
            while queue:
                await self._send_one_batch(place, queue)
        except BaseException as error:
            # Everyone who waits is told, whatever it is; also a stray CancelledError out of aiokafka.
            self.close(error if isinstance(error, Exception) else ConnectionError("stopped"))
            if not isinstance(error, Exception):
                raise
        finally:
            self._drains.pop(place, None)

    async def _send_one_batch(self, place: Place, queue: "deque[_Waiting]") -> None:
        """Send the oldest and what fits beside it; nothing of a partition is sent before this is acknowledged."""
        batch = self._producer.create_batch()
        flight: list[_Waiting] = []
        deadline = queue[0].since + self._publish_seconds
        while queue:
            event = queue[0]
            if batch.append(timestamp=None, key=event.key, value=event.value, headers=event.headers) is None:
                break
            flight.append(queue.popleft())
        try:
            async with asyncio.timeout_at(deadline):
                acknowledged = await self._producer.send_batch(batch, place[0], partition=place[1])
                await acknowledged
        except (MessageSizeTooLargeError, RecordTooLargeError) as error:
            _settle(flight, error)  # the topic refuses this batch; the next may be smaller
        except BaseException as error:
            _settle(flight, error if isinstance(error, Exception) else self._failure or ConnectionError("stopped"))
            raise
        else:
            _settle(flight, None)


def _settle(events: "deque[_Waiting] | list[_Waiting]", failure: Exception | None) -> None:
    for event in events:
        if event.acknowledged.done():  # whoever waited has left
            continue
        if failure is None:
            event.acknowledged.set_result(None)
        else:
            event.acknowledged.set_exception(failure)
