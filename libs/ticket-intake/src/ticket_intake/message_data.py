"""The data of `MessageReceived` as this edge writes it, a mirror of the contract that costs a tenth of the model.

The contract stays `ticket_contracts.messages.MessageReceived`; a test holds both to the same bytes. Nothing is
validated here: the providers' models did that, and what they let through fits the contract.
"""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from ticket_contracts.contract import Contract
from ticket_contracts.messages import Attachment, Authentication, CallRecord, Delivery, RemoteFile, StoredObject
from ticket_contracts.vocabulary import Automation, Channel, IdentityKind, MessageKind


class Person(msgspec.Struct, frozen=True):
    """`Party` of the contract."""

    kind: IdentityKind
    value: str
    name: str = ""


class ConversationData(msgspec.Struct, frozen=True):
    """`Conversation` of the contract."""

    key: str
    refers_to: tuple[str, ...] = ()
    ticket_id: str | UnsetType = UNSET


class MessageData(msgspec.Struct, frozen=True, kw_only=True):
    """`MessageReceived` of the contract, its fields in the same order; what is UNSET is not written."""

    message_id: str
    identity: str
    kind: MessageKind
    channel: Channel
    source: str
    brand: str
    account: str
    provider_id: str
    conversation: ConversationData
    sender: Person
    recipients: tuple[Person, ...] = ()
    subject: str = ""
    text: str = ""
    quoted_text: str = ""
    text_object: StoredObject | UnsetType = UNSET
    html: StoredObject | UnsetType = UNSET
    raw: StoredObject | UnsetType = UNSET
    attachments: tuple[Attachment, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    received_at: datetime
    sent_at: datetime | UnsetType = UNSET
    time_trusted: bool = False
    automation: Automation = Automation.HUMAN
    may_auto_answer: bool = True
    authentication: Authentication | UnsetType = UNSET
    call: CallRecord | UnsetType = UNSET
    reading_problems: tuple[str, ...] = ()
    delivery: Delivery | UnsetType = UNSET

    def encode(self) -> bytes:
        """Return what `MessageReceived.encode` would."""
        return _ENCODER.encode(self)


def _encode_contract(value: object) -> msgspec.Raw:
    """Write the rarer parts, which are the contract's own models."""
    if not isinstance(value, Contract):
        raise TypeError(f"{type(value).__name__} is no part of a message")
    return msgspec.Raw(value.model_dump_json(exclude_none=True).encode())


_ENCODER = msgspec.json.Encoder(enc_hook=_encode_contract)
