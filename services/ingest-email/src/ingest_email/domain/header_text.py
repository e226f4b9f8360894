"""Header values as a person reads them: encoded words decoded, raw 8-bit repaired, nothing left that could inject."""

import binascii
import re
from email.errors import HeaderParseError
from email.header import decode_header

from ingest_email.domain.charsets import decode_text

_FOLD = re.compile(r"\r?\n[ \t]*|[\r\n]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters (an encoded word may carry them), line separators, lone surrogates; tab and newline stay."""
_SPACES = re.compile(r"[ \t\n\u00a0]+")


def readable(value: str, body_charset: str | None = None, longest: int = 1000) -> str:
    """Return one line of text from a raw header value whose 8-bit bytes are surrogates (`email`'s compat32 policy)."""
    text = unfolded(value)
    if not text.isascii():
        text = decode_raw_bytes(text, body_charset)
    if "=?" in text:
        text = _decode_words(text)
    return one_line(text)[:longest]


def unfolded(value: str) -> str:
    """A header's logical line (RFC 5322 §2.2.3)."""
    if "\n" not in value and "\r" not in value:  # most values; a look is a tenth of the expression's time
        return value.strip()
    return _FOLD.sub(" ", value).strip()


def one_line(text: str) -> str:
    if text.isprintable() and "  " not in text:  # printable: no control character, and no space but U+0020
        return text.strip()
    return _SPACES.sub(" ", _CONTROL.sub("", text.replace("\n", " "))).strip()


def clean(text: str) -> str:
    """Text of a body: line ends unified, without control characters, which JSON doubles and Postgres refuses (NUL)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return _CONTROL.sub("", text)


def decode_raw_bytes(text: str, body_charset: str | None) -> str:
    """Raw 8-bit bytes in a header have no label: UTF-8 when they are it, else the charset of the body, else a guess."""
    content = text.encode("utf-8", "surrogateescape")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return decode_text(content, body_charset).text


def _decode_words(text: str) -> str:
    """RFC 2047. Adjacent words of one charset are decoded together: senders split inside a character."""
    try:
        pieces = decode_header(text)
    except (HeaderParseError, binascii.Error, ValueError):
        return text
    decoded = []
    for piece, charset in pieces:
        if isinstance(piece, str):
            decoded.append(piece)
        elif charset is None:
            decoded.append(piece.decode("raw-unicode-escape", "replace"))  # how decode_header encodes what is no word
        else:
            decoded.append(decode_text(piece, charset.partition("*")[0]).text)  # RFC 2231 §5: `charset*language`
    return "".join(decoded)
