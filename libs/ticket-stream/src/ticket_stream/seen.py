"""The last sequence accepted from each origin: what is not higher is a repeat.

Because rows are published in order and removed only after their acknowledgement, a record can be repeated but not
overtaken, so one number per origin partition is all the memory that is needed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ticket_stream.origins import PREFIX, parse_source
from ticket_stream.owned import Move
from ticket_stream.processing import Connection

_READ = "SELECT origin, sequences FROM stream_seen WHERE position_id = $1"

# Arrays of different lengths cannot be one parameter, so each comes as the text of an array.
_WRITE = """
INSERT INTO stream_seen (position_id, origin, sequences)
SELECT s.position_id, s.origin, s.sequences::bigint[]
FROM unnest($1::int[], $2::text[], $3::text[]) AS s (position_id, origin, sequences)
ON CONFLICT (position_id, origin) DO UPDATE SET sequences = excluded.sequences
"""


async def read(connection: Connection, position_id: int) -> dict[str, int]:
    """Return the last sequences by event source."""
    rows = await connection.fetch(_READ, position_id)
    return {source: sequence for row in rows for source, sequence in from_array(row["origin"], row["sequences"])}


async def write(connection: Connection, moves: Sequence[Move]) -> None:
    """Store what the moves have accepted."""
    rows = [(move.owned.id, *row) for move in moves if move.seen for row in to_arrays(move.owned.seen, move.seen)]
    await connection.execute(_WRITE, *map(list, zip(*rows, strict=True)))


def from_array(origin: str, sequences: Sequence[int]) -> list[tuple[str, int]]:
    """Take an array apart; 0 stands for an origin partition that nothing was accepted from."""
    return [(f"{PREFIX}{origin}/{number}", sequence) for number, sequence in enumerate(sequences) if sequence]


def to_arrays(seen: Mapping[str, int], fresh: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return (origin, array as text) for each origin that has something fresh, in order of their names."""
    touched = {origin.stored for source in fresh if (origin := parse_source(source)) is not None}
    arrays: dict[str, dict[int, int]] = defaultdict(dict)
    for known in (seen, fresh):
        for source, sequence in known.items():
            origin = parse_source(source)
            if origin is not None and origin.stored in touched:
                arrays[origin.stored][origin.partition] = sequence
    return [(name, _array_text(numbers)) for name, numbers in sorted(arrays.items())]


def _array_text(numbers: Mapping[int, int]) -> str:
    return "{" + ",".join(str(numbers.get(index, 0)) for index in range(max(numbers) + 1)) + "}"
