"""One message as a channel's module understood it."""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from ticket_contracts.messages import CallRecord, Delivery, RemoteFile
from ticket_contracts.vocabulary import Automation, Channel, MessageKind
from ticket_intake.message_data import Person


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that came inside the request."""

    name: str
    media_type: str
    content: bytes


class IncomingMessage(Struct, frozen=True):
    """One message as a provider module understood it.

    `provider_id` and `revision` are what make a repeat recognisable: the same message delivered again has the same,
    an edit of it has another revision. `conversation` is the key that all messages of one conversation share.
    """

    kind: MessageKind
    channel: Channel
    provider_id: str
    conversation: str
    sender: Person
    revision: str = ""
    recipients: tuple[Person, ...] = ()
    subject: str = ""
    text: str = ""
    sent_at: datetime | None = None
    files: tuple[IncomingFile, ...] = ()
    remote_files: tuple[RemoteFile, ...] = ()
    call: CallRecord | None = None
    reading_problems: tuple[str, ...] = ()
    may_auto_answer: bool = True
    """False where nobody has checked that the sender's address is the sender's: an acknowledgement would be spam."""
    automation: Automation = Automation.HUMAN
    delivery: Delivery | None = None
