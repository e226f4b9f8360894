"""What waits to be published at an edge, gathered into flights: who comes while one is under way goes with the next.

A flight is one request to one broker with a batch for each partition that has something. aiokafka's own way, a future,
a look-up of metadata and a bookkeeping of bytes for each event, takes as long as all the rest of a request; and
partitions that fly each for itself have a request, an answer and two wake-ups for every event or two.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, RecordTooLargeError
from msgspec import Struct

from ticket_contracts.envelope import Headers

_TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError)

Place = tuple[str, int]
"""A topic's name in Kafka and the number of a partition."""


class _Waiting(Struct, frozen=True):
    """One event of somebody who waits; `since` is the loop's time."""

    key: bytes
    value: bytes
    headers: Headers
    since: float
    acknowledged: "asyncio.Future[None]"


class _Route:
    """The queues of the partitions that one broker leads, and the task that sends what is in them."""

    def __init__(self) -> None:
        self.queues: dict[Place, deque[_Waiting]] = {}
        self.flying: asyncio.Task[None] | None = None

    def oldest(self) -> float | None:
        """Return since when the first in the queues has waited, or None when nobody does."""
        return min([queue[0].since for queue in self.queues.values() if queue], default=None)


class EdgeBatches:
    """The way out through one producer. After a failure it takes nothing more; the next producer has its own."""

    def __init__(self, producer: AIOKafkaProducer, publish_seconds: float) -> None:
        self._producer = producer
        self._publish_seconds = publish_seconds
        self._loop = asyncio.get_running_loop()
        self._routes: dict[int | None, _Route] = {}
        self._route_of: dict[Place, _Route] = {}
        self._failure: Exception | None = None

    def append(self, place: Place, key: bytes, value: bytes, headers: Headers) -> "asyncio.Future[None]":
        """Return what is done once the event is acknowledged, or fails `publish_seconds` from now at the latest."""
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        if self._failure is not None:
            acknowledged.set_exception(self._failure)
            return acknowledged
        route = self._route_of.get(place) or self._new_place(place)
        route.queues[place].append(_Waiting(key, value, headers, self._loop.time(), acknowledged))
        if route.flying is None:
            route.flying = self._loop.create_task(self._fly(route), name="publish")
        return acknowledged

    def close(self, failure: Exception) -> None:
        """Give up all that waits; what is under way may be written all the same."""
        self._failure = self._failure or failure
        for route in self._routes.values():
            if route.flying is not None:
                route.flying.cancel()
            for queue in route.queues.values():
                _settle(queue, self._failure)
                queue.clear()

    def _new_place(self, place: Place) -> _Route:
        """Put a partition onto its broker's route. When another broker leads it later, only time is lost by that."""
        broker = self._producer.client.cluster.leader_for_partition(TopicPartition(*place))
        route = self._route_of[place] = self._routes.setdefault(broker, _Route())
        route.queues[place] = deque()
        return route

    async def _fly(self, route: _Route) -> None:
        try:
            while (oldest := route.oldest()) is not None:
                await asyncio.sleep(0)  # who has been read from the network by now comes along
                await self._fly_once(route, oldest + self._publish_seconds)
        except BaseException as error:
            # Everyone who waits is told, whatever it is; also a stray CancelledError out of aiokafka.
            self.close(error if isinstance(error, Exception) else ConnectionError("stopped"))
            if not isinstance(error, Exception):
                raise
        finally:
            route.flying = None

    async def _fly_once(self, route: _Route, deadline: float) -> None:
        """Send the oldest of each partition and what fits beside it; nothing more goes before all is acknowledged."""
        batches: list[list[_Waiting]] = []
        answers: list[Awaitable[object]] = []
        try:
            async with asyncio.timeout_at(deadline):
                for place, queue in route.queues.items():
                    if queue:
                        batches.append([])
                        answers.append(await self._send(place, queue, batches[-1]))
                results = await asyncio.gather(*answers, return_exceptions=True)
        except BaseException as error:
            for batch in batches:
                _settle(batch, self._said_of(error))
            raise
        failures = [result for result in results if isinstance(result, BaseException)]
        for batch, result in zip(batches, results, strict=True):
            _settle(batch, self._said_of(result) if isinstance(result, BaseException) else None)
        for failure in failures:
            if not isinstance(failure, _TOO_LARGE):  # the topic refuses one batch; the next may be smaller
                raise failure

    async def _send(self, place: Place, queue: "deque[_Waiting]", flight: list[_Waiting]) -> Awaitable[object]:
        """Take what fits into one batch from the queue, and let it go; returns what waits for the answer."""
        batch = self._producer.create_batch()
        while queue:
            event = queue[0]
            if batch.append(timestamp=None, key=event.key, value=event.value, headers=event.headers) is None:
                break
            flight.append(queue.popleft())
        answer: Awaitable[object] = await self._producer.send_batch(batch, place[0], partition=place[1])
        return answer

    def _said_of(self, error: BaseException) -> Exception:
        """Return what those who wait are told."""
        return error if isinstance(error, Exception) else self._failure or ConnectionError("stopped")


def _settle(events: "deque[_Waiting] | list[_Waiting]", failure: Exception | None) -> None:
    for event in events:
        if event.acknowledged.done():  # whoever waited has left
            continue
        if failure is None:
            event.acknowledged.set_result(None)
        else:
            event.acknowledged.set_exception(failure)
