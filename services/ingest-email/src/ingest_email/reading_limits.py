"""How much of one mail is read. Beyond a limit the mail is still accepted: the rest stands in its raw copy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """Chosen from real mail (a newsletter: 60 headers, 12 parts, depth 4) with room of ten times and more."""

    header_bytes: int = 1024 * 1024  # Postfix stops at 100 KiB; a mail to thousands must not lose its subject
    header_value: int = 64 * 1024  # characters of one header
    headers: int = 1000
    parts: int = 500
    depth: int = 50
    attachments: int = 100
    recipients: int = 100
    seconds: float = 1.0  # of CPU, in all; the corpus stays below 0.05
    quote_seconds: float = 0.2  # of CPU, for telling answer and quotation apart
    calendar_seconds: float = 0.6  # of CPU; loading the library takes 0.2 of it, once
    rich_text_seconds: float = 0.4  # of CPU, for words out of Outlook's rich text; a megabyte of it needs about half


LIMITS = ReadingLimits()
