"""The engine without its stream: several tickets, what they ask of each other, redeliveries and due timers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sla_engine.compose_alerts import compose_alert
from sla_engine.domain.arrival import goes_to_successor
from sla_engine.domain.conversation import entry_id
from sla_engine.domain.decide import decide, decide_due
from sla_engine.domain.evolve import evolve
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.ticket import Ticket
from sla_engine.publish_exchanges import exchange_commands
from sla_engine.publish_facts import Cause, forwarded_command
from ticket_contracts.catalogue import COMMAND_EVENTS
from ticket_contracts.commands import Command, ReceiveMessage
from ticket_contracts.envelope import Event
from ticket_contracts.exchanges import Split
from ticket_contracts.tickets import MessageAdded, MessageEntry, TicketFact, TicketOpened
from ticket_contracts.topics import COMMANDS
from ticket_stream.processing import NewEvent, Partition, Record

ORIGIN = Partition(COMMANDS.name, 0)


class PureEngine:
    """Decides in memory as `DecideCommands` does; `under_way` are the commands that tickets ask of each other."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.tickets: dict[UUID, Ticket] = {}
        self.facts: dict[UUID, list[TicketFact]] = defaultdict(list)
        self.entries: dict[UUID, list[MessageEntry]] = defaultdict(list)
        self.alerts: dict[UUID, list[NewEvent]] = defaultdict(list)
        self.under_way: list[NewEvent] = []
        self._decided: set[str] = set()
        self._opened = 0

    def ask(self, command_id: str, command: Command, appended_at: datetime, now: datetime) -> list[TicketFact]:
        """Decide a command once by its id; a message is recognised by its own."""
        before = self.tickets.get(command.ticket_id)
        if self._is_repeated(command_id, command, before):
            return []
        entries = tuple(self.entries[command.ticket_id]) if isinstance(command, Split) else ()
        request = Request(command_id, command, appended_at, 1000 + self._opened, entries)
        decision = decide(before, request, self.policies, now)
        facts = [] if isinstance(decision, Rejected) else decision
        record = _record(command, command_id, appended_at)
        self._fold(command.ticket_id, facts, Cause.of(record))
        after = self.tickets.get(command.ticket_id)
        if after is not None and isinstance(command, ReceiveMessage):
            successor = goes_to_successor(after, command)
            if successor is not None:
                self.under_way.append(forwarded_command(command, successor, record))
        self.under_way += exchange_commands(request, before, after, facts, record)
        return facts

    @staticmethod
    def read(event: NewEvent) -> Command:
        """Return a command between tickets as its consumer reads it."""
        command = COMMAND_EVENTS[event.type].model_validate_json(event.data)
        assert isinstance(command, Command)
        return command

    def settle(self, now: datetime) -> None:
        """Take all that is under way, in order; appended, as all that the engine publishes, at the time of the run."""
        while self.under_way:
            event = self.under_way.pop(0)
            self.ask(event.id, self.read(event), now, now)

    def fire(self, ticket_id: UUID, until: datetime) -> list[TicketFact]:
        """Let what is due up to `until` happen."""
        facts = decide_due(self.tickets[ticket_id], self.policies, until)
        self._fold(ticket_id, facts, Cause(ORIGIN))
        return facts

    def _is_repeated(self, command_id: str, command: Command, ticket: Ticket | None) -> bool:
        if not isinstance(command, ReceiveMessage):
            known = command_id in self._decided
            self._decided.add(command_id)
            return known
        return ticket is not None and entry_id(command, command_id) in ticket.message_ids

    def _fold(self, ticket_id: UUID, facts: Sequence[TicketFact], cause: Cause) -> None:
        for fact in facts:
            self.tickets[ticket_id] = evolve(self.tickets.get(ticket_id), fact)
            self.facts[ticket_id].append(fact)
            self._opened += isinstance(fact, TicketOpened)
            if isinstance(fact, TicketOpened | MessageAdded):
                self.entries[ticket_id].append(fact.message)
        alert = compose_alert(facts, cause, self.policies)
        if alert is not None:
            self.alerts[ticket_id].append(alert)


def _record(command: Command, command_id: str, at: datetime) -> Record:
    event = Event(id=command_id, source="/test", type=command.event_type, time=at, data=command.encode())
    return Record(ORIGIN, 0, at, str(command.ticket_id), event)
