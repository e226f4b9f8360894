"""Addresses that lead back to one ticket: `support+t-<ticket><seal>@example.com`.

Whoever answers a mail of ours writes to it, and a mail program that loses `In-Reply-To` and `References` cannot lose
its recipient. A ticket's number is easy to guess, so the address is sealed: nobody else can make one.
"""

import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

SEAL_BYTES = 10
"""80 bits: 2^80 guesses cannot be mailed. With ticket id and mark it makes 44 of the 64 characters of a local part."""

_MARK = "t-"
_TICKET_CHARACTERS, _SEAL_CHARACTERS = 26, 16  # base 32 of 16 and 10 bytes, without padding
TOKEN = re.compile(rf"[-+=_.#]{_MARK}([a-z2-7]{{{_TICKET_CHARACTERS + _SEAL_CHARACTERS}}})@", re.IGNORECASE | re.ASCII)
"""Base 32, because mail servers on the way may change the case of a local part."""


def reply_address(mailbox: str, brand: str, ticket_id: UUID, secret: bytes, separator: str = "+") -> str:
    """Return the address of a mailbox that leads to the ticket; `separator` is the mailbox's for subaddresses."""
    local, _, domain = mailbox.rpartition("@")
    token = _encode(ticket_id.bytes) + _encode(_seal(brand, ticket_id, secret))
    return f"{local}{separator}{_MARK}{token}@{domain}"


def ticket_of(text: str, brand: str, secrets: Iterable[bytes]) -> UUID | None:
    """Return the ticket of the first address in a text that one of the secrets sealed for this brand."""
    candidates = [(_ticket(token), token[_TICKET_CHARACTERS:].lower()) for token in TOKEN.findall(text)]
    for secret in secrets:
        for ticket_id, seal in candidates:
            if hmac.compare_digest(_encode(_seal(brand, ticket_id, secret)), seal):
                return ticket_id
    return None


def _ticket(token: str) -> UUID:
    return UUID(bytes=b32decode(token[:_TICKET_CHARACTERS].upper() + "======"))


def _seal(brand: str, ticket_id: UUID, secret: bytes) -> bytes:
    return hmac.digest(secret, ticket_id.bytes + brand.encode(), sha256)[:SEAL_BYTES]


def _encode(content: bytes) -> str:
    return b32encode(content).decode().rstrip("=").lower()
