"""Outlook's compressed RTF (MS-OXRTFCP): the text of a message that was written in no other form.

Own code beside a library of that name: it believes no length, and takes what is whole of what is cut off.
"""

from ingest_email.domain.byte_reader import ByteReader, Truncated

LARGEST = 1024 * 1024
"""Bytes of RTF. It is undone byte by byte, so a megabyte takes about half a second; texts have some kilobytes."""

_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D  # "LZFu", "MELA"
_START = (  # §2.1.2: what the dictionary holds before the first byte
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS"
    b" Sans SerifSymbolArialTimes New"
    b" RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u"
    b"\\tab\\tx"
)
_SIZE = 4096


def decompressed(stream: bytes) -> bytes:
    """Return the RTF, as far as it can be had; empty when it is too large or something else."""
    reader = ByteReader(stream)
    try:
        reader.skip(4)
        size, form = reader.u32(), reader.u32()
        reader.skip(4)  # a checksum
        if size > LARGEST or form not in (_COMPRESSED, _PLAIN):
            return b""
        return reader.take(min(size, reader.left)) if form == _PLAIN else _inflated(reader, size)
    except Truncated:
        return b""


def _inflated(reader: ByteReader, size: int) -> bytes:
    window = bytearray(_START.ljust(_SIZE, b"\0"))
    write = len(_START)
    output = bytearray()
    while reader.left and len(output) < size:
        flags = reader.u8()
        for bit in range(8):
            if not flags >> bit & 1:
                if not reader.left:
                    break
                at, length = write, 1
                window[write] = reader.u8()
            else:
                if reader.left < 2:
                    break
                reference = reader.u8() << 8 | reader.u8()
                at, length = reference >> 4, (reference & 15) + 2
                if at == write:  # to itself: the end
                    return bytes(output[:size])
            for step in range(length):  # one by one, for a reference may reach into what it writes
                value = window[(at + step) % _SIZE]
                output.append(value)
                window[write] = value
                write = (write + 1) % _SIZE
    return bytes(output[:size])
