"""From Kafka's records to ours: the consumer without a group, and the pass over what it fetched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from ticket_contracts.envelope import NotAnEvent, read_event
from ticket_stream.bounded_stop import stop_within
from ticket_stream.origins import parse_sequence, parse_source
from ticket_stream.owned import Move, OwnedPartition, Previous
from ticket_stream.processing import Partition, Record

# A fetch waits this long for records. While one waits, a partition that it does not cover cannot be fetched (aiokafka
# has one request per node), so this also bounds the delay of a partition that was just resumed.
_FETCH_WAIT_MS = 100
_REQUEST_MS = 10_000  # a frozen broker is noticed after this
# Per partition; small enough that the backlog of one does not keep the others waiting for long.
_FETCH_BYTES = 512 * 1024
_LATEST_TIMESTAMP = 253_402_214_400_000  # milliseconds: a day before the year 10,000, which no datetime can name


class Reader:
    """Fetches the partitions it was told to, from the positions it was told. One per process."""

    def __init__(self, kafka: str, stop_seconds: float) -> None:
        self._kafka = kafka
        self._stop_seconds = stop_seconds
        self._consumer: AIOKafkaConsumer | None = None
        self._owned: dict[TopicPartition, OwnedPartition] = {}

    async def connect(self) -> None:
        """Make a new consumer, dropping the old one.

        :raises OSError: Kafka is away.
        """
        await self.close()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            group_id=None,
            enable_auto_commit=False,  # with it, stop() hangs while the broker is away (facts §4.2)
            auto_offset_reset="none",  # a position outside the log is a refusal, never a guess
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            max_partition_fetch_bytes=_FETCH_BYTES,
            request_timeout_ms=_REQUEST_MS,
        )
        try:
            await consumer.start()
        except KafkaError as error:
            await stop_within(consumer, self._stop_seconds)
            raise ConnectionError(f"Kafka at {self._kafka} is away: {error}") from error
        except BaseException:
            await stop_within(consumer, self._stop_seconds)
            raise
        self._consumer = consumer

    @property
    def connected(self) -> bool:
        return self._consumer is not None

    def assign(self, owned: Iterable[OwnedPartition]) -> None:
        """Fetch these partitions and no others, each from its stored position; drop what was fetched before."""
        assert self._consumer is not None, "connect() first"
        self._owned = {item.physical: item for item in owned}
        self._consumer.assign(list(self._owned))
        for physical, item in self._owned.items():  # no await since assign(), so no fetch from another offset
            self._consumer.seek(physical, item.next_offset)

    async def poll(self, limit: int, seconds: float) -> list[tuple[OwnedPartition, list[ConsumerRecord]]]:
        """Return what is there, waiting at most `seconds` for the first record.

        :raises aiokafka.errors.OffsetOutOfRangeError: a position lies outside of the log.
        """
        assert self._consumer is not None, "connect() first"
        fetched = await self._consumer.getmany(*self._owned, timeout_ms=int(seconds * 1000), max_records=limit)
        return [(self._owned[physical], records) for physical, records in fetched.items() if physical in self._owned]

    async def position(self, owned: OwnedPartition) -> int:
        """How far reading has come, past what is no record (markers of somebody's Kafka transactions)."""
        if self._consumer is None or owned.physical not in self._owned:
            return owned.next_offset
        return max(owned.next_offset, int(await self._consumer.position(owned.physical)))

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._owned = {}
        if consumer is not None:
            await stop_within(consumer, self._stop_seconds)


class Poison(NamedTuple):
    """A record that is no event, found while reading."""

    raw: ConsumerRecord
    reason: str


@dataclass(slots=True)
class Reading:
    """What became of the fetched records of one partition, up to the first poison or the end."""

    move: Move
    records: list[Record]
    repeats: int
    poison: Poison | None = None
    rest: Sequence[ConsumerRecord] = ()


def read_records(owned: OwnedPartition, raws: Sequence[ConsumerRecord], known: Mapping[str, int]) -> Reading:
    """Turn records into events and drop repeats; stop before one that is no event.

    `known` is what was accepted before these records, by source.
    """
    fresh: dict[str, int] = {}
    records: list[Record] = []
    partition = owned.partition
    poison: Poison | None = None
    index = 0
    for index, raw in enumerate(raws):  # noqa: B007 - used after the loop
        try:
            record = _read_one(partition, raw, known, fresh)
        except (NotAnEvent, UnicodeDecodeError) as error:
            poison = Poison(raw, str(error))
            break
        if record is not None:
            records.append(record)
    done = raws[:index] if poison else raws
    move = Move(owned, done[-1].offset + 1, Previous.of(done[-1]), fresh) if done else Move.stay(owned)
    return Reading(move, records, len(done) - len(records), poison, raws[index + 1 :] if poison else ())


def _read_one(
    partition: Partition, raw: ConsumerRecord, known: Mapping[str, int], fresh: dict[str, int]
) -> Record | None:
    """Return the record, or None for a repeat; note its sequence in `fresh`."""
    event = read_event(raw.headers, raw.value)
    key = raw.key.decode() if raw.key else ""  # before the sequence is noted: a poison record must not look repeated
    if event.sequence is not None and parse_source(event.source) is not None:
        if (sequence := parse_sequence(event.sequence)) is None:
            raise NotAnEvent("ce_sequence: not a number of at most 63 bits")
        if sequence <= fresh.get(event.source, known.get(event.source, 0)):
            return None
        fresh[event.source] = sequence
    return Record(partition, raw.offset, appended_at(raw), key, event)


def appended_at(raw: ConsumerRecord) -> datetime:
    """The record's time stamp; a producer may have written any number there."""
    return datetime.fromtimestamp(min(max(raw.timestamp, 0), _LATEST_TIMESTAMP) / 1000, UTC)
