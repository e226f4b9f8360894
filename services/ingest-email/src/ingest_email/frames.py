"""What a reading worker and the process that watches it say to each other over a pipe.

A frame is a JSON head and any number of byte strings. Not pickle: the worker has just read a stranger's mail, and
nothing it answers may run in the process that watches it.
"""

import asyncio
import json
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

_LENGTHS = struct.Struct("!II")  # of the head, and of all byte strings together


class Frame(NamedTuple):
    """`head` is any JSON object; `blobs` travel as they are."""

    head: dict[str, Any]
    blobs: Sequence[bytes]

    def pack(self) -> bytes:
        head = json.dumps({"head": self.head, "sizes": [len(blob) for blob in self.blobs]}).encode()
        return b"".join((_LENGTHS.pack(len(head), sum(map(len, self.blobs))), head, *self.blobs))


class BrokenFrame(Exception):
    """The other side ended within a frame, or wrote something else."""


async def receive(reader: asyncio.StreamReader) -> Frame:
    """Read one frame.

    :raises BrokenFrame: the pipe ended or holds something else.
    """
    try:
        head_size, blob_size = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        return _unpack(await reader.readexactly(head_size), await reader.readexactly(blob_size))
    except asyncio.IncompleteReadError as error:
        raise BrokenFrame("the pipe ended") from error


def receive_blocking(pipe: BinaryIO) -> Frame | None:
    """Read one frame, None at the end of the pipe."""
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_size, blob_size = _LENGTHS.unpack(lengths)
    return _unpack(pipe.read(head_size), pipe.read(blob_size))


def _unpack(head: bytes, content: bytes) -> Frame:
    try:
        outer = json.loads(head)
        sizes = outer["sizes"]
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenFrame("the head is not a frame's") from error
    if sum(sizes) != len(content):
        raise BrokenFrame("sizes do not add up")
    blobs, position = [], 0
    for size in sizes:
        blobs.append(content[position : position + size])
        position += size
    return Frame(outer["head"], blobs)
