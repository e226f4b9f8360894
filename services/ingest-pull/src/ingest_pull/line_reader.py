"""What the lines of a file mean: one reader for each kind of files."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from ingest_pull.domain.call_so_far import CallSoFar
from ticket_intake.incoming import IncomingMessage

Pending: TypeAlias = dict[str, CallSoFar]
"""Calls by id that are not complete yet. They stand in the cursor: a restart loses no leg."""


class TextLine(NamedTuple):
    """`header` is the first line of the file, where formats name their columns; empty for that line itself."""

    text: str
    header: str


class LineReader(Protocol):
    """What the lines of one kind of files mean."""

    has_header: bool
    """Whether a file's first line names its columns and is no record."""

    def read(self, line: TextLine, pending: Pending) -> IncomingMessage | None:
        """Understand a line: a message, or one more part of what is pending.

        :raises RowUnreadable:
        """
        ...

    async def finish(self, pending: Pending) -> Sequence[IncomingMessage]:
        """Take out of `pending` what is complete."""
        ...
