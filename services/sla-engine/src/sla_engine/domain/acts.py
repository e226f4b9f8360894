"""What people did to a ticket, read from its stored facts: only what clocks depend on.

A fact says ten times as much; what is not named here is passed over while it is read, and never becomes an object.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum

from msgspec import Struct
from msgspec.json import Decoder

from ticket_contracts.actions import TicketWoke
from ticket_contracts.catalogue import TICKET_EVENTS
from ticket_contracts.tickets import ClockFact, PriorityChanged, StatusChanged, TicketAssigned, TicketFact
from ticket_contracts.upkeep import TicketReevaluated
from ticket_contracts.vocabulary import ActorKind, Automation, Channel, MessageKind, Priority, Status

NO_ACTS = tuple(
    name for name, fact in TICKET_EVENTS.items() if issubclass(fact, ClockFact) or fact is TicketReevaluated
)
"""The event types by which clocks tell what they did: it follows from the acts of people and a policy."""

PRIORITY, ASSIGNED = PriorityChanged.event_type, TicketAssigned.event_type
_STATUS, _WOKE = StatusChanged.event_type, TicketWoke.event_type

# Looking a member up costs more than comparing it.
_AGENT, _CUSTOMER, _MACHINE = ActorKind.AGENT, ActorKind.CUSTOMER, ActorKind.MACHINE
_OPEN, _NEW = Status.OPEN, Status.NEW
_CREATED, _HUMAN = MessageKind.CREATED, Automation.HUMAN
_SILENT = frozenset(each for each in Automation if not each.starts_tickets)


class Doer(Struct, gc=False):
    """Who did it."""

    kind: ActorKind
    id: str

    @property
    def is_engine(self) -> bool:
        """Whether the sla-engine did it by itself, as when it opens a ticket of messages split off another."""
        return self.kind is _MACHINE and self.id == "sla-engine"


class Author(Struct, gc=False):
    """Who wrote or spoke; by what name makes no difference."""

    kind: ActorKind


class Call(Struct, gc=False):
    """A telephone call."""

    direction: str
    answered: bool


class Voice(Enum):
    """What an entry of the conversation is to clocks; what is two of these counts as the first."""

    ANSWER = "answer"  # of an agent
    WORDS = "words"  # of a customer
    CALL = "call"  # that was held
    OTHER = "other"


_ANSWER, _WORDS, _CALL, _OTHER = Voice


class Said(Struct, gc=False, kw_only=True):
    """An entry of the conversation, without its words."""

    kind: MessageKind = MessageKind.CREATED
    author: Author
    public: bool
    automation: Automation = Automation.HUMAN
    at: datetime
    call: Call | None = None

    @property
    def voice(self) -> Voice:
        """Which of the three that follow it is."""
        call = self.call
        if call is None:  # nearly always, so it is written out
            kind = self.author.kind
            if kind is _AGENT:
                return _ANSWER if self.public and self.automation is _HUMAN else _OTHER
            spoken = kind is _CUSTOMER and self.kind is _CREATED and self.automation not in _SILENT
            return _WORDS if spoken else _OTHER
        if self.is_answer:
            return _ANSWER
        if self.speaks:
            return _WORDS
        return _CALL if call.answered else _OTHER

    @property
    def speaks(self) -> bool:
        """As `conversation.speaks`."""
        call = self.call
        said = self.author.kind is _CUSTOMER if call is None else call.direction == "inbound" and not call.answered
        return said and self.kind is _CREATED and self.automation not in _SILENT

    @property
    def is_answer(self) -> bool:
        """As `conversation.is_answer`."""
        return self.public and self.author.kind is _AGENT and self.automation is _HUMAN

    @property
    def is_held_call(self) -> bool:
        """As `conversation.is_held_call`."""
        return self.call is not None and self.call.answered


class Holding(Struct, gc=False, kw_only=True):
    """The ticket after the act, as far as a policy looks at it. Fields in the order of the facts are found faster."""

    brand: str
    channel: Channel
    status: Status
    priority: Priority | None = None
    team: str
    tags: tuple[str, ...] = ()
    opened_at: datetime
    spam: bool = False


class Standing(Struct, gc=False, kw_only=True):
    """The ticket after the act, as far as waits and the work of agents are concerned."""

    status: Status
    priority: Priority | None = None
    team: str
    spam: bool = False


class Deed(Struct, gc=False):
    """An act, as far as waits and the work of agents are concerned."""

    at: datetime
    actor: Doer
    ticket: Standing
    message: Said | None = None


class Act(Struct, gc=False):
    """One thing that somebody did. `previous_team` had a ticket that was handed over."""

    at: datetime
    actor: Doer
    ticket: Holding
    message: Said | None = None
    seen_at: datetime | None = None
    previous_team: str | None = None
    imported: bool | None = None


History = list[tuple[str, Act]]
"""The acts of one ticket in their order, each with its event type; the opening is the first."""

Deeds = list[tuple[str, Deed]]
"""The same with less of each, which is read faster."""

AnyHistory = Sequence[tuple[str, Act | Deed]]
"""Either of the two."""

_decoder, _deeds_decoder = Decoder(History), Decoder(Deeds)


def read_history(facts: str | bytes) -> History:
    """Read the JSON array of `[event type, fact]` of one ticket.

    :raises msgspec.DecodeError: it is none.
    """
    return _decoder.decode(facts)


def read_deeds(facts: str | bytes) -> Deeds:
    """Read as `read_history` does what waits depend on.

    :raises msgspec.DecodeError: it is no such array.
    """
    return _deeds_decoder.decode(facts)


def caused_change(
    act: Act | TicketFact,
    history: Sequence[tuple[str, Act]] | Sequence[tuple[str, TicketFact]],
    number: int,
    *,
    answers: bool,
    asks: bool,
) -> int | None:
    """Return where the change of status stands that a message caused: at `number`, or after the end of a snooze.

    An answer opens a new ticket, a question one that rests. What else was done at the same moment is an act of its own.
    """
    before = act.ticket.status
    if before is _OPEN or not (before is _NEW if answers else asks):
        return None
    for place in (number, number + 1):
        if place == len(history):
            return None
        kind, following = history[place]
        if following.at != act.at or following.actor != act.actor:
            return None
        if kind == _STATUS:
            return place if following.ticket.status is _OPEN else None
        if kind != _WOKE:
            return None
    return None
