"""The `source` of our events names the partition whose transaction wrote them; with `sequence` it makes them unique.

A sequence is the transaction's revision times 65,536 plus the index of the event among those of its origin. So it
needs no counter, grows with every transaction, and is the same when the same row is published again.
"""

from functools import lru_cache
from typing import NamedTuple

from ticket_stream.processing import Partition

PREFIX = "/firebreak/"

# The most events that one origin may have in one transaction; positions and outbox rows rest on it, it never changes.
SEQUENCES_PER_REVISION = 65_536

_SEQUENCE_DIGITS = 19  # of the largest bigint: string order is numeric order
# Sources that one process meets: partitions × consumers × generations; more would only cost parsing again.
_KNOWN_SOURCES = 4096


class Origin(NamedTuple):
    """Where a sequence counts."""

    generation: int
    consumer: str
    topic: str
    partition: int

    @property
    def stored(self) -> str:
        """The name of all partitions of the origin's topic, as `stream_seen` has it."""
        return f"{self.generation}/{self.consumer}/{self.topic}"


def source_of(generation: int, consumer: str, partition: Partition) -> str:
    """Return the `source` attribute of what a partition's transactions write."""
    return f"{PREFIX}{generation}/{consumer}/{partition.topic}/{partition.number}"


@lru_cache(maxsize=_KNOWN_SOURCES)
def parse_source(source: str) -> Origin | None:
    """Return the origin, or None when the source is not written by a stream: an edge, or somebody else's."""
    if not source.startswith(PREFIX):
        return None
    parts = source[len(PREFIX) :].split("/")
    if len(parts) != 4 or not (parts[0].isdecimal() and parts[3].isdecimal()):
        return None
    return Origin(int(parts[0]), parts[1], parts[2], int(parts[3]))


def sequence_of(revision: int, index: int) -> int:
    """:raises ValueError: more events of one origin in one transaction than there are sequences."""
    if index >= SEQUENCES_PER_REVISION:
        raise ValueError(f"more than {SEQUENCES_PER_REVISION} events of one partition in one transaction")
    return revision * SEQUENCES_PER_REVISION + index


def revision_of(sequence: int) -> int:
    return sequence // SEQUENCES_PER_REVISION


def sequence_text(sequence: int) -> str:
    return f"{sequence:0{_SEQUENCE_DIGITS}d}"
