"""The file of `firebreak import`: one ticket a line, read twice, never held as a whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import UUID, uuid5

from pydantic import JsonValue, TypeAdapter, ValidationError

from ticket_contracts.commands import Actor
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_contracts.upkeep import ImportTicket, imported_ticket_id
from ticket_contracts.vocabulary import ActorKind

IMPORTER = Actor(kind=ActorKind.MACHINE, id="import")
NUL = rb"\u0000"  # as JSON writes it
MOST_PROBLEMS = 20  # lines named; the same mistake usually stands in every line
MOST_LINE_BYTES = 8 * MAX_EVENT_BYTES  # JSON may write one byte of a ticket as six, and put spaces between


class LineRefused(ValueError):
    """A line is no ticket; the message names its number, the field and what is wrong."""


@dataclass(frozen=True)
class Line:
    """A ticket and the number of its line, from 1."""

    number: int
    command: ImportTicket

    @cached_property
    def command_id(self) -> str:
        """The id of its command, worked out once: it is asked for before and after sending."""
        return str(import_id(self.command))


def import_id(command: ImportTicket) -> UUID:
    """Return the id of the command: the same whenever the line is sent, another when it was corrected."""
    return uuid5(command.ticket_id, f"import {command.fingerprint().hex()}")


@contextmanager
def readable_twice(file: Path) -> Iterator[BinaryIO]:
    """Open the file; what flows by only once, as a pipe does, is kept on disk meanwhile.

    :raises LineRefused: it cannot be read.
    """
    with _reading():
        source = file.open("rb")
    with source, TemporaryFile() as copy:
        if source.seekable():
            yield source
            return
        with _reading():
            shutil.copyfileobj(source, copy)
        yield copy


@contextmanager
def _reading() -> Iterator[None]:
    """:raises LineRefused: the operating system does not let us read."""
    try:
        yield
    except OSError as error:
        raise LineRefused(f"not readable: {error.strerror}; name a file that your account may read") from error


def count_tickets(source: BinaryIO) -> int:
    """Check every line and return how many tickets they are.

    :raises LineRefused: at least one line is none; nothing is to be sent then.
    """
    problems: list[str] = []
    total = unnamed = 0
    for found in _parsed(source):
        if isinstance(found, Line):
            total += 1
        elif len(problems) < MOST_PROBLEMS:
            problems.append(found)
        else:
            unnamed += 1
    if not total and not problems:
        problems.append("no ticket is in it; write one a line")
    if problems:
        raise LineRefused("; ".join(problems) + (f" … and {unnamed} more" if unnamed else ""))
    return total


def read_tickets(source: BinaryIO) -> Iterator[Line]:
    """Return the tickets of a file that was checked.

    :raises LineRefused: it was written to since.
    """
    for found in _parsed(source):
        if not isinstance(found, Line):
            raise LineRefused(f"the file changed while it was read: {found}; import it again when it is complete")
        yield found


def _parsed(source: BinaryIO) -> Iterator[Line | str]:
    """Return each ticket, and each problem of a line."""
    for number, line in enumerate(_lines(source), start=1):
        if line.strip():
            try:
                yield Line(number, _command(line))
            except ValidationError as error:
                yield from (f"line {number}: {problem}" for problem in _explain(error))
            except ValueError as error:
                yield f"line {number}: {error}"


def _lines(source: BinaryIO) -> Iterator[str]:
    """:raises LineRefused: what follows cannot be read as text."""
    with _reading():
        source.seek(0)
    for number, line in enumerate(iter(partial(_read_line, source), b""), start=1):
        if len(line) == MOST_LINE_BYTES and not line.endswith(b"\n"):
            raise LineRefused(f"line {number}: it is longer than {MOST_LINE_BYTES} bytes; write one ticket a line")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            where = f"line {number}: its byte {error.start + 1}"
            raise LineRefused(f"{where} is no UTF-8; save the file as UTF-8") from None


def _read_line(source: BinaryIO) -> bytes:
    with _reading():
        return source.readline(MOST_LINE_BYTES)


def _command(line: str) -> ImportTicket:
    """:raises ValueError: it is no ticket, or one that is too long."""
    content = TypeAdapter(dict[str, JsonValue]).validate_json(line)
    ticket_id = imported_ticket_id(str(content.get("origin")), str(content.get("external_id")))
    command = ImportTicket.model_validate({**content, "ticket_id": ticket_id, "actor": IMPORTER})
    encoded = command.encode()
    if NUL in encoded:
        raise ValueError("it holds the character U+0000, which cannot be stored; remove it")
    if len(encoded) > MAX_EVENT_BYTES:
        raise ValueError(f"the ticket has {len(encoded)} bytes, at most {MAX_EVENT_BYTES} fit; shorten its messages")
    return command


def _explain(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_url=False, include_input=False):
        if detail["type"] == "json_invalid" or not detail["loc"]:
            yield f"it is no JSON object; write one ticket in braces ({detail['msg']})"
        else:
            yield f"{'.'.join(map(str, detail['loc']))}: {detail['msg'].removeprefix('Value error, ')}"
