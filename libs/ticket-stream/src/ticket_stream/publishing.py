"""Publishes committed rows in order, from memory, while the next batch is read and processed.

Nothing for a destination partition is given to the producer before the batch before it is acknowledged, so no record
overtakes another. After any error nothing is guessed: everything in memory is dropped, a new producer is made, and
every partition is published again from its oldest row in the outbox.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Literal

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ticket_stream.bounded_stop import stop_within
from ticket_stream.failpoints import Failpoint, Failpoints
from ticket_stream.metrics import StreamMetrics
from ticket_stream.outbox import Outgoing

log = structlog.get_logger("ticket_stream")

# Half of the topics' max.message.bytes, which Kafka compares with whole batches; a larger single record goes alone.
_MAX_BATCH_BYTES = 256 * 1024
# After this a batch without a leader counts as failed. The broker is back within 1–4 s after a restart; longer than
# that, and starting again from the outbox is no slower.
_REQUEST_SECONDS = 10.0


class _Commit:
    """The rows of one origin in one transaction; deletable once all before it are acknowledged too."""

    __slots__ = ("remaining", "up_to", "void")

    def __init__(self, up_to: int, remaining: int) -> None:
        self.up_to = up_to
        self.remaining = remaining
        self.void = False


class _Destination:
    __slots__ = ("drain", "partition", "queue", "topic")

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.queue: deque[tuple[_Commit, Outgoing]] = deque()
        self.drain: asyncio.Task[None] | None = None


class Publisher:
    """The way out of one process. `failure` says that it stands still until `restart`."""

    def __init__(
        self,
        kafka: str,
        prefix: str,
        compression: Literal["zstd"] | None,
        *,
        stop_seconds: float,
        metrics: StreamMetrics,
        failpoints: Failpoints,
    ) -> None:
        self._kafka = kafka
        self._prefix = prefix
        self._compression = compression
        self._stop_seconds = stop_seconds
        self._metrics = metrics
        self._failpoints = failpoints
        self._producer: AIOKafkaProducer | None = None
        self._destinations: dict[tuple[str, int], _Destination] = {}
        self._commits: dict[int, deque[_Commit]] = {}
        self._deletable: dict[int, int] = {}
        self._progress = asyncio.Event()
        self._left_behind: set[asyncio.Task[None]] = set()
        self.failure: str | None = "not connected yet"
        self.unpublished = 0

    async def restart(self) -> bool:
        """Drop all that is in memory and connect anew; False: Kafka is away, try again later."""
        await self._abandon()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            acks="all",
            enable_idempotence=True,
            compression_type=self._compression,
            max_batch_size=_MAX_BATCH_BYTES,
            request_timeout_ms=int(_REQUEST_SECONDS * 1000),
        )
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                await producer.start()
        except (KafkaError, OSError) as error:
            self.failure = f"{type(error).__name__}: {error}"
            await stop_within(producer, self._stop_seconds)
            return False
        except BaseException:
            await stop_within(producer, self._stop_seconds)
            raise
        self._producer = producer
        self.failure = None
        return True

    def enqueue(self, origin: int, rows: Sequence[Outgoing]) -> None:
        """Publish the rows of one commit of an origin after all that was enqueued before; they are in the outbox."""
        if not rows:
            return
        commit = _Commit(rows[-1].sequence, len(rows))
        self._commits.setdefault(origin, deque()).append(commit)
        self.unpublished += len(rows)
        for row in rows:
            place = (row.topic, row.partition)
            destination = self._destinations.get(place)
            if destination is None:
                destination = self._destinations[place] = _Destination(self._prefix + row.topic, row.partition)
            destination.queue.append((commit, row))
            if destination.drain is None and self.failure is None:
                destination.drain = asyncio.create_task(self._drain(destination), name=f"publish {place}")

    def forget(self, origin: int) -> None:
        """Drop what is queued for an origin: it is not ours, or about to be read from the outbox again."""
        self._deletable.pop(origin, None)
        for commit in self._commits.pop(origin, ()):
            commit.void = True
            self.unpublished -= commit.remaining
        for destination in self._destinations.values():
            if any(commit.void for commit, _ in destination.queue):
                destination.queue = deque(entry for entry in destination.queue if not entry[0].void)

    def deletable(self, origin: int) -> int | None:
        """The highest sequence up to which every row of the origin is acknowledged, since it was last asked for."""
        return self._deletable.get(origin)

    async def wait_for_progress(self, seconds: float) -> None:
        """Return at the next acknowledgement or failure, or after `seconds`."""
        self._progress.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._progress.wait()
        except TimeoutError:
            return

    async def drain(self, seconds: float) -> None:
        """Publish what is queued as far as `seconds` allow; the rest stays in the outbox for the next owner."""
        drains = [item.drain for item in self._destinations.values() if item.drain is not None]
        if drains and self.failure is None:
            await asyncio.wait(drains, timeout=seconds)

    async def stop(self) -> None:
        await self._abandon()
        if self._left_behind:
            await asyncio.wait(self._left_behind, timeout=self._stop_seconds)

    async def _drain(self, destination: _Destination) -> None:
        try:
            while destination.queue and self.failure is None:
                await self._send_one_batch(destination)
        except BaseException as error:
            # Whatever it is, the one way back is taken; also for a stray CancelledError out of aiokafka, or the rows of
            # this batch would be forgotten. Our own cancellation comes after `failure` is set, and changes nothing.
            self._fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            destination.drain = None

    async def _send_one_batch(self, destination: _Destination) -> None:
        producer = self._producer
        assert producer is not None, "without failure there is a producer"
        batch = producer.create_batch()
        flight: list[_Commit] = []
        queue = destination.queue
        while queue:
            commit, row = queue[0]
            fits = batch.append(timestamp=row.timestamp, key=row.key, value=row.value, headers=row.headers)
            if fits is None:
                break
            queue.popleft()
            flight.append(commit)
        acknowledged = await producer.send_batch(batch, destination.topic, partition=destination.partition)
        await acknowledged
        await self._failpoints.reach(Failpoint.PUBLISHED_NOT_CLEANED)
        self._acknowledge(flight)

    def _acknowledge(self, flight: Sequence[_Commit]) -> None:
        for commit in flight:
            commit.remaining -= 1
            if not commit.void:
                self.unpublished -= 1
        for origin, commits in self._commits.items():
            while commits and not commits[0].remaining:
                self._deletable[origin] = commits.popleft().up_to
        self._metrics.published.inc(len(flight))
        self._progress.set()

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = f"{type(error).__name__}: {error}"
            self._metrics.publish_failures.inc()
            log.warning("publishing failed; everything unacknowledged is published again", error=self.failure)
        self._progress.set()

    async def _abandon(self) -> None:
        """Forget producer and queues. The old producer may still write its last batch: those records are repeats."""
        if self.failure is None:
            self.failure = "stopped"
        drains = [item.drain for item in self._destinations.values() if item.drain is not None]
        for drain in drains:
            drain.cancel()
        if drains:
            await asyncio.wait(drains)
        self._destinations.clear()
        self._commits.clear()
        self._deletable.clear()
        self.unpublished = 0
        producer, self._producer = self._producer, None
        if producer is not None:
            stopping = asyncio.create_task(stop_within(producer, self._stop_seconds), name="stop of an old producer")
            self._left_behind.add(stopping)
            stopping.add_done_callback(self._left_behind.discard)
