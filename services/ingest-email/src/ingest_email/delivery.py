"""What one delivery to one mailbox is known by before the mail is read."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address that takes mail, and whose mail it is. `address` may be `*@example.com`: all of a domain."""

    address: str
    brand: str
    account: str
    source: str
    subaddress_separator: str = "+"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mailbox that a mail was accepted for. `received_at` is our clock when its last byte had come.

    `ticket_id` is of the ticket that the mail's address was made for, see `ticket_contracts.reply_addresses`; `note`
    is for the agent, about how the mail came.
    """

    mailbox: Mailbox
    message_id: UUID
    received_at: datetime
    ticket_id: UUID | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class EncodedMessage:
    """A message event's data, ready for Kafka, and the key of its conversation."""

    key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes that must be in object storage before the event is published."""

    media_type: str
    content: bytes
