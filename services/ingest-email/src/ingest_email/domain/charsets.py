"""From bytes to text: which codec a charset label really means, and what to do when the label lies.

Labels are chosen by the sender, so only codecs that decode text are reachable (`hex`, `zlib` or `unicode_escape` are
codecs too). Several labels are read as the larger set that senders mean by them, as browsers do:
https://encoding.spec.whatwg.org/#names-and-labels
"""

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

from ingest_email.domain.iso_2022_jp import decode_iso_2022_jp

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_LABEL = re.compile(r"[a-z0-9][a-z0-9._:+-]{0,39}")  # IANA: a label has at most 40 characters
_LARGER_SET = {  # by Python's canonical codec name; tried in order
    "ascii": ("utf-8", "cp1252"),
    "big5": ("cp950", "big5hkscs"),
    "big5hkscs": ("big5hkscs", "cp950"),
    "euc_kr": ("cp949",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "iso2022_jp": ("iso2022_jp", "iso2022_jp_ext"),
    "iso8859-1": ("cp1252", "iso8859-1"),
    "iso8859-9": ("cp1254", "iso8859-9"),
    "iso8859-11": ("cp874", "iso8859-11"),
    "johab": ("johab", "cp949"),
    "shift_jis": ("cp932", "shift_jis_2004"),
}
# fmt: off - one word a line would take a page
_AS_LABELLED = frozenset(
    (
        "big5hkscs",
        "cp1006",
        "cp1026",
        "cp1125",
        "cp1140",
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "cp1258",
        "cp437",
        "cp737",
        "cp775",
        "cp850",
        "cp852",
        "cp855",
        "cp857",
        "cp858",
        "cp860",
        "cp861",
        "cp862",
        "cp863",
        "cp864",
        "cp865",
        "cp866",
        "cp869",
        "cp874",
        "cp932",
        "cp949",
        "cp950",
        "euc_jis_2004",
        "euc_jisx0213",
        "euc_jp",
        "gb18030",
        "hz",
        "iso2022_jp_1",
        "iso2022_jp_2",
        "iso2022_jp_2004",
        "iso2022_jp_3",
        "iso2022_jp_ext",
        "iso2022_kr",
        "iso8859-10",
        "iso8859-13",
        "iso8859-14",
        "iso8859-15",
        "iso8859-16",
        "iso8859-2",
        "iso8859-3",
        "iso8859-4",
        "iso8859-5",
        "iso8859-6",
        "iso8859-7",
        "iso8859-8",
        "koi8-r",
        "koi8-t",
        "koi8-u",
        "kz1048",
        "mac-cyrillic",
        "mac-greek",
        "mac-iceland",
        "mac-latin2",
        "mac-roman",
        "mac-turkish",
        "ptcp154",
        "shift_jis_2004",
        "shift_jisx0213",
        "tis-620",
        "utf-16",
        "utf-16-be",
        "utf-16-le",
        "utf-32",
        "utf-32-be",
        "utf-32-le",
        "utf-7",
        "utf-8",
        "utf-8-sig",
    )
)
# fmt: on
_ALIASES = {  # labels seen in mail that Python has no name for
    "cp-850": "cp850",
    "gb-2312": "gb2312",
    "gb_2312-80": "gb2312",
    "iso-8859-6-i": "iso8859-6",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "ks_c_5601-1987": "euc_kr",
    "unicode-1-1-utf-7": "utf-7",
    "utf": "utf-8",
    "windows-874": "cp874",
    "windows-932": "cp932",
    "windows-936": "gbk",
    "windows-949": "cp949",
    "windows-950": "big5",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gbk",
    "x-mac-roman": "mac-roman",
    "x-sjis": "shift_jis",
    "x-windows-949": "cp949",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text and, when the label could not simply be followed, what was done instead."""

    text: str
    problem: str | None = None


def decode_text(content: bytes, label: str | None) -> Decoded:
    """Decode bytes as what their label means; never fails, and says when something had to be guessed."""
    if label is None and content.isascii():
        return Decoded(content.decode("ascii"))
    names = codecs_of(label or "")
    for name in names:
        text = _strictly(content, name)
        if text is not None:
            return Decoded(text)
    if not names:
        text, guess = guess_text(content)
        problem = f"charset {label[:40]!r} is unknown, read as {guess}" if label else None
        return Decoded(text, problem)
    return _decode_mislabelled(content, names[0])


@lru_cache(maxsize=512)  # senders use few labels; codec look-up by name is slow for unknown ones
def codecs_of(label: str) -> tuple[str, ...]:
    """Return the codecs to try for a label, none when it is unknown or no text encoding."""
    found = _LABEL.search(label.lower().strip(" \t\\\"'"))  # `"utf-8; format=flowed"` names UTF-8
    if found is None or found.start() != 0:
        return ()
    name = _ALIASES.get(found.group(), found.group())
    try:
        canonical = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ()
    if canonical in _LARGER_SET:
        return _LARGER_SET[canonical]
    return (canonical,) if canonical in _AS_LABELLED else ()


def guess_text(content: bytes) -> tuple[str, str]:
    """Decode bytes that nobody labelled: UTF-8, else Chinese when all high bytes are GB 2312 pairs, else Latin.

    The strict GB 2312 test matters: nearly any Latin text with accents decodes as GB 18030, to nonsense.
    """
    for test, codec in (("utf-8", "utf-8"), ("gb2312", "gb18030"), ("cp1252", "cp1252")):
        if _strictly(content, test) is not None:
            return content.decode(codec), codec
    return content.decode("iso8859-1"), "iso-8859-1"


def _decode_mislabelled(content: bytes, codec: str) -> Decoded:
    if codec.startswith("iso2022_jp"):
        text = decode_iso_2022_jp(content)
        problem = f"some characters are not {codec}" if REPLACEMENT in text else None
        return Decoded(text, problem)
    if not codec.startswith("utf-8") and (as_utf_8 := _strictly(content, "utf-8")) is not None:
        return Decoded(as_utf_8, f"text is labelled {codec} but is utf-8")
    if codec.startswith("utf-8") and not _has_utf_8_sequences(content):
        text, guess = guess_text(content)
        return Decoded(text, f"text is labelled {codec} but is not, read as {guess}")
    return Decoded(content.decode(codec, "replace"), f"some characters are not {codec}")


def _has_utf_8_sequences(content: bytes) -> bool:
    """Whether some of it is UTF-8 beyond ASCII: then a few bytes are damaged, else the label is wrong."""
    return any(ord(character) > 127 for character in content.decode("utf-8", "ignore"))


def _strictly(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except (UnicodeError, ValueError):
        return None
