"""ISO-2022-JP as Japanese mail programs write it: with the vendor characters of code page 932.

Python's codecs stop at JIS X 0208 proper, and have no cp50221; NEC row 13 (①, ㈱, ℡) is common in real mail.
"""

import re

_ESCAPE = re.compile(rb"\x1b(\([BJI]|\$[@B]|\$\([DOPQ])")  # ISO 2022 designations that mail uses
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def decode_iso_2022_jp(content: bytes) -> str:
    """Decode through code page 932, character set by character set; what is in neither becomes U+FFFD."""
    pieces = []
    position, character_set = 0, b"(B"
    for escape in _ESCAPE.finditer(content):
        pieces.append(_decode_run(content[position : escape.start()], character_set))
        position, character_set = escape.end(), escape.group(1)
    pieces.append(_decode_run(content[position:], character_set))
    return "".join(pieces)


def _decode_run(run: bytes, character_set: bytes) -> str:
    if character_set in (b"$@", b"$B"):
        return "".join(_decode_double(line) for line in re.split(rb"([\r\n]+)", run))
    if character_set == b"(I":  # half-width katakana, shifted into seven bits
        return bytes(byte | 0x80 if byte > 0x20 else byte for byte in run).decode("cp932", "replace")
    if character_set in (b"(B", b"(J"):
        return run.decode("cp932", "replace")
    return (b"\x1b" + character_set + run).decode("iso2022_jp_ext", "replace")


def _decode_double(line: bytes) -> str:
    """Two bytes of JIS X 0208 (or of the rows vendors added) are one character of code page 932."""
    if line[:1] in (b"\r", b"\n"):
        return line.decode("ascii")
    pairs = (line[at : at + 2] for at in range(0, len(line), 2))
    return "".join(_shifted(pair).decode("cp932", "replace") if len(pair) == 2 else _REPLACEMENT for pair in pairs)


def _shifted(pair: bytes) -> bytes:
    """JIS to Shift JIS: two rows of 94 share a lead byte, the first from 0x40 (0x7F left out), the second from 0x9F."""
    row, cell = pair[0] - 0x21, pair[1] - 0x21
    if not (0 <= row < 94 and 0 <= cell < 94):
        return b"\xff"
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    if row % 2:
        return bytes((lead, cell + 0x9F))
    return bytes((lead, cell + 0x40 + (cell >= 0x3F)))
