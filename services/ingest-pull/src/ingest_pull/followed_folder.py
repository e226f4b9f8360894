"""The files of a folder as they grow: whole lines, once each, through both ways of rotation.

`look` finds the files, `read` takes the next lines of one. Both block and belong into a thread.
"""

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal, NamedTuple

import structlog

from ingest_pull.place_in_file import Place, mark_before

PAGE_BYTES = 256 * 1024  # of one read: some thousand lines, a fraction of a second of work
LONGEST_LINE = 1024 * 1024  # a longer one is no record; it is passed over
LONGEST_QUOTED = 64 * 1024  # of a record over several lines; more is a quotation mark that nothing closes

Begin = Literal["start", "end"]

log = structlog.get_logger("files")


class Line(NamedTuple):
    """`number` is the offset of its first byte, for who looks for it; `content` has no line break."""

    number: int
    content: bytes


class Waiting(NamedTuple):
    """A file and how many bytes of it were not read yet."""

    place: Place
    bytes: int


class Page(NamedTuple):
    """`header` is the first line of the file, which names the columns where the format has such a line."""

    place: Place
    header: bytes
    lines: list[Line]


class FollowedFolder:
    """`begin` says what becomes of files that are there when nothing was ever read: `end` skips what they hold."""

    def __init__(
        self,
        folder: Path,
        pattern: str,
        begin: Begin,
        *,
        last_line_after_seconds: float | None = None,
        quoted: bool = False,
    ) -> None:
        """Nothing is touched yet.

        :param last_line_after_seconds: take a last line without its break once the file is unchanged for so long.
        :param quoted: a line break between two quotation marks is part of the record, as in CSV.
        """
        self._folder = folder
        self._pattern = pattern
        self._begin = begin
        self._last_line_after = last_line_after_seconds
        self._quoted = quoted

    @property
    def path(self) -> Path:
        return self._folder

    @property
    def wanted(self) -> str:
        """Which files these are, for a person."""
        return str(self._folder / self._pattern)

    def newest(self) -> Place | None:
        """Return the beginning of the file that changed last; None: there is none.

        :raises OSError: the folder cannot be read.
        """
        named = {name: found for name, found in self._files().items() if fnmatch(name, self._pattern)}
        if not named:
            return None
        name = max(named, key=lambda each: (named[each].st_mtime_ns, each))
        return Place(name, named[name].st_ino)

    def line_at(self, name: str, offset: int) -> int:
        """Return the number of the line that begins at an offset, counted from 1.

        :raises OSError:
        """
        with (self._folder / name).open("rb") as file:
            return file.read(offset).count(b"\n") + 1

    def look(self, known: Sequence[Place] | None) -> list[Waiting]:
        """Return all files that are followed, the oldest change first; None: this is the first look ever.

        A file that matches the pattern is followed from its start, and for as long as it stays in the folder, under
        whatever name. What was emptied before it could be read is lost: it is logged, and reading goes on.

        :raises OSError: the folder cannot be read.
        """
        files = self._files()
        found = [self._found_again(place, files) for place in known or ()]
        waiting = [item for item in found if item is not None]
        skip = known is None and self._begin == "end"
        waiting += [self._newcomer(name, files[name], skip=skip) for name in files if fnmatch(name, self._pattern)]
        return [item for _, item in sorted((self._changed(item.place.name), item) for item in waiting)]

    def read(self, place: Place, now: float) -> Page:
        """Return whole lines from the place on, one page at most.

        None when it is another file by now, or was emptied and filled again: the next look tells what is what.

        :param now: Unix seconds, to tell how long the file has been left alone.
        :raises OSError:
        """
        with (self._folder / place.name).open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_ino != place.inode or not _is_read_to(file.fileno(), place):
                return Page(place, b"", [])
            header = file.readline(LONGEST_LINE)
            file.seek(place.offset)
            content = file.read(PAGE_BYTES)
            if b"\n" not in content and len(content) == PAGE_BYTES:
                content += file.read(LONGEST_LINE)
            is_left_alone = self._last_line_after is not None and now - status.st_mtime > self._last_line_after
            at_end = place.offset + len(content) >= status.st_size
            lines, used = _split(content, place.offset, takes_rest=is_left_alone and at_end)
            if self._quoted:
                fills_page = len(content) >= PAGE_BYTES  # and what does not end in a page will not end in the next read
                lines, used = _joined(lines, place.offset, used, is_last=is_left_alone and at_end, at_once=fills_page)
            lines = [line for line in lines if line.content.strip()]
            offset = place.offset + used
            moved = place._replace(offset=offset, mark=mark_before(file.fileno(), offset)) if used else place
        return Page(moved, header, lines)

    def _files(self) -> dict[str, os.stat_result]:
        with os.scandir(self._folder) as entries:
            return {entry.name: entry.stat() for entry in entries if entry.is_file()}

    def _found_again(self, place: Place, files: dict[str, os.stat_result]) -> Waiting | None:
        """Find the file, take it out of `files`, and give it its present name."""
        same_inode = (name for name, found in files.items() if found.st_ino == place.inode)
        copies = (name for name, found in files.items() if found.st_ino != place.inode and place.offset > 0)
        for name in (*same_inode, *copies):
            if self._is_same(place, name, files[name]):
                found = files.pop(name)
                return Waiting(place._replace(name=name, inode=found.st_ino), found.st_size - place.offset)
        log.info("a followed file is gone", file=place.name, read_to=place.offset)
        return None

    def _is_same(self, place: Place, name: str, found: os.stat_result) -> bool:
        try:
            return place.is_in(self._folder / name, found)
        except (PermissionError, FileNotFoundError):  # somebody else's file, or rotated since the look
            return False

    def _newcomer(self, name: str, found: os.stat_result, *, skip: bool) -> Waiting:
        place = Place(name, found.st_ino)
        if not skip:
            return Waiting(place, found.st_size)
        with (self._folder / name).open("rb") as file:
            end = _last_line_end(file.fileno(), found.st_size)
            return Waiting(place._replace(offset=end, mark=mark_before(file.fileno(), end)), found.st_size - end)

    def _changed(self, name: str) -> tuple[int, str]:
        try:
            return (os.stat(self._folder / name).st_mtime_ns, name)
        except FileNotFoundError:  # rotated since the look: the next one finds it
            return (0, name)


def _split(content: bytes, start: int, *, takes_rest: bool) -> tuple[list[Line], int]:
    """Cut into lines, and say how many bytes they are."""
    whole, line_break, rest = content.rpartition(b"\n")
    used = len(whole) + len(line_break)
    if rest and takes_rest:
        whole, used = content, len(content)
    elif len(rest) > LONGEST_LINE:
        log.warning("a line is too long to be a record and is passed over", offset=start + used)
        return list(_lines(whole.split(b"\n"), start)) if line_break else [], len(content)
    return list(_lines(whole.split(b"\n"), start)) if used else [], used


def _joined(lines: list[Line], start: int, used: int, *, is_last: bool, at_once: bool) -> tuple[list[Line], int]:
    """Put records together that go over several lines; one whose end is not there yet is left for the next read.

    :param at_once: a first record that does not end here is taken line by line, or nothing behind it would be read.
    """
    records: list[Line] = []
    open_lines: list[Line] = []
    marks = size = 0  # of the open lines: counted as they come, for a stranger may write ten thousands of them
    for line in lines:
        open_lines.append(line)
        marks += line.content.count(b'"')
        size += len(line.content) + 1
        if marks % 2 == 0:
            records.append(Line(open_lines[0].number, b"\n".join(part.content for part in open_lines)))
        elif size > LONGEST_QUOTED:
            records += open_lines  # what is wrong in them is told line by line
        else:
            continue
        open_lines, marks, size = [], 0, 0
    if open_lines and not is_last and (records or not at_once):
        return records, open_lines[0].number - start
    return records + open_lines, used


def _is_read_to(descriptor: int, place: Place) -> bool:
    return os.fstat(descriptor).st_size >= place.offset and mark_before(descriptor, place.offset) == place.mark


def _lines(parts: Iterable[bytes], start: int) -> Iterable[Line]:
    for part in parts:
        yield Line(start, part.removesuffix(b"\r"))
        start += len(part) + 1


def _last_line_end(descriptor: int, size: int) -> int:
    start = max(0, size - LONGEST_LINE)
    return start + os.pread(descriptor, size - start, start).rfind(b"\n") + 1
