"""Bytes of a log as text: UTF-8, or the Chinese code page that older systems write."""

import codecs

from ticket_intake.clean_text import clean_text

AUTO = "auto"
# A superset of GBK and GB2312: what either wrote, it reads.
CHINESE = "gb18030"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_text(content: bytes, encoding: str = AUTO) -> str:
    """Decode one line. `auto` tries UTF-8, which refuses nearly all other text, and takes GB18030 for the rest."""
    content = content.removeprefix(_BYTE_ORDER_MARK)
    if encoding != AUTO:
        return clean_text(content.decode(encoding, "replace"))
    try:
        return clean_text(content.decode())
    except UnicodeDecodeError:
        return clean_text(content.decode(CHINESE, "replace"))


def known_encoding(name: str) -> str:
    """Check an option.

    :raises ValueError: no codec of text has this name, or one whose line breaks are not single bytes.
    """
    if name == AUTO:
        return name
    try:
        if "\n".encode(codecs.lookup(name).name) != b"\n":
            raise ValueError("must write a line break as one byte (not UTF-16): save the file as UTF-8")
    except LookupError as error:
        raise ValueError("is no encoding, e.g. auto, utf-8, gbk, gb18030 or big5") from error
    return CHINESE if codecs.lookup(name).name in {"gbk", "gb2312"} else name
