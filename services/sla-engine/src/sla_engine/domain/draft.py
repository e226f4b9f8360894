"""A decision in the making: each fact is folded at once, so that the next rule sees what the one before did."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sla_engine.domain.evolve import evolve
from sla_engine.domain.ticket import Ticket
from ticket_contracts.commands import Actor, Command
from ticket_contracts.tickets import ClockFact, ClockState, MessageEntry, TicketFact
from ticket_contracts.vocabulary import ActorKind

ENGINE = Actor(kind=ActorKind.MACHINE, id="sla-engine")
"""Who acts when only time has passed."""


class Wish(NamedTuple):
    """What the engine itself asks of the ticket, at the moment `at`; `cause` is the id of the fact behind it."""

    at: datetime
    cause: str
    command: Command


@dataclass(slots=True)
class Draft:
    """The ticket as the facts so far have made it. `cause` is the id of the command being decided.

    `seen_at` is when it was appended to the log, later than `at` for a message that was long on its way. `imported`
    marks facts of another system's past (rule 47). `entries` are those messages that the command names. `wishes` wait
    to be carried out before more time passes.
    """

    ticket: Ticket
    at: datetime
    actor: Actor
    cause: str
    seen_at: datetime
    facts: list[TicketFact] = field(default_factory=list)
    imported: bool | None = None
    entries: tuple[MessageEntry, ...] = ()
    wishes: list[Wish] = field(default_factory=list)

    def add(self, kind: type[TicketFact], /, **content: Any) -> None:
        """Add a fact of the command; keyword arguments are what `kind` has beyond a TicketFact."""
        self._fold(kind, at=self.at, actor=self.actor, content=content)

    def change(self, kind: type[TicketFact], changes: dict[str, object], **content: Any) -> None:
        """Add a fact that alters the summary."""
        summary = self.ticket.summary.model_copy(update=changes)
        self._fold(kind, at=self.at, actor=self.actor, content={"ticket": summary, **content})

    def turn(self, kind: type[ClockFact], clock: ClockState, **content: Any) -> None:
        """Add a transition that the command causes."""
        self.add(kind, clock=clock, cause=self.cause, **content)

    def turn_by_time(
        self, kind: type[ClockFact], clock: ClockState, at: datetime, cause: str, actor: Actor = ENGINE, **content: Any
    ) -> None:
        """Add a transition that time alone causes; dated when it was due, whenever it is noticed."""
        self._fold(kind, at=at, actor=actor, content={"clock": clock, "cause": cause, **content})

    def change_by_time(self, kind: type[TicketFact], changes: dict[str, object], at: datetime) -> None:
        """Add a change of the summary that time alone causes."""
        summary = self.ticket.summary.model_copy(update=changes)
        self._fold(kind, at=at, actor=ENGINE, content={"ticket": summary})

    def _fold(self, kind: type[TicketFact], *, at: datetime, actor: Actor, content: dict[str, Any]) -> None:
        ticket = self.ticket
        head = {"ticket_id": ticket.ticket_id, "version": ticket.version + 1, "at": at, "actor": actor}
        if self.imported:
            head["imported"] = True
        fact = kind(**{**head, "ticket": ticket.summary, **content})
        self.facts.append(fact)
        self.ticket = evolve(ticket, fact)
