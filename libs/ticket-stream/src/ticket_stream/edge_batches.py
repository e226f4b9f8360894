"""What waits to be published at an edge, gathered into flights: who comes while one is under way goes with the next.

A flight is one request to one broker with a batch for each partition that has something. aiokafka's own way, a future,
a look-up of metadata and a bookkeeping of bytes for each event, takes as long as all the rest of a request; and
partitions that fly each for itself have a request, an answer and two wake-ups for every event or two.

Records are made when a flight can go, those of all who wait in one loop (docs/decisions/0046).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, RecordTooLargeError
from msgspec import Struct

from ticket_contracts.envelope import Headers

TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError)
"""The topic refuses one batch; the others of its flight are taken."""

# How often the loop goes round between two flights, so that who has been read from the network by then comes along:
# once to read, once for the tasks that this starts, once for what came meanwhile. An idle loop takes microseconds.
_ROUNDS = 3

Place = tuple[str, int]
"""A topic's name in Kafka and the number of a partition."""


class Record(Struct, frozen=True):
    """One event as Kafka takes it."""

    place: Place
    key: bytes
    value: bytes
    headers: Headers


MakeRecord = Callable[[], Record]
"""Called once and without a wait; what it raises is told to who waits for this record, and to nobody else."""


class _Asked(Struct, frozen=True):
    """Somebody who waits for a record that is not made yet; `since` is the loop's time."""

    make: MakeRecord
    since: float
    acknowledged: "asyncio.Future[None]"


class _Waiting(Struct, frozen=True):
    """The same once it is made."""

    record: Record
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
    """The way out through one producer. After a failure it takes nothing more; the next producer has its own.

    `told` gives what those who wait hear of a failure, a new exception for each: everyone's traceback is their own.
    """

    def __init__(
        self, producer: AIOKafkaProducer, publish_seconds: float, told: Callable[[Exception], Exception]
    ) -> None:
        self._producer = producer
        self._publish_seconds = publish_seconds
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._asked: list[_Asked] = []
        self._take_off_soon = False
        self._routes: dict[int | None, _Route] = {}
        self._route_of: dict[Place, _Route] = {}
        # Which broker a record is for shows when it is made, so it must not wait while any of them is idle.
        self._brokers = max(1, len(producer.client.cluster.brokers()))
        self._flying = 0
        self._failure: Exception | None = None

    def append(self, make: MakeRecord) -> "asyncio.Future[None]":
        """Return what is done once the record is acknowledged, or fails `publish_seconds` from now at the latest.

        Records of one partition go in the order in which they are asked for.
        """
        acknowledged: asyncio.Future[None] = self._loop.create_future()
        if self._failure is not None:
            acknowledged.set_exception(self._told(self._failure))
            return acknowledged
        self._asked.append(_Asked(make, self._loop.time(), acknowledged))
        if not self._take_off_soon and self._flying < self._brokers:
            self._take_off_soon = True
            self._loop.call_soon(self._take_off)  # who has been read from the network by then comes along
        return acknowledged

    def close(self, failure: Exception) -> None:
        """Give up all that waits; what is under way may be written all the same."""
        self._failure = self._failure or failure
        self._settle(self._asked, self._failure)
        self._asked.clear()
        for route in self._routes.values():
            if route.flying is not None:
                route.flying.cancel()
            for queue in route.queues.values():
                self._settle(queue, self._failure)
                queue.clear()

    def _take_off(self) -> None:
        """Make all records that are asked for, and let each route fly that does not and has some."""
        self._take_off_soon = False
        self._make_all()
        for route in self._routes.values():
            if route.flying is None and route.oldest() is not None:
                self._flying += 1
                route.flying = self._loop.create_task(self._fly(route), name="publish")

    def _make_all(self) -> None:
        """In one loop, in which the processor's cache holds nothing but what makes records."""
        asked, self._asked = self._asked, []
        for each in asked:
            if each.acknowledged.done():  # whoever waited has left
                continue
            try:
                record = each.make()
                route = self._route_of.get(record.place) or self._new_place(record.place)
            except Exception as error:  # noqa: BLE001 - who asked is told, and awaits it
                each.acknowledged.set_exception(error)
            else:
                route.queues[record.place].append(_Waiting(record, each.since, each.acknowledged))

    def _new_place(self, place: Place) -> _Route:
        """Put a partition onto its broker's route. When another broker leads it later, only time is lost by that."""
        broker = self._producer.client.cluster.leader_for_partition(TopicPartition(*place))
        route = self._route_of[place] = self._routes.setdefault(broker, _Route())
        route.queues[place] = deque()
        return route

    async def _fly(self, route: _Route) -> None:
        try:
            while (oldest := route.oldest()) is not None:
                await self._fly_once(route, oldest + self._publish_seconds)
                for _ in range(_ROUNDS):
                    await asyncio.sleep(0)
                self._take_off()
        except BaseException as error:
            # Everyone who waits is told, whatever it is; also a stray CancelledError out of aiokafka.
            self.close(error if isinstance(error, Exception) else ConnectionError("stopped"))
            if not isinstance(error, Exception):
                raise
        finally:
            route.flying = None
            self._flying -= 1

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
                self._settle(batch, self._said_of(error))
            raise
        failures = [result for result in results if isinstance(result, BaseException)]
        for batch, result in zip(batches, results, strict=True):
            self._settle(batch, self._said_of(result) if isinstance(result, BaseException) else None)
        for failure in failures:
            if not isinstance(failure, TOO_LARGE):  # the topic refuses one batch; the next may be smaller
                raise failure

    async def _send(self, place: Place, queue: "deque[_Waiting]", flight: list[_Waiting]) -> Awaitable[object]:
        """Take what fits into one batch from the queue, and let it go; returns what waits for the answer."""
        batch = self._producer.create_batch()
        while queue:
            record = queue[0].record
            if batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers) is None:
                break
            flight.append(queue.popleft())
        answer: Awaitable[object] = await self._producer.send_batch(batch, place[0], partition=place[1])
        return answer

    def _said_of(self, error: BaseException) -> Exception:
        """Return what has failed for those who wait."""
        return error if isinstance(error, Exception) else self._failure or ConnectionError("stopped")

    def _settle(self, waiting: Iterable[_Asked | _Waiting], failure: Exception | None) -> None:
        for each in waiting:
            if each.acknowledged.done():  # whoever waited has left
                continue
            if failure is None:
                each.acknowledged.set_result(None)
            else:
                each.acknowledged.set_exception(self._told(failure))
