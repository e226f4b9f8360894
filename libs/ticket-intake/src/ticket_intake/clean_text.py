"""Text of strangers, made safe to store: Postgres refuses NUL, UTF-8 refuses lone surrogates (facts §5, Poison)."""

import re

REPLACEMENT = "\ufffd"

# Control characters other than tab, line feed and carriage return carry no meaning in a message and break terminals.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Return the same text without control characters, lone surrogates replaced. Already clean text is not copied."""
    if text.isprintable():  # one pass in C, true of nearly every field
        return text
    return _SURROGATE.sub(REPLACEMENT, _CONTROL.sub("", text))


def one_line(text: str, limit: int) -> str:
    """Return the first line that says something, for subjects and names, cut at `limit` characters."""
    # Nothing that breaks a line is printable.
    line = text if text.isprintable() else next((line for line in text.splitlines() if line.strip()), "")
    return shorten(" ".join(line.split()), limit)


def shorten(text: str, limit: int) -> str:
    """Cut at `limit` characters and show that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def unescape(text: str) -> str:
    """Undo the three escapes that Slack and X put into people's words; they know no others."""
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
