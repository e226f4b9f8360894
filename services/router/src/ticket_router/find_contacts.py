"""Finds the people who wrote, and makes known those who write for the first time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ticket_contracts.messages import MessageReceived
from ticket_contracts.vocabulary import IdentityKind
from ticket_router.domain import identifiers
from ticket_router.domain.conversations import Arrival
from ticket_store.tables import contacts
from ticket_stream.processing import Connection

ContactKey = tuple[str, str, str]
"""Brand, kind and value of an identity."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as far as routing needs one."""

    contact_id: UUID
    name: str


def contact_key(message: MessageReceived) -> ContactKey:
    """Return the sender's identity. Mail addresses are compared without case, as people write them."""
    sender = message.sender
    value = sender.value.strip().lower() if sender.kind is IdentityKind.EMAIL else sender.value
    return message.brand, sender.kind, value


async def find_contacts(
    connection: Connection, arrivals: Iterable[Arrival], now: datetime
) -> dict[ContactKey, Contact]:
    """Return the contact of every sender. Two routers that meet a person at the same time agree on one contact."""
    first_of: dict[ContactKey, Arrival] = {}
    for arrival in arrivals:
        first_of.setdefault(contact_key(arrival.message), arrival)
    found = await _find(connection, list(first_of))
    while missing := sorted(first_of.keys() - found.keys()):
        found |= await _create(connection, [(key, first_of[key]) for key in missing], now)
        # Who is still missing was made known by somebody else meanwhile: seen only by a new statement.
        found |= await _find(connection, [key for key in missing if key not in found])
    return found


async def _find(connection: Connection, keys: Sequence[ContactKey]) -> dict[ContactKey, Contact]:
    if not keys:
        return {}
    rows = await connection.fetch(contacts.FIND, *_columns(keys))
    return {(row["brand"], row["kind"], row["value"]): Contact(row["contact_id"], row["name"]) for row in rows}


async def _create(
    connection: Connection, missing: Sequence[tuple[ContactKey, Arrival]], now: datetime
) -> dict[ContactKey, Contact]:
    if not missing:
        return {}
    new = {
        key: Contact(identifiers.contact_id(arrival.message.received_at, arrival.identity), arrival.message.sender.name)
        for key, arrival in missing
    }
    ids, names = [contact.contact_id for contact in new.values()], [contact.name for contact in new.values()]
    rows = await connection.fetch(contacts.CREATE, *_columns(list(new)), ids, names, now)
    created = {row["contact_id"] for row in rows}
    return {key: contact for key, contact in new.items() if contact.contact_id in created}


def _columns(keys: Sequence[ContactKey]) -> tuple[list[str], list[str], list[str]]:
    return [key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys]
