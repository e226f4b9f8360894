"""Message-IDs: how mails of one conversation refer to each other (RFC 5322 §3.6.4), and which mails are the same."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ingest_email.domain.header_text import decode_raw_bytes, one_line, unfolded

LONGEST_ID = 200
"""Bytes, within the characters of `Conversation.key`; a longer one is replaced by its hash, here and wherever it is
referred to."""

MOST_REFERENCES = 100
"""A conversation's References grow by one with each mail; beyond this only the nearest and the very first count."""

_BRACKETED = re.compile(r"<([^<>]{1,2000})>")
_WHITESPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Thread:
    """How one mail stands in its conversation: its own id, what it refers to (strongest first), and the first mail."""

    message_id: str
    refers_to: tuple[str, ...]
    root: str


def read_ids(value: str) -> list[str]:
    """Return the ids of a header value in order; tolerates comments, missing brackets and ids folded in the middle."""
    line = unfolded(value)
    if not line.isascii():  # left out, the raw bytes of two ids would leave one and the same behind
        line = decode_raw_bytes(line, None)
    found = [_WHITESPACE.sub("", content) for content in _BRACKETED.findall(line)]
    if not found:
        found = [word.strip("<>,;") for word in line.split() if "@" in word]
    return [_bounded(f"<{name}>") for name in map(one_line, found) if name]


def place_in_thread(
    message_id: str, in_reply_to: Iterable[str], references: Iterable[str], returned: Iterable[str] = ()
) -> Thread:
    """Order what a mail refers to: the mail it returns (a bounce), then In-Reply-To, then References from the last."""
    chain = list(references)
    answered = list(in_reply_to)
    nearest = [*returned, *answered, *reversed(chain)]
    refers_to = [name for name in dict.fromkeys(nearest) if name != message_id]
    if len(refers_to) > MOST_REFERENCES:
        refers_to = [*refers_to[: MOST_REFERENCES - 1], refers_to[-1]]
    root = next(iter([*chain[:1], *answered[:1], *refers_to[:1]]), message_id)
    return Thread(message_id, tuple(refers_to), root)


def content_digest(sender: str, date: str, subject: str, body: bytes) -> str:
    """Return what two deliveries of one mail have in common, as raw values: trace headers differ between them."""
    digest = sha256()
    for value in (sender, date, subject):
        line = unfolded(value).encode("utf-8", "surrogateescape")
        digest.update(b"%d:%b" % (len(line), line))
    digest.update(body.rstrip(b"\r\n"))
    return digest.hexdigest()


def invented_id(digest: str) -> str:
    """A stable id for a mail that has none."""
    return f"<{digest}@no-message-id.invalid>"


def identity_of(account: str, message_id: str, digest: str) -> str:
    """Message-IDs are reused and forged, so the content counts as well."""
    return sha256(f"email\n{account}\n{message_id}\n{digest}".encode()).hexdigest()


def _bounded(name: str) -> str:
    encoded = name.encode()
    if len(encoded) <= LONGEST_ID:
        return name
    return f"<{sha256(encoded).hexdigest()}@long-message-id.invalid>"
