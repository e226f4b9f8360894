"""What a rule's condition sees as `ticket`, `fact` and `message`; docs/automation.md lists it for the authors."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import cel

from ticket_contracts.actions import FieldsChanged, TagsChanged
from ticket_contracts.expressions import FUNCTIONS, folded
from ticket_contracts.rule_view import TICKET_FIELDS, named_fields
from ticket_contracts.tickets import (
    ClockFact,
    MessageAdded,
    MessageEntry,
    MessageRevised,
    PriorityChanged,
    StatusChanged,
    TicketAssigned,
    TicketFact,
    TicketOpened,
)

if TYPE_CHECKING:  # a ticket knows clocks, clocks their policies, and policies the rules that look at tickets
    from sla_engine.domain.ticket import Ticket

RULE_TEXT_CHARACTERS = 8_000
"""How much of the text rules look at: what an issue is about stands in its beginning, and it bounds a rule's time."""

View: TypeAlias = dict[str, Any]


def message_of(fact: TicketFact) -> MessageEntry | None:
    """Return the message that a fact brings."""
    return fact.message if isinstance(fact, TicketOpened | MessageAdded | MessageRevised) else None


def short_name(fact: TicketFact) -> str:
    """Return the middle of `firebreak.ticket.message-added.v1`, by which rules name facts."""
    return fact.event_type.split(".")[2]


_MESSAGE: Mapping[str, Callable[[MessageEntry], Any]] = {
    "author": lambda entry: entry.author.model_dump(),
    "public": lambda entry: entry.public,
    "kind": lambda entry: entry.kind,
    "automation": lambda entry: entry.automation,
    "channel": lambda entry: entry.channel,
    "subject": lambda entry: entry.subject,
    "text": lambda entry: entry.text[:RULE_TEXT_CHARACTERS],
    "words": lambda entry: folded(f"{entry.subject}\n{entry.text[:RULE_TEXT_CHARACTERS]}"),
    "has_attachments": lambda entry: bool(entry.attachments),
    "attachments": lambda entry: [attachment.name for attachment in entry.attachments],
    "call": lambda entry: entry.call.model_dump(exclude={"started_at"}) if entry.call else None,
}


class Views:
    """Shows tickets and facts to the conditions of one configuration version, without what none of them names.

    Handing a field over costs more than asking a condition. So they also share a context, which is filled anew only
    when the ticket or the fact is another one.
    """

    def __init__(self, expressions: Iterable[str]) -> None:
        source = "\n".join(expressions)
        self._context = cel.Context(functions=FUNCTIONS)
        self.ticket_fields = named_fields("ticket", source, TICKET_FIELDS)
        self.message_fields = named_fields("message", source, _MESSAGE)
        self._names_fact = re.search(r"\bfact\b", source) is not None
        self._shown_ticket: Ticket | None = None
        self._shown_fact: TicketFact | None = None
        self._show_fact(None)

    def context(self, ticket: "Ticket", fact: TicketFact | None) -> cel.Context:
        """Return the variables; of a rule on time `fact` is None. What is not there is empty: ask `has`."""
        if ticket is not self._shown_ticket:
            shown = {name: read(ticket) for name, read in self.ticket_fields.items()}
            self._context.add_variable("ticket", shown)  # what it has not is null, to compare with
            self._shown_ticket = ticket
        if fact is not self._shown_fact:
            self._show_fact(fact)
        return self._context

    def _show_fact(self, fact: TicketFact | None) -> None:
        entry = message_of(fact) if fact is not None else None
        read_all = self.message_fields.items() if entry is not None else ()
        message = {name: value for name, read in read_all if entry is not None and (value := read(entry)) is not None}
        self._context.add_variable("message", message)
        self._context.add_variable("fact", _fact_view(fact) if fact is not None and self._names_fact else {})
        self._shown_fact = fact


def _fact_view(fact: TicketFact) -> View:
    """Show what happened and who did it, with what is particular to some facts."""
    view: View = {"type": short_name(fact), "at": fact.at, "actor": fact.actor.model_dump()}
    match fact:
        case StatusChanged() | PriorityChanged():
            view["previous"] = fact.previous
        case TicketAssigned():
            view |= {"previous_team": fact.previous_team, "previous_assignee": fact.previous_assignee}
        case TagsChanged():
            view |= {"added": list(fact.added), "removed": list(fact.removed)}
        case FieldsChanged():
            view["names"] = list(fact.names)
        case ClockFact():
            clock = fact.clock
            view |= {"metric": clock.metric, "policy": clock.policy, "percent": clock.warned_percent}
    return view
