"""What the edge and its providers say to each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

from ingest_webhook.message_data import Person
from ingest_webhook.rejections import IgnoreReason
from ticket_contracts.messages import CallRecord, RemoteFile
from ticket_contracts.vocabulary import Channel, MessageKind


class WebhookRequest(NamedTuple):
    """One request as it came; names of headers are lower-case, nothing is parsed. `received_at` is our clock.

    `method` is GET or POST; some providers ask by GET whether an address is ours.

    A tuple, like `IncomingMessage`: one of each is made per request, and a frozen dataclass costs five times as much.
    """

    headers: Mapping[bytes, bytes]
    query: bytes
    body: bytes
    received_at: datetime
    method: str = "POST"

    def header(self, name: bytes) -> bytes:
        return self.headers.get(name, b"")


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that came inside the request."""

    name: str
    media_type: str
    content: bytes


class IncomingMessage(NamedTuple):
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


class Answer(NamedTuple):
    """What a provider must read in our 200 to count a delivery as done; most read nothing and need none."""

    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Handshake(Answer):
    """The provider asks whether this address is ours; it expects exactly this answer."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood and deliberately not a message: acknowledged, counted, nothing published."""

    reason: IgnoreReason
    answer: Answer | None = None


class Messages(NamedTuple):
    """At least one message, in the order in which they were said."""

    messages: tuple[IncomingMessage, ...]
    answer: Answer | None = None


Reading: TypeAlias = Handshake | Ignored | Messages


class Provider(Protocol):
    """One source's way of speaking, built once from its options and active secrets. Both functions are pure."""

    @property
    def time_trusted(self) -> bool:
        """Whether `sent_at` may count for the SLA."""
        ...

    @property
    def methods(self) -> Sequence[str]:
        """HTTP methods this provider uses; any other gets 405."""
        ...

    @property
    def challenge(self) -> str | None:
        """What a 401 says in `WWW-Authenticate` where the provider uses HTTP authentication."""
        ...

    def verify(self, request: WebhookRequest) -> None:
        """Check the raw request against each active secret.

        :raises SignatureInvalid: or SignatureStale.
        """
        ...

    def read(self, request: WebhookRequest) -> Reading:
        """Understand a verified request.

        :raises Undecodable: it names the field that is wrong.
        """
        ...
