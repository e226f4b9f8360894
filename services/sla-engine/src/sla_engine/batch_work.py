"""One batch in memory: tickets as they were loaded and as its decisions leave them, and what has to be written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sla_engine.compose_alerts import compose_alert
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies
from sla_engine.domain.ticket import Ticket
from sla_engine.metrics import BatchTally
from sla_engine.publish_facts import Cause, cause_of, fact_event
from sla_engine.publish_rules import notice_events, within_rules
from sla_engine.stored_rows import Row, message_row
from ticket_contracts.automation import RuleRan
from ticket_contracts.commands import Command
from ticket_contracts.escalations import TicketEscalated
from ticket_contracts.tickets import (
    ClockBreached,
    ClockFact,
    ClockStarted,
    ClockState,
    ClockWarned,
    MessageAdded,
    MessageRevised,
    TicketFact,
    TicketOpened,
)
from ticket_contracts.vocabulary import Metric
from ticket_stream.processing import NewEvent, Partition

ClockKey = tuple[Metric, int]
"""A clock of a ticket: metric and cycle."""


@dataclass(slots=True)
class Handled:
    """One ticket of the batch. `loaded` is its stored state, None when it does not exist yet.

    `turned` are the clocks that the batch has started or changed: the ticket keeps not all of them.
    """

    loaded: Ticket | None
    ticket: Ticket | None
    origin: Partition
    timer_fired: bool = False
    turned: dict[ClockKey, ClockState] = field(default_factory=dict)
    started: set[ClockKey] = field(default_factory=set)

    def note_clocks(self, fact: TicketFact) -> None:
        """Remember the clocks of a fact as they are afterwards."""
        clocks = fact.clocks if isinstance(fact, TicketOpened) else (fact.clock,) if isinstance(fact, ClockFact) else ()
        for clock in clocks:
            self.turned[clock.metric, clock.cycle] = clock
            if isinstance(fact, TicketOpened | ClockStarted):
                self.started.add((clock.metric, clock.cycle))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command whose sender waits for it."""

    command_id: str
    ticket_id: UUID
    outcome: str
    reason: str
    version: int | None
    content_hash: bytes

    @classmethod
    def of(cls, command_id: str, command: Command, outcome: str, reason: str, version: int | None) -> "Outcome":
        return cls(command_id, command.ticket_id, outcome, reason, version, command.fingerprint())


@dataclass(slots=True)
class BatchWork:
    """Rows are tuples in the order of the column lists that stand beside the tables."""

    now: datetime
    tickets: dict[UUID, Handled] = field(default_factory=dict)
    event_rows: list[Row] = field(default_factory=list)
    message_rows: list[Row] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    recorded: set[tuple[UUID, UUID]] = field(default_factory=set)
    """Tickets and message ids of entries beside those that the loaded tickets remember."""
    published: list[NewEvent] = field(default_factory=list)
    tally: BatchTally = field(default_factory=BatchTally)

    def record(self, handled: Handled, facts: list[TicketFact], cause: Cause, policies: Policies) -> None:
        """Fold a decision's facts into the ticket and note what to write and to publish; each fact is encoded once."""
        escalated: TicketEscalated | None = None
        for fact, behind in within_rules(facts, cause):
            handled.ticket = evolve(handled.ticket, fact)
            handled.note_clocks(fact)
            own_cause = cause_of(fact, behind, escalated)
            event = fact_event(fact, own_cause)
            self.event_rows.append(self._event_row(fact, event))
            self.published.append(event)
            self.published.extend(notice_events(fact, own_cause))
            self._note(fact)
            escalated = fact if isinstance(fact, TicketEscalated) else escalated
        alert = compose_alert(facts, cause, policies)
        if alert is not None:
            self.published.append(alert)

    def has_recorded(self, ticket_id: UUID, message_id: UUID | None) -> bool:
        """Whether an entry stands in the ticket's conversation, though the ticket may have forgotten it meanwhile."""
        if message_id is None:
            return False
        loaded = self.tickets[ticket_id].loaded
        return (loaded is not None and message_id in loaded.message_ids) or (ticket_id, message_id) in self.recorded

    def changed(self) -> Iterator[Handled]:
        """Yield the tickets that got facts."""
        return (handled for handled in self.tickets.values() if handled.ticket is not handled.loaded)

    def _event_row(self, fact: TicketFact, event: NewEvent) -> Row:
        return (
            fact.ticket_id,
            fact.version,
            event.id,
            event.type,
            event.time,
            self.now,
            event.causation_id,
            event.correlation_id,
            event.data.decode(),
        )

    def _note(self, fact: TicketFact) -> None:
        kind = fact.event_type.split(".")[-2]
        self.tally.facts[kind] += 1
        if isinstance(fact, TicketOpened):
            self._note_entry(fact)
            for clock in fact.clocks:
                self.tally.clocks["started", clock.metric] += 1
        elif isinstance(fact, MessageAdded | MessageRevised):
            self._note_entry(fact)
        elif isinstance(fact, RuleRan):
            self.tally.rules[fact.rule, fact.outcome] += 1
        elif isinstance(fact, ClockFact):
            self.tally.clocks[kind.removeprefix("clock-"), fact.clock.metric] += 1
            if isinstance(fact, ClockWarned | ClockBreached | TicketEscalated):
                self.tally.lateness.append((self.now - fact.at).total_seconds())

    def _note_entry(self, fact: TicketOpened | MessageAdded | MessageRevised) -> None:
        self.recorded.add((fact.ticket_id, fact.message.message_id))
        self.message_rows.append(message_row(fact))
