"""Records as Kafka hands them out, and partitions to read them into; without any server."""

from datetime import UTC, datetime

from aiokafka.structs import ConsumerRecord, TopicPartition

from ticket_contracts.envelope import Event, Headers
from ticket_stream.owned import OwnedPartition
from ticket_stream.processing import Partition
from ticket_stream.timer_heap import TimerHeap

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def owned(number: int = 0, *, next_offset: int = 0, seen: dict[str, int] | None = None) -> OwnedPartition:
    return OwnedPartition(
        id=number + 1,
        partition=Partition("in.v1", number),
        physical=TopicPartition("in.v1", number),
        source=f"/firebreak/1/tests/in.v1/{number}",
        revision=7,
        next_offset=next_offset,
        previous=None,
        seen=seen or {},
        timers=TimerHeap(0.0),
    )


def raw(
    offset: int, headers: Headers | None = None, *, key: bytes | None = b"k", value: bytes | None = b"{}"
) -> ConsumerRecord:
    return ConsumerRecord(
        topic="in.v1",
        partition=0,
        offset=offset,
        timestamp=1_700_000_000_000 + offset,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(headers or ()),
    )


def event(source: str = "/edge", sequence: str | None = None) -> Event:
    return Event(id="1", source=source, type="test.v1", time=NOW, data=b"{}", sequence=sequence)
