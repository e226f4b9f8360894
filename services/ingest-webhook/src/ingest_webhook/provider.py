"""What the edge and its providers say to each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from ingest_webhook.rejections import IgnoreReason
from ticket_intake.incoming import IncomingMessage


class WebhookRequest(Struct, frozen=True):
    """One request as it came; names of headers are lower-case, nothing is parsed. `received_at` is our clock.

    `method` is GET or POST; some providers ask by GET whether an address is ours.

    A Struct, like `IncomingMessage`: one of each is made per request, and a frozen dataclass costs ten times as much.
    """

    headers: Mapping[bytes, bytes]
    query: bytes
    body: bytes
    received_at: datetime
    method: str = "POST"

    def header(self, name: bytes) -> bytes:
        return self.headers.get(name, b"")


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


class Messages(Struct, frozen=True):
    """At least one message, in the order in which they were said."""

    messages: tuple[IncomingMessage, ...]
    answer: Answer | None = None


Reading: TypeAlias = Handshake | Ignored | Messages


def one_message(message: IncomingMessage, answer: Answer | None = None) -> Messages:
    return Messages((message,), answer)


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
