"""HTML of strangers: a copy that is safe to show, and the words in it."""

import html
import re
from collections.abc import Callable
from functools import cache
from itertools import zip_longest
from urllib.parse import unquote

import nh3

from ingest_email.cpu_limit import raises_in_vain
from ingest_email.domain.header_text import clean
from ingest_email.domain.picture_places import PicturePlaces

LARGEST = 2 * 1024 * 1024
"""Bytes; a larger page is kept as an attachment. Real newsletters stay below 200 KB."""

MOST_TAGS = 5000
"""Below it no nesting can take long (measured: 5,000 nested tags 0.1 s, 100,000 half a minute)."""

DEEPEST = 5000

# fmt: off - one word a line would take a page
_TAGS = frozenset(
    (
        "a",
        "abbr",
        "address",
        "b",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    )
)
# fmt: on
_ATTRIBUTES = {
    "*": {"align", "dir", "lang", "title", "valign"},
    "a": {"href"},
    "col": {"span", "width"},
    "font": {"color"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": {"colspan", "rowspan", "width"},
    "th": {"colspan", "rowspan", "width"},
}
_SCHEMES = {"http", "https", "mailto", "cid"}
_SILENT = {"script", "style", "title", "template", "noscript", "iframe", "svg", "math", "object"}  # content is no text
_BREAKING = {"p", "div", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "dt", "dd", "hr", "pre"}
_TAG = re.compile(rb"</?[a-zA-Z]")
_TAG_OF_LINES = re.compile(r"(<[^>]*>)")  # what `_text_cleaner` leaves has no attributes
_BREAKS = {mark for name in (*_BREAKING, "br", "blockquote") for mark in (f"<{name}>", f"</{name}>")} | {"<li>"}
_SPACES = re.compile(r"[ \t\r\n\f]+")
_PICTURE = re.compile(r'<img [^>]*?src="cid:([^"]*)"')
LONGEST_PICTURE_ID = 200

MOST_SOURCES = 2000
"""Of pictures that are looked for by their place in one page; a mail has at most 500 parts."""

_BLANK_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


def is_too_complicated(page: bytes) -> bool:
    """Whether reading it could take seconds: very long, or nested so deep that the parser's work grows as a square."""
    if len(page) > LARGEST:
        return True
    return page.count(b"<") > MOST_TAGS and _depth(page) > DEEPEST


def _depth(page: bytes) -> int:
    """How many tags are open at most, void and unclosed ones counted as well."""
    deepest = depth = 0
    for tag in _TAG.finditer(page):
        depth += -1 if tag.group().startswith(b"</") else 1
        deepest = max(deepest, depth)
    return deepest


def sanitised(page: str, places: PicturePlaces | None = None) -> str:
    """Return the page with allowed tags only, and no picture from elsewhere: loading it would tell who reads.

    :param places: pictures of the same mail that the page may call by their place.
    """
    cleaner = _new_display_cleaner(places) if places is not None and places.ids else _display_cleaner()
    return cleaner.clean(page)


def pictures_in(shown: str) -> set[str]:
    """Return the Content-IDs of the pictures that a sanitised page shows in place."""
    return {html.unescape(stated) for stated in _PICTURE.findall(shown)}


def words_of(page: str) -> str:
    """Return the text of a page, its paragraphs as lines and its quotations marked `> ` as in plain mail."""
    lines: list[str] = [""]
    quoted = 0
    verbatim = False
    pieces = _TAG_OF_LINES.split(_text_cleaner().clean(page))
    for words, tag in zip_longest(pieces[::2], pieces[1::2], fillvalue=""):
        if words:
            plain = html.unescape(words) if "&" in words else words
            _append(lines, quoted, plain.split("\n") if verbatim else [_SPACES.sub(" ", plain)])
        if tag in _BREAKS:
            if tag in ("<pre>", "</pre>"):
                verbatim = tag == "<pre>"
            elif tag in ("<blockquote>", "</blockquote>"):
                quoted = max(0, quoted + (1 if tag == "<blockquote>" else -1))
            lines.append("> " * quoted)
            if tag == "</p>":
                lines.append("> " * quoted)
            elif tag == "<li>":
                lines[-1] += "- "
        elif tag in ("</td>", "</th>"):
            lines[-1] += " "
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def _append(lines: list[str], quoted: int, pieces: list[str]) -> None:
    first, *rest = pieces
    lines[-1] += first if lines[-1].strip("> ") else first.lstrip(" ")
    lines.extend("> " * quoted + piece for piece in rest)


@cache
def _display_cleaner() -> nh3.Cleaner:
    return _new_display_cleaner(PicturePlaces())


def _new_display_cleaner(places: PicturePlaces) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(_TAGS),
        clean_content_tags=set(_SILENT),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute_filter(places),
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


def _attribute_filter(places: PicturePlaces) -> Callable[[str, str, str], str | None]:
    found: dict[str, str | None] = {}

    @raises_in_vain
    def keep(tag: str, attribute: str, value: str) -> str | None:
        if tag != "img" or attribute != "src":
            return value
        if value[:4].lower() == "cid:":
            # RFC 2392: a Content-ID, percent-encoded; decoded it is what the attachment is called by.
            return f"cid:{clean(unquote(value[4:]))[:LONGEST_PICTURE_ID]}"
        if places.ids and value not in found and len(found) < MOST_SOURCES:
            found[value] = places.picture_at(value)
        inline_id = found.get(value)
        return None if inline_id is None else f"cid:{inline_id}"

    return keep


@cache
def _text_cleaner() -> nh3.Cleaner:
    """Well-formed output with the few tags that make lines, bare, so that the splitting above may be simple."""
    tags = _BREAKING | {"br", "blockquote", "li", "td", "th"}
    return nh3.Cleaner(tags=tags, clean_content_tags=set(_SILENT), attributes={"*": set()}, link_rel=None)
