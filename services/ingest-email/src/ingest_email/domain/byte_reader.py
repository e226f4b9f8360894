"""Reads little-endian numbers and blocks out of bytes that a stranger wrote, and never past their end."""

from struct import Struct

_U16, _U32 = Struct("<H"), Struct("<I")


class Truncated(Exception):
    """The bytes end before what they announce."""


class ByteReader:
    """A place in some bytes; each call moves it on."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self._content = memoryview(content)  # blocks are views: nested lengths must not copy megabytes each time
        self.at = at

    @property
    def left(self) -> int:
        return len(self._content) - self.at

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        number: int = _U16.unpack(self.take(2))[0]
        return number

    def u32(self) -> int:
        number: int = _U32.unpack(self.take(4))[0]
        return number

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        :raises Truncated: there are fewer.
        """
        return bytes(self._view(size))

    def skip(self, size: int) -> None:
        self._view(size)

    def _view(self, size: int) -> memoryview:
        if size > self.left:
            raise Truncated(f"{size} bytes announced, {self.left} left")
        view = self._content[self.at : self.at + size]
        self.at += size
        return view
