"""A partition of ours, and how we learn that it is not ours any more."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from aiokafka.structs import ConsumerRecord, TopicPartition

from ticket_stream.processing import Partition
from ticket_stream.timer_heap import TimerHeap


class Previous(NamedTuple):
    """The record before a position, to recognise another log under the same name. `timestamp` is in milliseconds."""

    offset: int
    timestamp: int
    crc: int

    @classmethod
    def of(cls, raw: ConsumerRecord) -> "Previous":
        return cls(raw.offset, raw.timestamp, crc32(raw.value or b"", crc32(raw.key or b"")))


class Hold(NamedTuple):
    """Timers due up to `asked_at` (seconds) may fire once the position reaches the high watermark fetched then."""

    asked_at: float
    watermark: int


@dataclass(slots=True, eq=False)
class OwnedPartition:
    """A partition of ours as of the last COMMIT that answered; nothing else may change what comes from the table."""

    id: int
    partition: Partition
    physical: TopicPartition
    source: str
    revision: int
    next_offset: int
    previous: Previous | None
    seen: dict[str, int]  # the last sequence accepted, by event source
    timers: TimerHeap
    paused: str | None = None
    hold: Hold | None = None
    cleaned_up_to: int = 0  # outbox rows up to this sequence are deleted


@dataclass(frozen=True, slots=True)
class Move:
    """What a transaction does to one position; `previous` is None when the position stays."""

    owned: OwnedPartition
    next_offset: int
    previous: Previous | None = None
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def stay(cls, owned: OwnedPartition) -> "Move":
        """For a transaction that reads nothing: a timer, a clean-up, a pause."""
        return cls(owned, owned.next_offset)


class Fenced(Exception):
    """Another process took some of these partitions, or our view of them is old. Nothing was written."""

    def __init__(self, partitions: Iterable[Partition]) -> None:
        self.partitions = list(partitions)
        super().__init__("fenced: " + ", ".join(f"{item.topic}/{item.number}" for item in self.partitions))


class CommitUnanswered(Exception):
    """COMMIT was sent and its answer is lost: only the table knows what has happened."""
