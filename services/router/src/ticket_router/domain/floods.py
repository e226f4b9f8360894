"""A sender who opens conversation after conversation: what is too much becomes one ticket and a count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from uuid import UUID

from ticket_contracts.messages import Authentication
from ticket_contracts.vocabulary import AuthenticationResult
from ticket_router.domain import identifiers
from ticket_router.domain.conversations import Arrival, Diversion

MAX_WATCHED = 100_000
"""Senders remembered in memory, a few hundred bytes each; who is forgotten begins to count anew."""

UNPROVEN = "(unproven)"
"""Stands behind the address of whom nothing proves; no address holds a blank."""

Sender = tuple[str, str, str]
"""Brand, kind and value of an identity."""


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """`conversations` within `window` are new tickets (0: all), the next `messages` are added to one ticket."""

    conversations: int
    window: timedelta
    messages: int
    exempt: tuple[str, ...] = ()

    @property
    def unwatched(self) -> int:
        """How many a process lets pass before it asks the table: most senders never get there and cost nothing."""
        return self.conversations // 2

    @property
    def watched(self) -> int:
        """How many the table lets pass after that."""
        return self.conversations - self.unwatched

    def watches(self, sender: Sender) -> bool:
        """Relays that write in the name of many customers (a market place, a form) may be exempt."""
        value = sender[2].casefold()  # case never tells two relays apart, whatever a channel or an operator wrote
        return self.conversations > 0 and not any(fnmatchcase(value, pattern.casefold()) for pattern in self.exempt)


def counted_as(sender: Sender, authentication: Authentication | None) -> Sender:
    """Return whom a message counts for.

    Where our mail server says who wrote, what a stranger writes in somebody's name counts apart: it cannot use up what
    the person may open. Where it says nothing, name and stranger cannot be told apart.
    """
    brand, kind, value = sender
    if authentication is None or authentication.dmarc is AuthenticationResult.PASS:
        return sender
    return brand, kind, f"{value} {UNPROVEN}"


class RecentOpenings:
    """What this process knows without asking: conversations per sender since a window began."""

    def __init__(self, limits: FloodLimits) -> None:
        self._limits = limits
        self._counts: dict[Sender, tuple[datetime, int]] = {}

    def to_look_up(self, sender: Sender, openings: int, at: datetime) -> int:
        """Return how many of so many more have to be counted in the table."""
        return min(openings, max(0, self._since(sender, at)[1] + openings - self._limits.unwatched))

    def add(self, sender: Sender, openings: int, at: datetime, *, floods: bool) -> None:
        """Count; who floods is looked up until a window has passed without a new conversation."""
        started, known = self._since(sender, at)
        self._counts.pop(sender, None)  # the newest stand last
        self._counts[sender] = (at, self._limits.conversations) if floods else (started, known + openings)
        if len(self._counts) > MAX_WATCHED:
            self._counts.pop(next(iter(self._counts)))

    def _since(self, sender: Sender, at: datetime) -> tuple[datetime, int]:
        started, known = self._counts.get(sender, (at, 0))
        return (started, known) if at - started <= self._limits.window else (at, 0)


@dataclass(frozen=True, slots=True)
class Flood:
    """What the table says of one sender after `counted` openings of this batch were added."""

    sender: Sender
    counted: int
    opened: int
    ticket_id: UUID | None
    taken: int


@dataclass(frozen=True, slots=True)
class Diverted:
    """What of a batch goes where a flood goes, by the message's identity, and the floods as they are after it."""

    diversions: Mapping[bytes, Diversion]
    floods: tuple[Flood, ...]
    notes: tuple["FloodNote", ...]


@dataclass(frozen=True, slots=True)
class FloodNote:
    """Something to tell the agent who holds the flood's ticket; `cause` is the message that made it due."""

    ticket_id: UUID
    held_back: int
    cause: Arrival


def divert(floods: Sequence[Flood], openings: Mapping[Sender, Sequence[Arrival]], limits: FloodLimits) -> Diverted:
    """Decide for each new conversation of senders with too many: added to the flood's ticket, or only counted."""
    diversions: dict[bytes, Diversion] = {}
    after: list[Flood] = []
    notes: list[FloodNote] = []
    for flood in floods:
        arrivals = openings[flood.sender]
        too_many = min(flood.counted, flood.opened - limits.watched)
        excess = arrivals[len(arrivals) - too_many :] if too_many > 0 else ()
        if not excess:
            continue
        ticket_id = flood.ticket_id or identifiers.ticket_id(excess[0].message.received_at, excess[0].identity)
        for place, arrival in enumerate(excess, start=flood.taken):
            opens = flood.ticket_id is None and arrival is excess[0]
            diversions[arrival.identity] = Diversion(ticket_id, opens, held_back=place >= limits.messages)
        taken = flood.taken + len(excess)
        after.append(replace(flood, ticket_id=ticket_id, taken=taken))
        if _doubled(flood.taken - limits.messages, taken - limits.messages):
            notes.append(FloodNote(ticket_id, taken - limits.messages, excess[-1]))
    return Diverted(diversions, tuple(after), tuple(notes))


def _doubled(before: int, after: int) -> bool:
    """Whether the count passed a power of two, the first of all included: an agent is told rarely, and never not."""
    return max(after, 0).bit_length() > max(before, 0).bit_length()
