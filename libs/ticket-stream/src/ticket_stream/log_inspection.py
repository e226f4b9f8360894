"""Asking the log questions on a connection of its own: a fetch that waits for records would hold the answers back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import NamedTuple, NoReturn

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from ticket_stream.bounded_stop import stop_within

_REQUEST_MS = 5_000  # an offset query takes milliseconds; longer means that the broker is away
_FETCH_WAIT_MS = 100
_FETCH_BYTES = 256 * 1024  # per partition; a larger single record comes all the same
_STALLED_SECONDS = 10.0


class LogAway(OSError):
    """Kafka does not answer, or not in time; ask again later."""


class Bounds(NamedTuple):
    """First offset that exists, and the high watermark."""

    start: int
    end: int


class LogInspector:
    """One question at a time; a connection that failed is replaced at the next."""

    def __init__(self, kafka: str, stop_seconds: float) -> None:
        self._kafka = kafka
        self._stop_seconds = stop_seconds
        self._consumer: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()

    async def bounds(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Bounds]:
        """:raises LogAway: no answer."""
        async with self._turn:
            try:
                consumer = await self._connected()
                starts = await consumer.beginning_offsets(partitions)
                ends = await consumer.end_offsets(partitions)
            except (KafkaError, OSError) as error:
                await self._lost(error)
        return {item: Bounds(starts[item], ends[item]) for item in partitions}

    async def watermarks(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """:raises LogAway: no answer."""
        async with self._turn:
            try:
                return dict(await (await self._connected()).end_offsets(partitions))
            except (KafkaError, OSError) as error:
                await self._lost(error)

    async def read(self, spans: Mapping[TopicPartition, tuple[int, int]]) -> AsyncGenerator[ConsumerRecord, None]:
        """Yield the records of each span, first offset included, last excluded, in order per partition.

        :raises LogAway: no answer, or nothing new for a while.
        """
        async with self._turn:
            try:
                async for record in self._read(await self._connected(), dict(spans)):
                    yield record
            except (KafkaError, OSError) as error:
                await self._lost(error)

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stop_within(consumer, self._stop_seconds)

    async def _read(
        self, consumer: AIOKafkaConsumer, spans: dict[TopicPartition, tuple[int, int]]
    ) -> AsyncIterator[ConsumerRecord]:
        open_spans = {item: end for item, (start, end) in spans.items() if start < end}
        consumer.assign(list(open_spans))
        for item in open_spans:  # no await since assign(): nothing is fetched from anywhere else
            consumer.seek(item, spans[item][0])
        loop = asyncio.get_running_loop()
        patience = loop.time() + _STALLED_SECONDS
        while open_spans:
            fetched = await consumer.getmany(*open_spans, timeout_ms=_FETCH_WAIT_MS)
            for item, records in fetched.items():
                patience = loop.time() + _STALLED_SECONDS
                for record in records:
                    if record.offset < open_spans[item]:
                        yield record
            for item in list(open_spans):
                if await consumer.position(item) >= open_spans[item]:
                    del open_spans[item]
                    consumer.pause(item)
            if loop.time() > patience:
                raise LogAway(f"nothing more could be read from {', '.join(map(str, open_spans))}")
        consumer.assign([])

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._kafka,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                request_timeout_ms=_REQUEST_MS,
                fetch_max_wait_ms=_FETCH_WAIT_MS,
                max_partition_fetch_bytes=_FETCH_BYTES,
            )
            try:
                await consumer.start()
            except BaseException:
                await stop_within(consumer, self._stop_seconds)
                raise
            self._consumer = consumer
        return self._consumer

    async def _lost(self, error: Exception) -> NoReturn:
        await self.close()
        if isinstance(error, LogAway):
            raise error
        raise LogAway(f"{type(error).__name__}: {error}") from error
