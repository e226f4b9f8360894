"""Publishing from an edge, where no transaction is behind the event: an ingestor or the API.

Acknowledged means written by all in-sync replicas. Not acknowledged means unknown: the sender tries again, and the
event's own identity makes the second one recognisable downstream.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from operator import itemgetter

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ticket_contracts.envelope import Event
from ticket_contracts.topics import MAX_EVENT_BYTES, Topic, partition_of
from ticket_stream.bounded_stop import stop_within
from ticket_stream.edge_batches import TOO_LARGE, EdgeBatches, Record
from ticket_stream.failures import StreamRefused
from ticket_stream.topic_admin import check_partition_count

log = structlog.get_logger("edge_publisher")

# An HTTP caller waits this long at most; a broker that restarts is back within 1–4 s.
PUBLISH_SECONDS = 5.0
_STOP_SECONDS = 5.0
_PROBE_SECONDS = 1.0  # how soon a lost or returned Kafka is noticed without traffic
_MAX_BATCH_BYTES = 256 * 1024  # half of the topics' max.message.bytes; a single larger event still goes alone
_MAX_REQUEST_BYTES = 2 * MAX_EVENT_BYTES
_MAX_HEADER_BYTES = 16 * 1024  # attributes are short; this only keeps nonsense out
_VALUE_OF = itemgetter(1)

MakeEvent = Callable[[], tuple[str, Event]]
"""Makes the key and the event; pure, and called once at most."""


class KafkaAway(OSError):
    """Not acknowledged in time, so unknown. Answer 503 (HTTP) or 452 (SMTP); trying again is safe."""


class EventTooLarge(ValueError):
    """Larger than MAX_EVENT_BYTES: the caller stores the large parts and refers to them."""


class EdgePublisher:
    """One per process. Made by `open_edge_publisher`."""

    def __init__(self, kafka: str, prefix: str, publish_seconds: float) -> None:
        self._kafka = kafka
        self._prefix = prefix
        self._publish_seconds = publish_seconds
        self._producer: AIOKafkaProducer | None = None
        self._batches: EdgeBatches | None = None
        self._counts: dict[str, int] = {}
        self._available = asyncio.Event()
        self._doubt = asyncio.Event()
        self.settled = asyncio.Event()  # connected for the first time, or refused
        self.refused: StreamRefused | None = None

    def available(self) -> bool:
        """Whether the last thing heard of Kafka was good; for readiness, and to refuse work early."""
        return self._available.is_set()

    async def publish(self, topic: Topic, key: str, event: Event) -> None:
        """Return when the event is acknowledged; a cancelled call may still have been written.

        :raises KafkaAway: not acknowledged within the bound.
        :raises EventTooLarge: larger than events may be; nothing was sent.
        """
        await self.publish_made(topic, lambda: (key, event))

    def publish_made(self, topic: Topic, make: MakeEvent) -> "asyncio.Future[None]":
        """As `publish`, with an event that is made when it can go, together with all others of its flight.

        :param make: what it raises is what the returned future raises, and nobody else hears of it.
        :raises KafkaAway: at once, when it is known already.
        """
        batches, partitions = self._batches, self._counts.get(topic.name)
        if batches is None or not self._available.is_set():
            raise KafkaAway(f"Kafka at {self._kafka} is away")
        if partitions is None:
            return asyncio.ensure_future(self._publish_to_new(topic, make))
        return batches.append(partial(_record, self._prefix + topic.name, partitions, make))

    async def _publish_to_new(self, topic: Topic, make: MakeEvent) -> None:
        """To a topic that `open_edge_publisher` was not told of."""
        producer, batches = self._producer, self._batches
        if producer is None or batches is None:
            raise KafkaAway(f"Kafka at {self._kafka} is away")
        try:
            async with asyncio.timeout(self._publish_seconds):
                partitions = await self._count(producer, topic)
        except (KafkaError, OSError) as error:
            raise self._told(error) from error
        await batches.append(partial(_record, self._prefix + topic.name, partitions, make))

    def _told(self, error: Exception) -> Exception:
        """Return what callers hear of a failed flight. After it the producer is not trusted any more."""
        if isinstance(error, TOO_LARGE):
            return EventTooLarge(str(error))
        self._available.clear()
        self._doubt.set()
        if isinstance(error, KafkaError | OSError):
            away = KafkaAway(f"Kafka did not acknowledge: {error or type(error).__name__}")
            away.__cause__ = error
            return away
        return error

    async def keep(self, topics: Sequence[Topic] = ()) -> None:
        """Connect, watch the connection and make a new producer whenever the present one may be stuck."""
        while True:
            producer = self._new_producer()
            try:
                await producer.start()
                for topic in topics:
                    await self._count(producer, topic)
                self._producer, self._batches = producer, EdgeBatches(producer, self._publish_seconds, self._told)
                self._doubt.clear()
                self._available.set()
                self.settled.set()
                log.info("kafka is available", kafka=self._kafka)
                await self._watch(producer)
                log.warning("kafka is away", kafka=self._kafka)
            except (KafkaError, OSError) as error:
                log.warning("kafka is away", kafka=self._kafka, error=str(error))
            except StreamRefused as refused:
                log.critical("topics do not fit", reason=str(refused))
                self.refused = refused
                self.settled.set()
            finally:
                self._available.clear()
                if self._batches is not None:
                    self._batches.close(ConnectionError("Kafka is away"))
                self._producer = self._batches = None
                await stop_within(producer, _STOP_SECONDS)
            await asyncio.sleep(_PROBE_SECONDS)

    async def _watch(self, producer: AIOKafkaProducer) -> None:
        """Return when Kafka does not answer any more, or a publication failed.

        After a failed one the producer is not trusted: an idempotent producer that lost a batch may stick.
        """
        while True:
            try:
                async with asyncio.timeout(_PROBE_SECONDS):
                    await self._doubt.wait()
                return
            except TimeoutError:
                pass
            try:
                async with asyncio.timeout(self._publish_seconds):
                    answered = await producer.client.force_metadata_update()
            except TimeoutError:
                answered = False
            if not answered:
                return

    async def _count(self, producer: AIOKafkaProducer, topic: Topic) -> int:
        partitions = await producer.partitions_for(self._prefix + topic.name)
        self._counts[topic.name] = check_partition_count(self._prefix, topic, len(partitions))
        return self._counts[topic.name]

    def _new_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=int(self._publish_seconds * 1000),
            max_batch_size=_MAX_BATCH_BYTES,
            max_request_size=_MAX_REQUEST_BYTES,
        )


def _record(topic: str, partitions: int, make: MakeEvent) -> Record:
    """Make one event and put it into its partition.

    :raises EventTooLarge:
    """
    key, event = make()
    headers = event.headers()
    if len(event.data) > MAX_EVENT_BYTES or len(b"".join(map(_VALUE_OF, headers))) > _MAX_HEADER_BYTES:
        raise EventTooLarge(f"{len(event.data)} bytes of data; at most {MAX_EVENT_BYTES} fit into an event")
    key_bytes = key.encode()
    return Record((topic, partition_of(key_bytes, partitions)), key_bytes, event.data, headers)


@asynccontextmanager
async def open_edge_publisher(
    kafka: str, topic_prefix: str, *, publish_seconds: float = PUBLISH_SECONDS, topics: Sequence[Topic] = ()
) -> AsyncIterator[EdgePublisher]:
    """Open a publisher; Kafka may be away, `available()` says so until it is there.

    Waits for the first connection for at most `publish_seconds`, so that a service is rarely ready too early.

    :raises StreamRefused: one of `topics` exists with a wrong number of partitions.
    """
    publisher = EdgePublisher(kafka, topic_prefix, publish_seconds)
    keeper = asyncio.create_task(publisher.keep(topics), name="edge publisher")
    first = asyncio.create_task(publisher.settled.wait())
    try:
        await asyncio.wait({keeper, first}, timeout=publish_seconds, return_when=asyncio.FIRST_COMPLETED)
        if publisher.refused is not None:
            raise publisher.refused
        yield publisher
    finally:
        first.cancel()
        keeper.cancel()
        await asyncio.wait({keeper, first})
