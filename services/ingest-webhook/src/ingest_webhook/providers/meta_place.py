"""Where at Meta something is said, and how its people and messages are called there."""

from typing import Annotated

import msgspec
from msgspec import Meta

from ingest_webhook.providers.meta_webhook import MetaId
from ticket_contracts.vocabulary import IdentityKind
from ticket_intake.message_data import Person

# Instagram's `mid` has about 180 characters.
_MESSAGE_ID_LENGTH = 500

MessageId = Annotated[str, Meta(min_length=1, max_length=_MESSAGE_ID_LENGTH)]


class Place(msgspec.Struct, frozen=True):
    """Which platform, and which page or professional account of ours on it."""

    name: str
    identity: IdentityKind
    account: str
    documentation: str

    def person(self, scoped_id: str, name: str = "") -> Person:
        """Meta gives one person another id for each page or account."""
        return Person(kind=self.identity, value=f"{self.account}/{scoped_id}", name=name)


class Somebody(msgspec.Struct, frozen=True):
    id: MetaId
