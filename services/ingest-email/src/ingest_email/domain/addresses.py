"""Addresses in headers: whom a mail says it is from and to."""

import re
from email.utils import getaddresses

from ingest_email.domain.header_text import one_line, readable
from ticket_contracts.messages import Party
from ticket_contracts.vocabulary import IdentityKind

LONGEST_NAME = 200  # as Party.name and Party.value
MOST_BYTES = 32 * 1024
"""Of a header with addresses; what is behind is left out. A mail to 8,000 people is read in milliseconds with it."""

LONGEST_USUAL = 300
"""Characters; the expression below looks twice at each blank."""

_USUAL = re.compile(r"\s*(?:\"?([\w .=?/+-]*?)\"?\s*<)?([\w.+-]+@[\w.-]+)>?\s*")
_LOCAL = r"[^\s@<>(),;:\"\\\[\]]"
_ADDRESS = re.compile(rf"(?<!{_LOCAL}){_LOCAL}+@[^\s@<>(),;:\"\\]+")
"""One that can be answered. Quoted local parts and comments are where parsers disagree (CVE-2023-27043).

It is looked for where a word begins: begun anew at each of 60,000 characters without an `@`, a search took seconds.
"""


def read_parties(values: list[str], body_charset: str | None, most: int) -> list[Party]:
    """Return the people a header names, in order, each address once; what is not an address is left out."""
    found: dict[str, Party] = {}
    for name, address in (pair for value in values for pair in _pairs(_bounded(value))):
        party = party_of(address, readable(name, body_charset, LONGEST_NAME))
        if party is not None:
            found.setdefault(party.value, party)
        if len(found) == most:
            break
    return list(found.values())


def _pairs(value: str) -> list[tuple[str, str]]:
    """Names and addresses of a header. The usual `Name <address>` needs no parser, which takes ten times as long."""
    usual = _USUAL.fullmatch(value) if len(value) <= LONGEST_USUAL else None
    if usual is not None:
        return [(usual.group(1) or "", usual.group(2))]
    return getaddresses([value])


def salvage_party(value: str) -> Party | None:
    """Return the first address in a value that follows no syntax, such as `Ann ann@example.org`."""
    found = _ADDRESS.search(_bounded(value))
    return party_of(found.group()) if found else None


def party_of(address: str, name: str = "") -> Party | None:
    """Return the contact behind an address, None when it is not one."""
    value = one_line(address).lower()
    if len(value) > LONGEST_NAME or _ADDRESS.fullmatch(value) is None:
        return None
    return Party(kind=IdentityKind.EMAIL, value=value, name=name)


def unknown_sender(digest: str) -> Party:
    """Nobody we could name. One address per mail: strangers must not become one contact."""
    return Party(kind=IdentityKind.EMAIL, value=f"{digest[:32]}@unknown-sender.invalid")


def _bounded(value: str) -> str:
    """Cut between addresses, and put encoded words aside from the address syntax that they may contain."""
    if len(value) <= MOST_BYTES:
        return value
    comma = value.rfind(",", 0, MOST_BYTES)
    return value[: comma if comma >= 0 else MOST_BYTES]
