"""Ids that follow from their cause: a batch that is tried again, whole or in parts, names everything the same."""

from datetime import datetime
from uuid import UUID

import uuid_utils  # an eighth of the standard library's time, for one id per message

_COMMANDS = uuid_utils.UUID("6f1d3c52-8a53-5d0e-9c3f-4f0b8b1f7c11")  # drawn once: the name space of our commands
_VERSION_7 = 0x7
_VARIANT = 0b10  # RFC 9562 §4.1


def ticket_id(received_at: datetime, identity: bytes) -> UUID:
    """Return the id of the ticket that this message would open."""
    return _time_ordered(received_at, identity[:10])


def contact_id(received_at: datetime, identity: bytes) -> UUID:
    """Return the id of the contact that this message would make known.

    It comes from the whole message, not from the address: after an erasure nobody can confirm an address by its id.
    """
    return _time_ordered(received_at, identity[10:20])


def command_id(identity: str) -> str:
    """Return the id (a UUIDv5) of the one command that a message becomes."""
    return str(uuid_utils.uuid5(_COMMANDS, identity))


def _time_ordered(at: datetime, entropy: bytes) -> UUID:
    """Build a UUIDv7 (RFC 9562 §5.7) whose random part is taken from `entropy`, at least ten bytes."""
    milliseconds = max(0, int(at.timestamp() * 1000)) & ((1 << 48) - 1)
    random_bits = int.from_bytes(entropy, "big")
    first, last = random_bits >> 68, random_bits & ((1 << 62) - 1)  # 12 bits and 62 bits of the 80
    return UUID(int=milliseconds << 80 | _VERSION_7 << 76 | first << 64 | _VARIANT << 62 | last)
