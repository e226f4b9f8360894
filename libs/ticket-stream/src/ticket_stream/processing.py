"""What a streaming service and the runtime say to each other.

Words, used the same everywhere: the *position* of a partition is the offset of the next record to read; an *origin*
is the partition whose transaction writes something; a *repeat* is a record that was already accepted.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ticket_contracts.envelope import Event

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
"""A connection of the pool inside the batch's transaction; a processor neither commits nor rolls back."""


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One partition by the logical topic name, without the installation's prefix."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Record:
    """One event read from a partition. `appended_at` is the broker's time stamp of the record."""

    origin: Partition
    offset: int
    appended_at: datetime
    key: str
    event: Event


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer whose time has come. Its partition was read up to `read_until`, at or after that time: what is due by
    then may be decided too."""

    origin: Partition
    key: str
    due_at: datetime
    read_until: datetime


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to publish once the transaction commits.

    The runtime adds `source`, `sequence` and the destination partition (CRC-32 of `key`). `id` is stable: the same
    input must give the same id, so derive it (UUIDv5 of the cause, or ticket id and version), never draw it at random.
    """

    origin: Partition
    topic: str
    key: str
    id: str
    type: str
    time: datetime
    data: bytes
    subject: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None


@dataclass(slots=True)
class Batch:
    """What one transaction handles: new records in offset order per partition, and timers that are due.

    `now` is database time. A processor may be called again with a part of the same batch (a retry or a bisection),
    so it keeps nothing in memory that only a commit makes true; `after_commit` callbacks run once COMMIT answered.
    """

    records: Sequence[Record]
    timers: Sequence[DueTimer]
    now: datetime
    schedules: dict[tuple[Partition, str], datetime | None] = field(default_factory=dict)
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    def schedule(self, origin: Partition, key: str, due_at: datetime | None) -> None:
        """Set the one timer of `key` in the partition `origin`; None removes it. The last call wins."""
        self.schedules[origin, key] = due_at


class Processor(Protocol):
    """The one function of a streaming service."""

    async def process(self, batch: Batch, connection: Connection) -> Sequence[NewEvent]:
        """Write the batch's effects through `connection` and return what to publish.

        Statements that touch rows shared by several partitions come last, in key order.
        """
        ...


DeadLetterWitness = Callable[[Connection, Record, str], Awaitable[None]]
"""Called in the transaction that turns a record into a dead letter, with the reason: tells a waiting caller."""
