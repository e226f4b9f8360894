"""A look at the newest of the files that a source follows: read and understood, and nothing of it kept."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from ingest_pull.domain.asterisk_cdr import RowUnreadable
from ingest_pull.domain.csv_mapping import MappingWrong
from ingest_pull.domain.line_text import read_text
from ingest_pull.followed_folder import FollowedFolder, Line, Page
from ingest_pull.line_reader import LineReader, Pending, TextLine
from ticket_intake.source_checks import Attempt, failed, not_tried, passed

MOST_BYTES = 8 * 1024 * 1024
"""Of the file's beginning: some ten thousand lines, a second of work."""


class _Found(NamedTuple):
    """What was understood; `refused` and `first` are the lines that were not, the first one's place and reason."""

    records: int
    refused: int
    first: str
    is_whole: bool


async def try_files(folder: FollowedFolder, reader: LineReader, encoding: str, now: Callable[[], datetime]) -> Attempt:
    """Read the newest file from its beginning, wherever the source's cursor is."""
    return await asyncio.to_thread(_try, folder, reader, encoding, now)


def _try(folder: FollowedFolder, reader: LineReader, encoding: str, now: Callable[[], datetime]) -> Attempt:
    what = f"the newest of {folder.wanted}"
    try:
        newest = folder.newest()
        if newest is None:
            return not_tried(what, "there is no such file: correct `folder` or `files`, or wait for the first record")
        what = f"{newest.name} in {folder.path}"
        found = _understood(folder, _pages(folder, now().timestamp()), reader, encoding)
    except MappingWrong as error:
        return failed(what, str(error), "correct the columns of the mapping file, or its delimiter")
    except OSError as error:
        return failed(what, error.strerror or type(error).__name__, "let the user of ingest-pull read folder and file")
    answer = f"records: {found.records}" + ("" if found.is_whole else f" in the first {MOST_BYTES // 1024 // 1024} MiB")
    if found.refused:
        advice = "correct the source's options or what writes the file; such lines are passed over and counted"
        return failed(what, f"{answer}; refused: {found.refused}, the first: {found.first}", advice)
    if not found.records:
        return not_tried(what, "the file has no record yet: wait for the first one")
    return passed(what, answer)


def _pages(folder: FollowedFolder, now: float) -> Iterator[Page]:
    place = folder.newest()
    while place is not None and place.offset < MOST_BYTES:
        page = folder.read(place, now)
        if page.place == place:
            return
        yield page
        place = page.place


def _understood(folder: FollowedFolder, pages: Iterator[Page], reader: LineReader, encoding: str) -> _Found:
    records, refused, first, read_to = 0, 0, "", 0
    pending: Pending = {}
    for page in pages:
        header = read_text(page.header, encoding)
        read_to = page.place.offset
        for line in page.lines:
            try:
                reader.read(_text(line, header, encoding), pending)
            except RowUnreadable as error:
                refused += 1
                first = first or f"line {folder.line_at(page.place.name, line.number)} {error}"
            else:
                records += 0 if reader.has_header and not line.number else 1
        pending.clear()
    return _Found(records, refused, first, read_to < MOST_BYTES)


def _text(line: Line, header: str, encoding: str) -> TextLine:
    return TextLine(read_text(line.content, encoding), header if line.number else "")
