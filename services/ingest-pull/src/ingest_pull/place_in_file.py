"""Where reading of a file stands, and how a file is known again after it was rotated."""

import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

MARK_BYTES = 1024  # before the place; two files that agree in so much are the same, up to there


class Place(NamedTuple):
    """`offset` is the start of the next line. `mark` is the CRC-32 of what stands before it; 0 at the beginning.

    A renamed file keeps its inode; a copy, which copytruncate makes, has another but the same bytes before the place;
    a file that was emptied and filled again has the inode and other bytes. So both are kept, and the name only to read.
    """

    name: str
    inode: int
    offset: int = 0
    mark: int = 0

    def as_json(self) -> list[Any]:
        """A name that is no UTF-8 is written as it can be: files are found again by what they hold, not by name."""
        return [os.fsencode(self.name).decode(errors="backslashreplace"), *self[1:]]

    @classmethod
    def from_json(cls, value: list[Any]) -> "Place":
        return cls(str(value[0]), *map(int, value[1:]))

    def is_in(self, path: Path, found: os.stat_result) -> bool:
        """Whether this file is the one that was read up to here.

        :raises OSError: it cannot be read.
        """
        if found.st_size < self.offset:
            return False
        if self.offset == 0:
            return found.st_ino == self.inode
        with path.open("rb") as file:
            return mark_before(file.fileno(), self.offset) == self.mark


def mark_before(descriptor: int, offset: int) -> int:
    start = max(0, offset - MARK_BYTES)
    return zlib.crc32(os.pread(descriptor, offset - start, start))
