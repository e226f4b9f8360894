"""The `source` of our events names the partition whose transaction wrote them; with `sequence` it makes them unique.

A sequence is the transaction's revision times 65,536 plus the index of the event among those of its origin. So it
needs no counter, grows with every transaction, and is the same when the same row is published again.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ticket_stream.processing import Partition

PREFIX = "/firebreak/"

# The most events that one origin may have in one transaction; positions and outbox rows rest on it, it never changes.
SEQUENCES_PER_REVISION = 65_536

_SEQUENCE_DIGITS = 19  # of the largest bigint: string order is numeric order
# Sources that one process meets: partitions × consumers × generations; more would only cost parsing again.
_KNOWN_SOURCES = 4096
_LARGEST_SEQUENCE = 2**63 - 1  # of a bigint
# Anybody may write a source that looks like ours. A topic's name has at most 249 characters; the bound on partitions
# keeps the arrays of `stream_seen`, which have an element per partition, small.
_LONGEST_SOURCE = 400
_SOURCE = re.compile(re.escape(PREFIX) + r"([0-9]{1,9})/([A-Za-z0-9._-]+)/([A-Za-z0-9._-]+)/([0-9]{1,4})")


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


def parse_source(source: str) -> Origin | None:
    """Return the origin, or None when the source is not written by a stream: an edge, or somebody else's."""
    return None if len(source) > _LONGEST_SOURCE else _parse_short_source(source)


@lru_cache(maxsize=_KNOWN_SOURCES)
def _parse_short_source(source: str) -> Origin | None:
    found = _SOURCE.fullmatch(source)
    return None if found is None else Origin(int(found[1]), found[2], found[3], int(found[4]))


def parse_sequence(text: str) -> int | None:
    """Return the sequence, or None when it is no number that a bigint holds."""
    if not (len(text) <= _SEQUENCE_DIGITS and text.isascii() and text.isdecimal()):
        return None
    sequence = int(text)
    return sequence if sequence <= _LARGEST_SEQUENCE else None


def sequence_of(revision: int, index: int) -> int:
    """:raises ValueError: more events of one origin in one transaction than there are sequences."""
    if index >= SEQUENCES_PER_REVISION:
        raise ValueError(f"more than {SEQUENCES_PER_REVISION} events of one partition in one transaction")
    return revision * SEQUENCES_PER_REVISION + index


def revision_of(sequence: int) -> int:
    return sequence // SEQUENCES_PER_REVISION


def sequence_text(sequence: int) -> str:
    return f"{sequence:0{_SEQUENCE_DIGITS}d}"
