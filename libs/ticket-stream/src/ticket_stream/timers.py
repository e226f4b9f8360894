"""Timers belong to the partition of their key: its owner alone fires them, through the same transaction as records.

A timer due at T fires only once the position has reached the high watermark fetched after T: what still waits in the
log may be the very thing that makes the timer void.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from ticket_stream.held_connection import HeldConnection
from ticket_stream.owned import OwnedPartition
from ticket_stream.processing import Connection, DueTimer, Partition
from ticket_stream.timer_heap import TimerHeap

HORIZON_SECONDS = 120.0
"""How far ahead the heap knows; a million open timers stay in the table."""
REFRESH_SECONDS = 60.0
"""When less than this is left of what is loaded, more is loaded: long before it would be missed."""
_LOAD_LIMIT = 20_000  # rows at once; a backlog larger than this is loaded as it is worked off

_LOAD = """
SELECT key, due_at FROM stream_timers
WHERE position_id = $1 AND due_at >= $2 AND due_at < $3 ORDER BY due_at, key LIMIT $4
"""

_SET = """
INSERT INTO stream_timers (position_id, key, due_at)
SELECT * FROM unnest($1::int[], $2::text[], $3::timestamptz[])
ON CONFLICT (position_id, key) DO UPDATE SET due_at = excluded.due_at
"""

_REMOVE = """
DELETE FROM stream_timers t USING unnest($1::int[], $2::text[]) AS r (position_id, key)
WHERE t.position_id = r.position_id AND t.key = r.key
"""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Schedules = Mapping[tuple[Partition, str], datetime | None]


async def load(connection: Connection, position_id: int, now: float) -> TimerHeap:
    """Return the heap of a partition that was just regained."""
    until, timers = await _load_between(connection, position_id, _BEGINNING, now + HORIZON_SECONDS)
    return TimerHeap(until, timers)


async def load_more(source: HeldConnection, owned: OwnedPartition, now: float) -> None:
    """Extend the heap when it comes near the end of what it knows."""
    heap = owned.timers
    if heap.loaded_until - now > REFRESH_SECONDS or len(heap) >= _LOAD_LIMIT:
        return
    start = datetime.fromtimestamp(heap.loaded_until, UTC)
    until, timers = await _load_between(await source.get(), owned.id, start, now + HORIZON_SECONDS)
    heap.extend(until, timers)


async def _load_between(
    connection: Connection, position_id: int, start: datetime, until: float
) -> tuple[float, list[tuple[str, float]]]:
    rows = await connection.fetch(_LOAD, position_id, start, datetime.fromtimestamp(until, UTC), _LOAD_LIMIT)
    timers = [(row["key"], row["due_at"].timestamp()) for row in rows]
    return (timers[-1][1] if len(rows) == _LOAD_LIMIT else until), timers


def fireable(owned: OwnedPartition, position: int, limit: int, busy_keys: Iterable[str] = ()) -> list[DueTimer]:
    """Return the timers that may fire now, but none whose key has a record in the same batch: that comes first."""
    hold = owned.hold
    if hold is None or owned.paused is not None or position < hold.watermark:
        return []
    read_until = datetime.fromtimestamp(hold.asked_at, UTC)
    return [
        DueTimer(owned.partition, key, datetime.fromtimestamp(due, UTC), read_until)
        for key, due in owned.timers.due(hold.asked_at, limit, frozenset(busy_keys))
    ]


async def write(connection: Connection, ids: Mapping[Partition, int], schedules: Schedules) -> None:
    """Set and remove timers, in key order."""
    ordered = sorted((ids[partition], key, due) for (partition, key), due in schedules.items() if due is not None)
    if ordered:
        await connection.execute(_SET, *map(list, zip(*ordered, strict=True)))
    removed = sorted((ids[partition], key) for (partition, key), due in schedules.items() if due is None)
    if removed:
        await connection.execute(_REMOVE, *map(list, zip(*removed, strict=True)))
