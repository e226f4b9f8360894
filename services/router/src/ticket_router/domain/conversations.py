"""Which ticket a message belongs to: the first of its conversation's keys that is known decides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from uuid import UUID

from ticket_contracts.messages import MessageReceived
from ticket_contracts.vocabulary import DeliveryState, MessageKind
from ticket_router.domain import identifiers

MAX_THREAD_KEYS = 50
"""A sender may write thousands of `References`; the nearest ancestors and the first of all find the thread."""

NO_FOLLOW_UPS: Mapping[UUID, UUID] = MappingProxyType({})
NO_DIVERSIONS: Mapping[bytes, "Diversion"] = MappingProxyType({})

_ONLY_OF_KNOWN = frozenset({MessageKind.DELETED, MessageKind.ATTACHMENT, MessageKind.STATUS})
_HASH_BYTES = 16  # the width of threads.thread_hash


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that was never seen before, with what is derived from it once. Without keys it belongs to no ticket."""

    message: MessageReceived
    identity: bytes
    thread_keys: tuple[bytes, ...]

    @classmethod
    def of(cls, message: MessageReceived) -> "Arrival":
        keys = thread_keys(message) if _concerns_a_ticket(message) else ()
        return cls(message, bytes.fromhex(message.identity), keys)

    @property
    def starts_ticket(self) -> bool:
        """A deletion of what we never had, its file or its failure is like a bounce: nothing an agent could answer."""
        return self.message.automation.starts_tickets and self.message.kind not in _ONLY_OF_KNOWN


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a message goes. `opens` says that no ticket of its conversation was known before.

    `previous_ticket_id` is of a follow-up: its first message may still be on its way there, and this one overtake it.
    """

    arrival: Arrival
    ticket_id: UUID
    opens: bool
    previous_ticket_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Diversion:
    """Where a conversation goes that its sender opened too many of; `held_back` says that it is only counted there."""

    ticket_id: UUID
    opens: bool
    held_back: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with a batch: messages for tickets, messages only recorded, and the keys to claim for tickets.

    `held_back` has what a flood's ticket counts and does not show, with that ticket.
    """

    placements: tuple[Placement, ...]
    recorded: tuple[Arrival, ...]
    claims: dict[bytes, UUID]
    held_back: tuple[tuple[Arrival, UUID], ...] = ()


def _concerns_a_ticket(message: MessageReceived) -> bool:
    """That a message of ours arrived or was read changes no ticket: agents would lose their `If-Match` by it (0049)."""
    told = message.delivery
    return message.kind is not MessageKind.STATUS or (told is not None and told.state is DeliveryState.FAILED)


def thread_keys(message: MessageReceived) -> tuple[bytes, ...]:
    """Return the message's own key, then what it refers to, the strongest first, as `threads` stores them.

    Keys count within brand and account only: a Message-ID that a stranger learned must not lead into another mailbox.
    """
    keys = (message.conversation.key, *message.conversation.refers_to)
    if len(keys) > MAX_THREAD_KEYS:
        keys = (*keys[: MAX_THREAD_KEYS - 1], keys[-1])
    scope = f"{len(message.brand)}:{message.brand}{len(message.account)}:{message.account}"  # lengths: no two alike
    return tuple(dict.fromkeys(sha256((scope + key).encode()).digest()[:_HASH_BYTES] for key in keys))


def place(
    arrivals: Iterable[Arrival],
    known: Mapping[bytes, UUID],
    previous: Mapping[UUID, UUID] = NO_FOLLOW_UPS,
    diversions: Mapping[bytes, Diversion] = NO_DIVERSIONS,
) -> Plan:
    """Give each message its ticket, in order, so that an answer finds the question in its own batch.

    A message claims all its keys, those it refers to as well: when an answer overtakes its question, the question
    finds the answer's ticket. What starts no ticket (bounces, automatic answers, deletions, failures) joins one or is
    recorded.

    :param diversions: by identity, for messages that would open a ticket too many; see `floods`.
    """
    claims: dict[bytes, UUID] = {}
    placements: list[Placement] = []
    recorded: list[Arrival] = []
    held_back: list[tuple[Arrival, UUID]] = []
    withheld: dict[bytes, UUID] = {}  # not claimed: ten thousand conversations would be as many rows
    for arrival in arrivals:
        keys = arrival.thread_keys
        if not keys:
            recorded.append(arrival)
            continue
        found = arrival.message.conversation.ticket_id or next(
            (ticket for key in keys if (ticket := known.get(key) or claims.get(key)) is not None), None
        )
        if found is None and not arrival.starts_ticket:
            recorded.append(arrival)
            continue
        opens = found is None
        if found is None and diversions:
            diversion = diversions.get(arrival.identity)
            if diversion is not None and diversion.held_back:
                withheld |= dict.fromkeys(keys, diversion.ticket_id)
            if (flood := next((withheld[key] for key in keys if key in withheld), None)) is not None:
                held_back.append((arrival, flood))
                continue
            if diversion is not None:
                found, opens = diversion.ticket_id, diversion.opens
        ticket_id = found or identifiers.ticket_id(arrival.message.received_at, arrival.identity)
        placements.append(Placement(arrival, ticket_id, opens, previous.get(ticket_id)))
        for key in keys:
            if key not in known:
                claims.setdefault(key, ticket_id)
    return Plan(tuple(placements), tuple(recorded), claims, tuple(held_back))
