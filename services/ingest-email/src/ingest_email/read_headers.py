"""Reads a mail's header block: who, to whom, about what, in answer to what, and written by whom or what.

Values are kept as they are, their 8-bit bytes as surrogates. The standard library's newest policy would decode them,
but it raises on hostile input (facts: IndexError for `To: (c):`) and takes ten times as long.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TypeVar

from ingest_email.domain.addresses import party_of, read_parties, salvage_party, unknown_sender
from ingest_email.domain.header_text import decode_raw_bytes, readable, unfolded
from ingest_email.domain.message_ids import content_digest, invented_id, read_ids
from ingest_email.mime_tree import parameters_of
from ingest_email.reading_limits import ReadingLimits
from ticket_contracts.messages import Party

ReadT = TypeVar("ReadT")

_FIELD_NAME = re.compile(r"[!-9;-~]+[ \t]*")  # RFC 5322 §3.6.8; blanks before the colon are obsolete and occur


@dataclass(slots=True)
class MailHeaders:
    """Raw values by lower-case name, as the mail has them; `complete` is false when a limit cut them."""

    values: dict[str, list[str]]
    body: bytes
    complete: bool
    problems: list[str] = field(default_factory=list)
    body_charset: str | None = None
    fields: list[tuple[str, str]] = field(default_factory=list)
    """The same in the mail's order."""

    def raw(self, name: str) -> str:
        """Return the first value, "" when there is none."""
        return self.values.get(name, [""])[0]

    def readable_values(self, name: str) -> list[str]:
        return [readable(value, self.body_charset) for value in self.values.get(name, ())]

    def attempt(self, what: str, read: Callable[[], ReadT], otherwise: ReadT) -> ReadT:
        """Read one header. Whatever a library raises over it costs this header, never the mail."""
        try:
            return read()
        except Exception as error:  # noqa: BLE001 - hostile input finds exceptions that no documentation names
            self.problems.append(f"{what}: could not be read ({type(error).__name__})")
            return otherwise


@dataclass(frozen=True, slots=True)
class Summary:
    """What the headers say."""

    message_id: str
    provider_id: str
    digest: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sender: Party
    recipients: tuple[Party, ...]
    subject: str
    sent_at: datetime | None
    content_type: str
    report_type: str


def split_headers(raw: bytes, limits: ReadingLimits) -> MailHeaders:
    """Separate headers and body; never fails."""
    block, body = _split_at_blank_line(raw)
    complete = len(block) <= limits.header_bytes
    if not complete:
        block = block[: block.rfind(b"\n", 0, limits.header_bytes) + 1]
    fields = _fields_of(block)
    complete = complete and len(fields) <= limits.headers
    values: dict[str, list[str]] = {}
    for name, value in fields[: limits.headers]:
        values.setdefault(name, []).append(value[: limits.header_value])
    headers = MailHeaders(values, body, complete, fields=fields[: limits.headers])
    if not complete:
        headers.problems.append("headers: more or longer than are read")
    content_type = unfolded(headers.raw("content-type"))
    headers.body_charset = headers.attempt("Content-Type", lambda: parameters_of(content_type).get("charset"), None)
    return headers


def summarise(headers: MailHeaders, envelope_sender: str, limits: ReadingLimits) -> Summary:
    """Read the headers that a ticket needs; never fails."""
    values, charset = headers.values, headers.body_charset
    ids: list[str] = headers.attempt("Message-ID", lambda: read_ids(headers.raw("message-id")), [])
    digest = _digest(headers, envelope_sender, has_id=bool(ids))
    content_type = unfolded(headers.raw("content-type"))
    parameters: dict[str, str] = headers.attempt("Content-Type", lambda: parameters_of(content_type), {})
    is_report = content_type.lower().startswith("multipart/report")
    return Summary(
        message_id=ids[0] if ids else invented_id(digest),
        provider_id=readable(headers.raw("message-id")),
        digest=digest,
        in_reply_to=tuple(_all_ids(headers, "in-reply-to")),
        references=tuple(_all_ids(headers, "references")),
        sender=_sender(headers, envelope_sender, digest),
        recipients=tuple(
            headers.attempt(
                "To, Cc",
                lambda: read_parties(
                    [_repaired(value, charset) for name in ("to", "cc") for value in values.get(name, ())],
                    charset,
                    limits.recipients,
                ),
                [],
            )
        ),
        subject=headers.attempt("Subject", lambda: readable(headers.raw("subject"), charset), ""),
        sent_at=headers.attempt("Date", lambda: _sent_at(headers.raw("date")), None),
        content_type=content_type,
        report_type=parameters.get("report-type", "unspecified").lower() if is_report else "",
    )


def _digest(headers: MailHeaders, envelope_sender: str, *, has_id: bool) -> str:
    """What tells a repeat from another mail that looks alike.

    With neither id nor date only its way here can: a relay that tries again sends the same `Received`. A form that
    sends the same few words twice must not lose the second.
    """
    date = headers.raw("date")
    if not date and not has_id:
        date = "\n".join(headers.values.get("received", ()))
    return content_digest(headers.raw("from") or envelope_sender, date, headers.raw("subject"), headers.body)


def _fields_of(block: bytes) -> list[tuple[str, str]]:
    """The header fields in order, folded lines joined; a line that is none (mbox's `From `) is passed over."""
    fields: list[tuple[str, list[str]]] = []
    text = block.decode("ascii", "surrogateescape")
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):  # not at every separator of Unicode
        if line[:1] in (" ", "\t"):
            if fields:
                fields[-1][1].append(line)
            continue
        name, colon, value = line.partition(":")
        if colon and _FIELD_NAME.fullmatch(name):
            fields.append((name.rstrip().lower(), [value.lstrip(" \t")]))
    return [(name, "\n".join(lines)) for name, lines in fields]


def _split_at_blank_line(raw: bytes) -> tuple[bytes, bytes]:
    ends = [(at, at + len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := raw.find(mark)) >= 0]
    if raw[:2] == b"\r\n" or raw[:1] == b"\n":
        return b"", raw.lstrip(b"\r\n")
    if not ends:
        return raw, b""
    end, start = min(ends)
    return raw[:end], raw[start:]


def _all_ids(headers: MailHeaders, name: str) -> list[str]:
    return headers.attempt(
        name.title(), lambda: [found for value in headers.values.get(name, ()) for found in read_ids(value)], []
    )


def _sender(headers: MailHeaders, envelope_sender: str, digest: str) -> Party:
    """The author; without one the relay's word for it."""
    for name in ("from", "sender"):
        stated = [_repaired(value, headers.body_charset) for value in headers.values.get(name, ())]
        author = headers.attempt(name.title(), partial(_first_author, stated, headers.body_charset), None)
        if author is not None:
            return author
    headers.problems.append("From: names no address")
    return party_of(envelope_sender) or unknown_sender(digest)


def _first_author(stated: list[str], charset: str | None) -> Party | None:
    found = read_parties(stated, charset, most=1)
    return found[0] if found else next(filter(None, map(salvage_party, stated)), None)


def _repaired(value: str, charset: str | None) -> str:
    """The address parser works on characters, so raw bytes are decoded first and encoded words afterwards."""
    text = unfolded(value)
    return text if text.isascii() else decode_raw_bytes(text, charset)


def _sent_at(value: str) -> datetime | None:
    """What the sender's clock said; a date without an offset is taken as UTC (RFC 5322 §3.3: `-0000`)."""
    if not value.strip():
        return None
    stated = parsedate_to_datetime(unfolded(value))
    return stated.replace(tzinfo=UTC) if stated.tzinfo is None else stated.astimezone(UTC)
