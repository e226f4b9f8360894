"""Events that are committed and not yet known to be published.

A row fixes everything about its record (place, key, headers, bytes, time stamp, sequence), so publishing it again makes
the same record in the same place, and readers drop it by its sequence.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ticket_contracts.envelope import Event, Headers
from ticket_contracts.topics import MAX_EVENT_BYTES, partition_of
from ticket_stream.failures import PoisonRecord
from ticket_stream.origins import sequence_of, sequence_text
from ticket_stream.owned import Move
from ticket_stream.processing import Connection, NewEvent, Partition

# Attributes are short. Some are copied from what caused an event, which anybody may have written; with these and the
# largest data a record stays below the topics' max.message.bytes, or it would stand in the way of all after it.
_MAX_ATTRIBUTE_BYTES = 64 * 1024

_COLUMNS = (
    "position_id",
    "sequence",
    "event_id",
    "destination_topic",
    "destination_partition",
    "timestamp",
    "key",
    "headers",
    "value",
)

_READ = """
SELECT sequence, event_id, destination_topic, destination_partition, timestamp, key, headers, value
FROM outbox WHERE position_id = $1 ORDER BY sequence
"""

_DELETE = """
DELETE FROM outbox o USING unnest($1::int[], $2::bigint[]) AS a (position_id, up_to)
WHERE o.position_id = a.position_id AND o.sequence <= a.up_to
"""


class Outgoing(NamedTuple):
    """One row. `topic` is the logical name."""

    sequence: int
    event_id: str
    topic: str
    partition: int
    timestamp: int
    key: bytes
    headers: Headers
    value: bytes


def number_events(
    events: Iterable[NewEvent], moves: Collection[Move], counts: Mapping[str, int], timestamp: int
) -> dict[int, list[Outgoing]]:
    """Give each event its sequence and place; by position id.

    :raises PoisonRecord: an event is larger than events may be.
    :raises ValueError: an event names an origin that is not in this transaction, or an unknown topic.
    """
    by_origin: dict[Partition, tuple[Move, list[Outgoing]]] = {move.owned.partition: (move, []) for move in moves}
    for event in events:
        if event.origin not in by_origin:
            raise ValueError(f"event {event.type} has an origin outside of its batch: {event.origin}")
        if event.topic not in counts:
            raise ValueError(f"event {event.type} goes to topic {event.topic}, which this stream does not write")
        if len(event.data) > MAX_EVENT_BYTES:
            raise PoisonRecord(f"event {event.type} would have {len(event.data)} bytes; at most {MAX_EVENT_BYTES} fit")
        move, rows = by_origin[event.origin]
        sequence = sequence_of(move.owned.revision + 1, len(rows))
        key = event.key.encode()
        place = partition_of(key, counts[event.topic])
        headers = _headers(event, move.owned.source, sequence)
        if len(key) + sum(len(value) for _, value in headers) > _MAX_ATTRIBUTE_BYTES:
            raise PoisonRecord(f"the attributes of event {event.type[:200]} would be larger than they may be")
        rows.append(Outgoing(sequence, event.id, event.topic, place, timestamp, key, headers, event.data))
    return {move.owned.id: rows for move, rows in by_origin.values() if rows}


def _headers(event: NewEvent, source: str, sequence: int) -> Headers:
    return Event(
        id=event.id,
        source=source,
        type=event.type,
        time=event.time,
        data=event.data,
        subject=event.subject,
        partitionkey=event.key,
        sequence=sequence_text(sequence),
        traceparent=event.traceparent,
        correlationid=event.correlation_id,
        causationid=event.causation_id,
    ).headers()


async def insert(connection: Connection, rows: Mapping[int, Sequence[Outgoing]]) -> None:
    await connection.copy_records_to_table(
        "outbox",
        columns=_COLUMNS,
        records=[
            (position_id, *row[:6], pack_headers(row.headers), row.value)
            for position_id, several in rows.items()
            for row in several
        ],
    )


async def read(connection: Connection, position_id: int) -> list[Outgoing]:
    """Return what the partition has still to publish, in order."""
    return [
        Outgoing(sequence, event_id, topic, partition, timestamp, key, unpack_headers(headers), value)
        for sequence, event_id, topic, partition, timestamp, key, headers, value in await connection.fetch(
            _READ, position_id
        )
    ]


async def delete(connection: Connection, acknowledged: Mapping[int, int]) -> None:
    """Delete the rows of each position up to a sequence; only behind the revision check of `advance`."""
    await connection.execute(_DELETE, list(acknowledged), list(acknowledged.values()))


def pack_headers(headers: Headers) -> bytes:
    """:raises PoisonRecord: an attribute holds NUL, which CloudEvents forbids in a string."""
    parts = [part for name, value in headers for part in (name.encode(), value)]
    packed = b"\0".join(parts)
    if packed.count(b"\0") != len(parts) - 1:
        raise PoisonRecord("an attribute of a new event holds a NUL character")
    return packed


def unpack_headers(packed: bytes) -> Headers:
    parts = packed.split(b"\0")
    return [(name.decode(), value) for name, value in zip(parts[::2], parts[1::2], strict=True)]
