"""Which of our mails a report is about: a bounce (RFC 3464), a read receipt (RFC 8098), or a bounce in no format."""

import re
from collections.abc import Callable

from ingest_email.domain.message_ids import read_ids

_LARGEST = 64 * 1024  # of a report's own fields, or of the text that is searched

_OWN_FIELD = re.compile(r"^(?:X-)?Original-Message-ID:(.*(?:\r?\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)
_QUOTED_FIELD = re.compile(r"^[>\s|]{0,8}Message-ID:[ \t]*(.{0,400})", re.IGNORECASE | re.MULTILINE)

STATUS_TYPES = ("message/delivery-status", "message/disposition-notification", "message/global-delivery-status")
RETURNED_TYPES = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


def ids_in_returned(header: Callable[[str], str]) -> list[str]:
    """Return the id of the mail that came back, then what it answers, the nearest first.

    A CRM sends what agents write, under ids that nobody told us: then only what they answer leads to the ticket.
    """
    own, answered, chain = (read_ids(header(name)) for name in ("message-id", "in-reply-to", "references"))
    return [*own, *answered, *reversed(chain)]


def ids_in_status(content: bytes) -> list[str]:
    """Return what the fields of a report name: `Original-Message-ID` of a receipt, Exchange's `X-` form in a bounce."""
    fields = content[:_LARGEST].decode("utf-8", "replace")
    return [name for value in _OWN_FIELD.findall(fields) for name in read_ids(value)]


def ids_in_text(text: str) -> list[str]:
    """Return the ids of the mail that a bounce without parts quotes below its words (qmail, Exim)."""
    return [name for value in _QUOTED_FIELD.findall(text[:_LARGEST]) for name in read_ids(value)]
