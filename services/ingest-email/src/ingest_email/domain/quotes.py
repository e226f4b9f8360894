"""Separates what somebody writes from what he quotes. Nothing is lost: both parts together are the whole text."""

import re
from functools import cache

from mailparser_reply import EmailReplyParser

LANGUAGES = ("en", "zh", "ja", "de", "fr", "es", "it", "nl", "ko")
LONGEST = 64 * 1024
"""Characters; the library's expressions are far from linear, and nobody types a longer answer."""

_MAY_QUOTE = re.compile(
    r"^\s*>|写道|寫道|发件人|原始邮件|原始郵件|wrote:|-----|____|schrieb|écrit|escribi|差出人|^\s*\*?(?:From|Von|De|Da):",
    re.MULTILINE,
)


_CHINESE_HEADER = re.compile(
    r"^\s*-{2,}\s*(?:原始邮件|原始郵件|转发邮件|轉寄郵件)\s*-{2,}\s*$"  # QQ Mail, Foxmail
    r"|(?:写道|寫道)\s*[：:]\s*$"  # 163, Apple Mail: the library's own expression for it never matches (1.36)
    r"|^\s*At \d{4}-\d\d-\d\d.*wrote:\s*$"  # 163 in English
)


def may_quote(text: str) -> bool:
    """A cheap look for any sign of a quotation; without one there is nothing to separate."""
    return len(text) <= LONGEST and _MAY_QUOTE.search(text) is not None


def split_quote(text: str) -> tuple[str, str]:
    """Return (visible, quoted); quoted is empty when there is none, or when the answer stands below or within it."""
    lines = text.split("\n")
    headers = [at for at in (_header_line(text, lines), _chinese_header_line(lines)) if at is not None]
    at = min(headers, default=_trailing_quote_line(lines))
    visible, quoted = "\n".join(lines[:at]).rstrip(), "\n".join(lines[at:]).strip("\n")
    if not visible.strip() or not quoted.strip() or _answers_inside(lines[at:]):
        return text, ""
    return visible, quoted


def _header_line(text: str, lines: list[str]) -> int | None:
    """The line where the library's first quoted mail begins; the library strips each line, so we find it again."""
    replies = _parser().read(text).replies
    if len(replies) < 2 or not replies[1].headers:
        return None
    first = replies[1].headers.strip().split("\n")[0].strip()
    visible = [line for line in replies[0].content.split("\n") if line.strip()]
    seen = 0
    for number, line in enumerate(lines):
        stripped = line.strip()
        if seen == len(visible) and stripped == first:
            return number
        if stripped and seen < len(visible) and stripped == visible[seen].strip():
            seen += 1
    return None


def _chinese_header_line(lines: list[str]) -> int | None:
    return next((number for number, line in enumerate(lines) if _CHINESE_HEADER.search(line)), None)


def _trailing_quote_line(lines: list[str]) -> int:
    """The first line of the quotation that ends the text, or the number of lines when there is none."""
    at = len(lines)
    while at and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith(">")):
        at -= 1
    return at


def _answers_inside(quotation: list[str]) -> bool:
    """Whether, below the first `>` line, somebody writes again: such lines must stay in sight."""
    marked = [number for number, line in enumerate(quotation) if line.lstrip().startswith(">")]
    if not marked:
        return False
    return any(line.strip() and not line.lstrip().startswith(">") for line in quotation[marked[0] :])


@cache
def _parser() -> EmailReplyParser:
    return EmailReplyParser(languages=list(LANGUAGES))
