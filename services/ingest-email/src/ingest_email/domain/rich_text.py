"""The words of rich text (RTF), also where it carries a page or a plain text of Outlook's (MS-OXRTFEX).

Such a carrier has each thing twice: the page's tags in groups that a reader of RTF passes over (`htmltag`), and what is
to be seen in their place. Words are all that is wanted here, so it is read as RTF, by striprtf. What that library does
not do is done before and after it: bytes that stand there as they are, characters of two bytes whose second one is an
ASCII letter or comes in the next line, and characters in two halves.
"""

import codecs
import re

from striprtf.striprtf import rtf_to_text

_CODE_PAGE = re.compile(rb"\\ansicpg(\d{1,5})")
_RAW = re.compile(rb"[\x80-\xff]")
_BROKEN_RUN = re.compile(rb"(\\'[0-9a-fA-F]{2})[\r\n]+(?=\\')")
_RUN = re.compile(rb"((?:\\'[0-9a-fA-F]{2})+)(.?)", re.DOTALL)  # matches wherever it begins: a long run is read once
_SECOND_HALF = re.compile(rb"[@-\[\]-z|~]")
_DOUBLE_BYTE = frozenset({932, 936, 949, 950, 1361})
"""Code pages of Windows with characters of two bytes; the second may be one of `@` to `~`."""


def words_of(rtf: bytes) -> str:
    """Return the words. What cannot be decoded becomes U+FFFD.

    :raises Exception: whatever the library trips over; it is a stranger's text, so bound the time of this, too.
    """
    stated = _CODE_PAGE.search(rtf)
    code_page = int(stated[1]) if stated else 1252
    written = _BROKEN_RUN.sub(rb"\1", _RAW.sub(lambda byte: b"\\'%02x" % byte[0][0], rtf))
    if code_page in _DOUBLE_BYTE:
        written = _RUN.sub(lambda run: _whole(run, f"cp{code_page}"), written)
    text: str = rtf_to_text(written.decode("ascii"), errors="replace")  # type: ignore[no-untyped-call]  # says py.typed
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole(run: re.Match[bytes], encoding: str) -> bytes:
    """Write the letter behind a run of bytes as one of them where it is the second half of a character."""
    if not _SECOND_HALF.fullmatch(run[2]):
        return run[0]
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    decoder.decode(bytes.fromhex(run[1].replace(b"\\'", b"").decode("ascii")))
    return run[1] + b"\\'%02x" % run[2][0] if decoder.getstate()[0] else run[0]
