"""Where each partition stands and who owns it: every statement on `stream_positions` but the lease function.

The *revision* is the only fence. Every take-over and every transaction raises it, a renewal does not; so a process
that holds an old one changes nothing any more, whatever it was doing when it lost its partition.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from ticket_stream.origins import Origin
from ticket_stream.owned import Fenced, Move, Previous
from ticket_stream.processing import Connection, Partition

_ADVANCE = """
UPDATE stream_positions p
SET revision = p.revision + 1, written_revision = p.revision + 1,
    next_offset = b.next_offset, lease_until = clock_timestamp() + $9,
    previous_offset = b.previous_offset, previous_timestamp = b.previous_timestamp, previous_crc = b.previous_crc
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
  AS b (id, revision, expected_offset, next_offset, previous_offset, previous_timestamp, previous_crc)
WHERE p.id = b.id AND p.revision = b.revision AND p.next_offset = b.expected_offset AND p.owner = $8
RETURNING p.id
"""

# One statement per partition: two processes that each hold one row and wait for another's would be a deadlock.
_REGAIN = """
UPDATE stream_positions SET revision = revision + 1, lease_until = clock_timestamp() + $3
WHERE id = $1 AND owner = $2
RETURNING topic, partition, revision, next_offset, previous_offset, previous_timestamp, previous_crc
"""

_CREATE = """
INSERT INTO stream_positions (consumer, topic, partition, next_offset)
SELECT $1, $2, o.partition, o.next_offset FROM unnest($3::int[], $4::bigint[]) AS o (partition, next_offset)
ON CONFLICT (consumer, topic, partition) DO NOTHING
"""

_EXISTING = "SELECT partition FROM stream_positions WHERE consumer = $1 AND topic = $2"

_REVISIONS = """
SELECT p.consumer, p.topic, p.partition, p.written_revision
FROM unnest($1::text[], $2::text[], $3::int[]) AS o (consumer, topic, partition)
JOIN stream_positions p ON p.consumer = o.consumer AND p.topic = o.topic AND p.partition = o.partition
"""

_GENERATION = "SELECT generation FROM stream_generation"

_TOPIC = """
INSERT INTO stream_topics AS t (topic, partitions) VALUES ($1, $2)
ON CONFLICT (topic) DO UPDATE SET partitions = t.partitions
RETURNING partitions
"""


class Standing(NamedTuple):
    """What the table says about a partition that was just regained."""

    id: int
    partition: Partition
    revision: int
    next_offset: int
    previous: Previous | None


async def advance(connection: Connection, owner: str, lease: timedelta, moves: Sequence[Move]) -> None:
    """First statement of every transaction: raise the revisions, move the positions, hold the row locks.

    :raises Fenced: for one of the partitions our revision, position or ownership is not that of the table.
    """
    previous = [move.previous or move.owned.previous or (None, None, None) for move in moves]
    rows = await connection.fetch(
        _ADVANCE,
        [move.owned.id for move in moves],
        [move.owned.revision for move in moves],
        [move.owned.next_offset for move in moves],
        [move.next_offset for move in moves],
        *map(list, zip(*previous, strict=True)),
        owner,
        lease,
    )
    if len(rows) != len(moves):
        held = {row["id"] for row in rows}
        raise Fenced(move.owned.partition for move in moves if move.owned.id not in held)


async def regain(connection: Connection, owner: str, lease: timedelta, position_id: int) -> Standing | None:
    """The first statement of the way back: raise the revision, waiting for a commit under way; None: not ours."""
    row = await connection.fetchrow(_REGAIN, position_id, owner, lease)
    if row is None:
        return None
    previous = None
    if row["previous_offset"] is not None:
        previous = Previous(row["previous_offset"], row["previous_timestamp"], row["previous_crc"])
    partition = Partition(row["topic"], row["partition"])
    return Standing(position_id, partition, row["revision"], row["next_offset"], previous)


async def missing_partitions(connection: Connection, consumer: str, topic: str, partitions: int) -> set[int]:
    rows = await connection.fetch(_EXISTING, consumer, topic)
    return set(range(partitions)) - {row["partition"] for row in rows}


async def create(connection: Connection, consumer: str, topic: str, starts: Mapping[int, int]) -> None:
    """Make the rows of a new consumer at the log's first offsets; rows that exist stay as they are."""
    await connection.execute(_CREATE, consumer, topic, list(starts), list(starts.values()))


async def remember_topic(connection: Connection, topic: str, partitions: int) -> int:
    """Return the number of partitions the topic had when any consumer first saw it."""
    return int(await connection.fetchval(_TOPIC, topic, partitions))


async def read_generation(connection: Connection) -> int:
    return int(await connection.fetchval(_GENERATION))


async def revisions_of(connection: Connection, origins: Iterable[Origin]) -> dict[tuple[str, str, int], int]:
    """Return the revision of the last transaction of each origin that has a row."""
    wanted = list(origins)
    rows = await connection.fetch(
        _REVISIONS,
        [origin.consumer for origin in wanted],
        [origin.topic for origin in wanted],
        [origin.partition for origin in wanted],
    )
    return {(row["consumer"], row["topic"], row["partition"]): row["written_revision"] for row in rows}
