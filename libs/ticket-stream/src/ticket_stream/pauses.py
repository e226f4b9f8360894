"""A partition that stands still: its row in `stream_pauses`, and what an operator decides about it.

The owner keeps the lease, so that the trouble does not walk to the next process. An operator decides in the row; the
owner, whichever it is by then, carries it out behind its fence.
"""

from datetime import datetime
from typing import Literal, NamedTuple

from ticket_stream.owned import OwnedPartition
from ticket_stream.processing import Connection, Partition

Decision = Literal["resume", "skip"]

_INSERT = """
INSERT INTO stream_pauses (position_id, next_offset, timer_key, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (position_id) DO UPDATE SET next_offset = excluded.next_offset, timer_key = excluded.timer_key,
    reason = excluded.reason, paused_at = clock_timestamp(), decision = NULL, decided_by = NULL, decided_at = NULL
"""

_READ = "SELECT next_offset, timer_key, reason, decision FROM stream_pauses WHERE position_id = $1"

_DELETE = "DELETE FROM stream_pauses WHERE position_id = $1"

_LIST = """
SELECT p.consumer, p.topic, p.partition, s.next_offset, s.timer_key, s.reason, s.paused_at, s.decision, s.decided_by
FROM stream_pauses s JOIN stream_positions p ON p.id = s.position_id
ORDER BY s.paused_at
"""

_DECIDE = """
UPDATE stream_pauses s SET decision = $4, decided_by = $5, decided_at = clock_timestamp()
FROM stream_positions p
WHERE p.id = s.position_id AND p.consumer = $1 AND p.topic = $2 AND p.partition = $3
RETURNING s.position_id
"""


class StoredPause(NamedTuple):
    """What the owner needs of a row."""

    next_offset: int
    timer_key: str | None
    reason: str
    decision: Decision | None


class Pause(NamedTuple):
    """What an operator sees of a row."""

    consumer: str
    topic: str
    partition: int
    next_offset: int
    timer_key: str | None
    reason: str
    paused_at: datetime
    decision: Decision | None
    decided_by: str | None


class NotPaused(LookupError):
    """There is no such pause."""


def command_to_continue(consumer: str, partition: Partition) -> str:
    """The two commands, for logs and lists."""
    return f"firebreak dead-letters resume|skip {consumer} {partition.topic} {partition.number}"


async def insert(connection: Connection, owned: OwnedPartition, reason: str, timer_key: str | None) -> None:
    await connection.execute(_INSERT, owned.id, owned.next_offset, timer_key, reason)


async def read(connection: Connection, position_id: int) -> StoredPause | None:
    row = await connection.fetchrow(_READ, position_id)
    return None if row is None else StoredPause(**row)


async def delete(connection: Connection, position_id: int) -> None:
    await connection.execute(_DELETE, position_id)


async def list_pauses(connection: Connection) -> list[Pause]:
    """All partitions that stand still, the oldest first."""
    return [Pause(**row) for row in await connection.fetch(_LIST)]


async def resume(connection: Connection, consumer: str, partition: Partition, by: str) -> None:
    """Let the owner try again from the same record, within about a second.

    :raises NotPaused: the partition is not paused.
    """
    await _decide(connection, consumer, partition, "resume", by)


async def skip(connection: Connection, consumer: str, partition: Partition, by: str) -> None:
    """Let the owner put the record at fault into the dead letters (or drop the timer at fault) and go on.

    :raises NotPaused: the partition is not paused.
    """
    await _decide(connection, consumer, partition, "skip", by)


async def _decide(connection: Connection, consumer: str, partition: Partition, decision: Decision, by: str) -> None:
    decided = await connection.fetchval(_DECIDE, consumer, partition.topic, partition.number, decision, by)
    if decided is None:
        raise NotPaused(f"{consumer} is not paused on {partition.topic}/{partition.number}")
