"""Separates what somebody writes from his signature and what he quotes; both parts together are the whole text."""

import re
from functools import cache

from mailparser_reply import EmailReplyParser

from ingest_email.domain.quotation_headers import header_line, may_hold_header

LANGUAGES = ("en", "zh", "ja", "de", "fr", "es", "it", "nl", "ko")
LONGEST = 64 * 1024
"""Characters; the library's expressions are far from linear, and nobody types a longer answer."""

LONGEST_SIGNATURE = 12
"""Lines; RFC 3676 recommends four. What stands below `--` at greater length may be what somebody wants to say."""

_SIGNATURE = re.compile(
    r"^--[ \t]*$"  # RFC 3676 §4.3; many programs lose the blank
    r"|^[ \t]*(?:Sent from my [\w ]{1,30}|Get Outlook for \w.{0,60})[ \t]*$"
    r"|^[ \t]*(?:发自我的|發自我的|发送自)[ \t]?\w.{0,20}$"
)
_SIGNS_OF_SIGNATURE = ("\n--", "\nSent from my ", "\nGet Outlook ", "发自我的", "發自我的", "发送自")
"""What has none of them has no signature; a look for each costs a hundredth of the expression."""
# No `\s`, which takes line ends as well: each of a thousand blank lines would search all others.
_MAY_QUOTE = re.compile(
    r"^[ \t]*>|写道|寫道|[发發寄]件[人者]|原始邮件|原始郵件|原邮件|wrote:|-----|____|schrieb|écrit|escribi|差出人"
    r"|^[ \t]*\*?(?:From|Von|De|Da):",
    re.MULTILINE,
)
_CHINESE_HEADER = re.compile(
    # QQ Mail, Foxmail, Outlook; 网易邮箱大师
    r"^\s*-{2,}\s*(?:原始邮件|原始郵件|转发邮件|轉寄郵件|邮件原件|回复的原邮件|转发的邮件)\s*-{2,}\s*$"
    r"|(?:写道|寫道)\s*[：:]\s*$"  # 163, Apple Mail: the library's own expression for it never matches (1.36)
    r"|^\s*At \d{4}-\d\d-\d\d.*wrote:\s*$"  # 163 in English
)
# Outlook, 阿里邮箱: the quoted mail's headers. The library knows simplified ones with a narrow colon only.
_CHINESE_FROM = re.compile(r"^[\s*]*[发發寄]件[人者][\s*]*[：:]")
_CHINESE_NEXT = re.compile(r"^[\s*]*(?:[发發]送(?:时间|時間|日期)|寄件日期|日期|收件[人者]|主\s*[题題旨])[\s*]*[：:]")
# The library takes two lines as "From: here", "To: there" for a header, and "On Sunday we wrote:" as well.
_WRITTEN_BY_PROGRAMS = re.compile(r"@\w|\d[:.h]\d\d|\d{4}|^\s*-{5}")
_RULE = re.compile(r"^\s*[-_]{5,}\s*$")  # drawn above such headers


def may_quote(text: str) -> bool:
    """A cheap look for any sign of a quotation or a signature; without one there is nothing to separate."""
    if len(text) > LONGEST:
        return False
    if any(sign in text for sign in _SIGNS_OF_SIGNATURE) or may_hold_header(text):
        return True
    return _MAY_QUOTE.search(text) is not None


def split_quote(text: str) -> tuple[str, str]:
    """Return (visible, the rest); the rest is the signature and what is quoted below it.

    It has no quotation when the answer stands below or within that.
    """
    lines = text.split("\n")
    at = _signature_line(lines, _quotation_line(text, lines))
    visible, quoted = "\n".join(lines[:at]).rstrip(), "\n".join(lines[at:]).strip("\n")
    if not visible.strip() or not quoted.strip():
        return text, ""
    return visible, quoted


def _quotation_line(text: str, lines: list[str]) -> int:
    """The line where the quotation begins that ends the text, or the number of lines when there is none."""
    found = [header_line(lines), _chinese_header_line(lines)]
    if _MAY_QUOTE.search(text):
        found.append(_library_header_line(text, lines))
    at = min((at for at in found if at is not None), default=_trailing_quote_line(lines))
    return len(lines) if _answers_inside(lines[at:]) else _above_rule(lines, at)


def _library_header_line(text: str, lines: list[str]) -> int | None:
    """The line where the library's first quoted mail begins; the library strips each line, so we find it again."""
    replies = _parser().read(text).replies
    if len(replies) < 2 or not _WRITTEN_BY_PROGRAMS.search(replies[1].headers or ""):
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
    return next((number for number, line in enumerate(lines) if _begins_chinese_quotation(line, lines, number)), None)


def _begins_chinese_quotation(line: str, lines: list[str], number: int) -> bool:
    if _CHINESE_FROM.match(line):
        return any(map(_CHINESE_NEXT.match, lines[number + 1 : number + 4]))
    return _CHINESE_HEADER.search(line) is not None


def _above_rule(lines: list[str], at: int) -> int:
    """Return the line drawn above the quotation, where there is one."""
    above = at
    while above and not lines[above - 1].strip():
        above -= 1
    return above - 1 if at < len(lines) and above and _RULE.match(lines[above - 1]) else at


def _signature_line(lines: list[str], end: int) -> int:
    """Return the line where a signature begins that ends above `end`, else `end`."""
    while end and not lines[end - 1].strip():
        end -= 1
    first = max(0, end - LONGEST_SIGNATURE - 1)
    found = [number for number in range(first, end) if _SIGNATURE.match(lines[number])]
    begins = max((number for number in found if lines[number].startswith("--") or number == end - 1), default=None)
    return end if begins is None else begins


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
