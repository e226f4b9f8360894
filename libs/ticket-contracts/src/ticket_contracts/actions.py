"""Commands and facts of an agent's everyday actions beyond status, priority, holder and words."""

from typing import ClassVar

from pydantic import Field

from ticket_contracts.commands import Command
from ticket_contracts.contract import FieldValue, Instant, Name
from ticket_contracts.tickets import TicketFact
from ticket_contracts.vocabulary import Grade


class Classify(Command):
    """Grade by impact and urgency; the configuration's matrix makes a priority of the two. None keeps the grade."""

    event_type: ClassVar[str] = "firebreak.command.classify.v1"

    impact: Grade | None = None
    urgency: Grade | None = None


class ChangeTags(Command):
    """Add and remove tags; what is both is added."""

    event_type: ClassVar[str] = "firebreak.command.change-tags.v1"

    add: tuple[Name, ...] = Field(default=(), max_length=50)
    remove: tuple[Name, ...] = Field(default=(), max_length=50)


class SetFields(Command):
    """Set custom fields by name; a value of None empties one."""

    event_type: ClassVar[str] = "firebreak.command.set-fields.v1"

    fields: dict[Name, FieldValue | None] = Field(min_length=1, max_length=50)


class Snooze(Command):
    """Take the ticket out of sight until a time, or until the customer writes; None wakes it. Clocks go on."""

    event_type: ClassVar[str] = "firebreak.command.snooze.v1"

    until: Instant | None = None


class ChangeWatchers(Command):
    """Add and remove agents who are told of everything without holding the ticket."""

    event_type: ClassVar[str] = "firebreak.command.change-watchers.v1"

    add: tuple[Name, ...] = Field(default=(), max_length=50)
    remove: tuple[Name, ...] = Field(default=(), max_length=50)


class MarkSpam(Command):
    """Say that a ticket is spam, or that it is none after all (rule 27)."""

    event_type: ClassVar[str] = "firebreak.command.mark-spam.v1"

    spam: bool


class TicketClassified(TicketFact):
    """`ticket.impact` and `ticket.urgency` hold the grades; a priority they change is a fact of its own."""

    event_type: ClassVar[str] = "firebreak.ticket.classified.v1"


class TagsChanged(TicketFact):
    """`ticket.tags` holds all tags."""

    event_type: ClassVar[str] = "firebreak.ticket.tags-changed.v1"

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class FieldsChanged(TicketFact):
    """`ticket.fields` holds all custom fields; `names` those that this fact set or emptied."""

    event_type: ClassVar[str] = "firebreak.ticket.fields-changed.v1"

    names: tuple[str, ...]


class TicketSnoozed(TicketFact):
    """`ticket.snoozed_until` holds the time."""

    event_type: ClassVar[str] = "firebreak.ticket.snoozed.v1"


class TicketWoke(TicketFact):
    """The snooze is over: its time came, an agent ended it, or the customer wrote."""

    event_type: ClassVar[str] = "firebreak.ticket.woke.v1"


class WatchersChanged(TicketFact):
    """`ticket.watchers` holds all watchers."""

    event_type: ClassVar[str] = "firebreak.ticket.watchers-changed.v1"


class SpamMarked(TicketFact):
    """`ticket.spam` tells which; the clocks of spam are cancelled."""

    event_type: ClassVar[str] = "firebreak.ticket.spam-marked.v1"


ACTION_COMMANDS = (Classify, ChangeTags, SetFields, Snooze, ChangeWatchers, MarkSpam)

ACTION_FACTS = (
    TicketClassified,
    TagsChanged,
    FieldsChanged,
    TicketSnoozed,
    TicketWoke,
    WatchersChanged,
    SpamMarked,
)
