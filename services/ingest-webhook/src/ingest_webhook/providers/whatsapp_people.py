"""Who is on the other end at WhatsApp: of a message that came, and of one of ours whose fate is told."""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ticket_contracts.vocabulary import IdentityKind
from ticket_intake.clean_text import one_line
from ticket_intake.message_data import Person

NAME_LENGTH = 200
# E.164: at most fifteen digits. WhatsApp writes them without the plus sign.
_NUMBER = re.compile(r"[1-9][0-9]{4,14}")

MessageId = Annotated[str, Meta(min_length=1, max_length=300)]
"""`wamid.…` has sixty to a hundred characters."""
UserId = Annotated[str, Meta(min_length=1, max_length=132)]
"""A number, or a country code, a full stop and up to 128 letters and digits."""
Seconds = Annotated[int, Meta(ge=0, le=9_999_999_999)]
"""Until 2286; with more digits it is another unit."""


class Profile(msgspec.Struct, frozen=True):
    name: str | None = None
    username: str | None = None


class Contact(msgspec.Struct, frozen=True):
    wa_id: UserId | None = None
    user_id: UserId | None = None
    profile: Profile = Profile()


def contact_of(contacts: Sequence[Contact], number: str | None, user_id: str | None) -> Contact:
    """Contacts stand beside the messages, without a word on which belongs to which but their ids."""
    for contact in contacts:
        by_number = contact.wa_id is not None and contact.wa_id == number
        if by_number or (contact.user_id is not None and contact.user_id == user_id):
            return contact
    return Contact()


def person_of(contact: Contact, number: str | None, user_id: str | None) -> Person | None:
    """Return the person by telephone number, where that is told, else by the id that Meta gives."""
    name = one_line(contact.profile.name or contact.profile.username or "", NAME_LENGTH)
    if number and _NUMBER.fullmatch(number):
        return Person(kind=IdentityKind.PHONE, value=f"+{number}", name=name)
    named = user_id or contact.user_id or number
    return Person(kind=IdentityKind.WHATSAPP, value=named, name=name) if named else None
