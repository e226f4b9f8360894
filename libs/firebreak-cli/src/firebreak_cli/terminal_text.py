"""What strangers wrote, made safe to show: a subject or an error must not steer the reader's terminal."""

from rich.text import Text


def printable(text: str) -> str:
    r"""Return the text with everything that is no visible character or blank as an escape, such as `\x1b`."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def shortened(text: str, length: int) -> str:
    """Return at most `length` characters, the last one telling that there were more."""
    return text if len(text) <= length else text[: length - 1] + "…"


def plain(text: str, style: str = "") -> Text:
    """Return a stranger's text as rich shows it: no markup, no control characters."""
    return Text(printable(text), style=style)
