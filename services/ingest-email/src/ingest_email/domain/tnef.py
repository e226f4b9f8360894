"""Outlook's `winmail.dat`: the files and the text in it (MS-OXTNEF, MS-OXPROPS). Why by hand: docs/decisions/0028.

A stream is attributes, each with a level, a tag and a length; two of them hold lists of properties. Every number in it
is the sender's, so nothing is read past an end, nothing is repeated more often than there are bytes for it, and
messages within messages are bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest_email.domain.byte_reader import ByteReader, Truncated
from ingest_email.domain.charsets import decode_text
from ingest_email.domain.rtf_compression import decompressed

SIGNATURE = 0x223E9F78
DEEPEST = 5  # messages within messages; people forward a few times
MOST_FILES = 500  # more than are taken of a mail; each costs an object, and needs eleven bytes
MOST_PROPERTIES = 5000  # of one list; Outlook writes about a hundred

_ATTACHMENT_LEVEL = 2
_RENDERING, _TITLE, _DATA, _ATTACHMENT = 0x9002, 0x8010, 0x800F, 0x9005  # attAttachRenddata begins an attachment
_BODY, _PROPERTIES, _CODE_PAGE = 0x800C, 0x9003, 0x9007

_P_BODY, _P_RTF, _P_HTML, _P_HTML_CODE_PAGE = 0x1000, 0x1009, 0x1013, 0x3FDE
_P_DATA, _P_SHORT_NAME, _P_LONG_NAME, _P_DISPLAY_NAME = 0x3701, 0x3704, 0x3707, 0x3001
_P_MEDIA_TYPE, _P_CONTENT_ID = 0x370E, 0x3712

_MULTIPLE, _NAMED = 0x1000, 0x8000
_FIXED_SIZES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}  # padding included
_INTEGER, _OBJECT, _STRING_8, _UNICODE, _BINARY = 3, 0xD, 0x1E, 0x1F, 0x102
_EMBEDDED_MESSAGE = bytes.fromhex("0703020000000000c000000000000046")  # IID_IMessage, MS-OXTNEF §2.1.3.4.2
_LABELS = {65001: "utf-8", 20127: "us-ascii", 20866: "koi8-r", 21866: "koi8-u", 50220: "iso-2022-jp"} | {
    51932: "euc-jp",
    51949: "euc-kr",
    54936: "gb18030",
}


class NotTnef(Exception):
    """The bytes are no TNEF at all."""


@dataclass(slots=True)
class PackedFile:
    """An attachment. `name` is as stated."""

    name: str = ""
    media_type: str = ""
    content_id: str = ""
    content: bytes = b""


@dataclass(slots=True)
class PackedText:
    """Text as it stands there, and the name of its charset."""

    content: bytes = b""
    charset: str = "utf-8"


@dataclass(slots=True)
class Unpacked:
    """What was found; `complete` is false when the stream is damaged."""

    text: PackedText = field(default_factory=PackedText)
    page: PackedText = field(default_factory=PackedText)
    rtf: bytes = b""
    rtf_is_lost: bool = False
    files: list[PackedFile] = field(default_factory=list)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class _Property:
    tag: int
    kind: int
    value: bytes

    def text(self, charset: str) -> PackedText:
        if self.kind == _UNICODE:
            return PackedText(self.value.decode("utf-16-le", "replace").rstrip("\0").encode("utf-8", "replace"))
        return PackedText(self.value.rstrip(b"\0"), charset)

    def word(self) -> str:
        text = self.text("cp1252")
        return text.content.decode("utf-8", "replace")

    def number(self) -> int:
        return int.from_bytes(self.value[:4], "little")


def unpack(content: bytes, depth: int = 0) -> Unpacked:
    """Return what the stream holds, as far as it can be read.

    :raises NotTnef: it does not begin like one.
    """
    reader, found = ByteReader(content), Unpacked()
    try:
        if reader.u32() != SIGNATURE:
            raise NotTnef
        reader.skip(2)  # the legacy key
        charset = "windows-1252"
        while reader.left > 9:
            level, tag = reader.u8(), reader.u32() & 0xFFFF
            value = reader.take(reader.u32())
            reader.skip(2)  # a checksum; some writers leave it out, and what is damaged shows anyway
            if level == _ATTACHMENT_LEVEL:
                _read_attachment(tag, value, charset, found, depth)
            elif tag == _CODE_PAGE and len(value) >= 4:
                charset = _label(int.from_bytes(value[:4], "little"))
            elif tag == _BODY:
                found.text = PackedText(value.rstrip(b"\0"), charset)
            elif tag == _PROPERTIES:
                _read_message(value, charset, found)
    except Truncated as cut:
        if reader.at < 4:
            raise NotTnef from cut
        found.complete = False
    return found


def _read_message(value: bytes, charset: str, found: Unpacked) -> None:
    html_charset = charset
    for each in _properties(value):
        if each.tag == _P_HTML_CODE_PAGE and each.kind == _INTEGER:
            html_charset = _label(each.number())
            found.page.charset = html_charset
        elif each.tag == _P_BODY:
            found.text = each.text(charset)
        elif each.tag == _P_HTML:
            found.page = each.text(html_charset)
        elif each.tag == _P_RTF:
            found.rtf = decompressed(each.value)
            found.rtf_is_lost = not found.rtf


def _read_attachment(tag: int, value: bytes, charset: str, found: Unpacked, depth: int) -> None:
    if tag == _RENDERING or not found.files:
        if len(found.files) == MOST_FILES:
            raise Truncated(f"more than {MOST_FILES} files")
        found.files.append(PackedFile())
    file = found.files[-1]
    if tag == _TITLE and not file.name:
        file.name = _decoded(PackedText(value.rstrip(b"\0"), charset))
    elif tag == _DATA:
        file.content = value
    elif tag == _ATTACHMENT:
        _read_properties(value, charset, file, found, depth)


def _read_properties(value: bytes, charset: str, file: PackedFile, found: Unpacked, depth: int) -> None:
    names = {}
    for each in _properties(value):
        if each.tag in (_P_LONG_NAME, _P_SHORT_NAME, _P_DISPLAY_NAME):
            names[each.tag] = _decoded(each.text(charset))
        elif each.tag == _P_MEDIA_TYPE:
            file.media_type = each.word()
        elif each.tag == _P_CONTENT_ID:
            file.content_id = each.word().strip("<>")
        elif each.tag == _P_DATA and each.value.startswith(_EMBEDDED_MESSAGE):
            _read_embedded(each.value[len(_EMBEDDED_MESSAGE) :], file, found, depth)
        elif each.tag == _P_DATA:
            file.content = (
                each.value[16:] if each.kind == _OBJECT else each.value
            )  # an object's interface id goes first
    file.name = names.get(_P_LONG_NAME) or file.name or names.get(_P_SHORT_NAME) or names.get(_P_DISPLAY_NAME, "")


def _read_embedded(stream: bytes, file: PackedFile, found: Unpacked, depth: int) -> None:
    """A forwarded message: its text becomes the file, its own files follow."""
    if depth >= DEEPEST:
        file.media_type, file.content = "application/ms-tnef", stream
        return
    try:
        inner = unpack(stream, depth + 1)
    except NotTnef:
        file.content, found.complete = stream, False
        return
    text = inner.page if inner.page.content else inner.text
    file.media_type = "text/html" if text is inner.page else "text/plain"
    file.content = text.content
    if not text.content and inner.rtf:
        file.media_type, file.content = "application/rtf", inner.rtf
    if not file.content:  # an object of Outlook's own, such as a list of contacts
        file.media_type, file.content = "application/ms-tnef", stream
    found.files.extend(inner.files)
    found.complete = found.complete and inner.complete


def _properties(value: bytes) -> Iterator[_Property]:
    """The properties of a list; what is behind a damaged one is lost.

    :raises Truncated: the list ends before it should.
    """
    reader = ByteReader(value)
    for _ in range(min(reader.u32(), MOST_PROPERTIES)):
        kind, tag = reader.u16(), reader.u16()
        if tag >= _NAMED:
            _skip_name(reader)
        yield from (_Property(tag, kind & ~_MULTIPLE, single) for single in _values(reader, kind))


def _skip_name(reader: ByteReader) -> None:
    reader.skip(16)
    if reader.u32() == 0:
        reader.skip(4)
    else:
        reader.skip(_padded(reader.u32()))


def _values(reader: ByteReader, kind: int) -> Iterator[bytes]:
    plain = kind & ~_MULTIPLE
    if plain in (_OBJECT, _STRING_8, _UNICODE, _BINARY):
        for _ in range(min(reader.u32(), MOST_PROPERTIES)):
            size = reader.u32()
            yield reader.take(size)
            reader.skip(min(_padded(size) - size, reader.left))
    elif plain in _FIXED_SIZES:
        for _ in range(min(reader.u32(), MOST_PROPERTIES) if kind & _MULTIPLE else 1):
            yield reader.take(_FIXED_SIZES[plain])
    elif plain not in (0, 1):  # unspecified and null have no value
        raise Truncated(f"a property of unknown kind {plain:#x}")


def _padded(size: int) -> int:
    return (size + 3) // 4 * 4


def _label(code_page: int) -> str:
    """The name of a Windows code page as mail knows it."""
    if 28591 <= code_page <= 28605:
        return f"iso-8859-{code_page - 28590}"
    return _LABELS.get(code_page, f"windows-{code_page}")


def _decoded(text: PackedText) -> str:
    return decode_text(text.content, text.charset).text
