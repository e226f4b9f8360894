"""The engine's one use case: decide a batch of commands and due timers, in one transaction.

Every ticket of the batch is loaded by one statement, its commands are decided in order in memory, and what came of
them is written at the end. Nothing is kept between batches but compiled configuration.
"""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sla_engine.batch_work import BatchWork, Handled, Outcome
from sla_engine.compile_policies import PolicyBook
from sla_engine.domain.arrival import goes_to_successor
from sla_engine.domain.conversation import entry_id
from sla_engine.domain.decide import decide, decide_due
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.ticket import Ticket
from sla_engine.metrics import EngineMetrics
from sla_engine.publish_exchanges import exchange_commands
from sla_engine.publish_facts import Cause, forwarded_command
from sla_engine.read_requests import read_command, ticket_of_key
from sla_engine.stored_state import decode_state
from sla_engine.write_tickets import write_batch
from ticket_contracts.commands import Command, ReceiveMessage
from ticket_contracts.exchanges import OpenSplit, Split
from ticket_contracts.openings import OpenTicket
from ticket_contracts.tickets import MessageEntry
from ticket_contracts.upkeep import ImportTicket
from ticket_store.tables import command_outcomes, messages, tickets
from ticket_stream.processing import Batch, Connection, DueTimer, NewEvent, Record

Asked = tuple[Record, Command]

OPENING_COMMANDS = (ReceiveMessage, OpenTicket, ImportTicket, OpenSplit)
"""What may open a ticket, and so needs a number."""


class DecideCommands:
    """The Processor of `support.commands.v1`."""

    def __init__(self, policies: PolicyBook, metrics: EngineMetrics) -> None:
        self._policies = policies
        self._metrics = metrics

    async def process(self, batch: Batch, connection: Connection) -> Sequence[NewEvent]:
        """Decide every record, then every timer: what is in the log comes before the alarm that it prevents.

        :raises PoisonRecord: a record is no readable command. The runtime narrows the batch down to it.
        :raises UnknownType: a newer version sent it.
        """
        asked = [(record, read_command(record)) for record in batch.records]
        await self._policies.current(connection)
        work = BatchWork(batch.now)
        await self._load_tickets(connection, work, batch, asked)
        policies = await self._policies_of(connection, work)
        self._metrics.show_calendars(len(policies.unusable_calendars))
        decided = await _decided_before(connection, asked)
        await _find_recorded(connection, work, asked)
        entries = await _entries_to_split(connection, asked)
        numbers = await _draw_numbers(connection, work, asked)
        for record, command in asked:
            self._decide_record(work, record, command, policies, numbers, decided, entries)
        for timer in batch.timers:
            batch.schedule(timer.origin, timer.key, None)  # unless its ticket has a next one, set below
            self._decide_timer(work, timer, policies)
        await write_batch(connection, work)
        _schedule(batch, work)
        batch.after_commit.append(partial(self._metrics.count, work.tally))
        return work.published

    async def _load_tickets(self, connection: Connection, work: BatchWork, batch: Batch, asked: list[Asked]) -> None:
        origins = {command.ticket_id: record.origin for record, command in asked}
        for timer in batch.timers:
            if (ticket_id := ticket_of_key(timer.key)) is not None:
                origins.setdefault(ticket_id, timer.origin)
        stored = {row["ticket_id"]: row["state"] for row in await connection.fetch(tickets.LOAD_STATES, list(origins))}
        for ticket_id, origin in origins.items():
            ticket = decode_state(stored[ticket_id]) if ticket_id in stored else None
            work.tickets[ticket_id] = Handled(ticket, ticket, origin)

    async def _policies_of(self, connection: Connection, work: BatchWork) -> Policies:
        held = [clock for each in work.tickets.values() if each.loaded for clock in each.loaded.clocks]
        versions = {(clock.policy, clock.policy_version) for clock in held} | {
            (each.loaded.policy, each.loaded.policy_version)
            for each in work.tickets.values()
            if each.loaded and each.loaded.policy is not None and each.loaded.policy_version is not None
        }
        return await self._policies.including(connection, versions, {clock.calendar for clock in held})

    def _decide_record(
        self,
        work: BatchWork,
        record: Record,
        command: Command,
        policies: Policies,
        numbers: dict[UUID, int],
        decided: set[str],
        entries: dict[UUID, tuple[MessageEntry, ...]],
    ) -> None:
        command_id = record.event.id
        if command_id in decided or command_id in work.outcomes:
            work.tally.outcomes["repeated"] += 1
            return
        handled = work.tickets[command.ticket_id]
        request = Request(
            command_id,
            command,
            record.appended_at,
            numbers.get(command.ticket_id, 0),
            entries.get(command.ticket_id, ()) if isinstance(command, Split) else (),
        )
        before = handled.ticket
        recorded = work.has_recorded(command.ticket_id, entry_id(command, command_id))
        decision = [] if recorded else decide(handled.ticket, request, policies, work.now)
        outcome: str = "applied"
        reason = ""
        if isinstance(decision, Rejected):
            outcome, reason = decision.outcome, decision.reason
        else:
            work.record(handled, decision, Cause.of(record), policies)
            forwarded = not recorded and self._forward(work, handled.ticket, record, command)
            if not decision:
                outcome = "forwarded" if forwarded else "no-op"
        facts = [] if isinstance(decision, Rejected) else decision
        work.published.extend(exchange_commands(request, before, handled.ticket, facts, record))
        work.tally.outcomes[outcome] += 1
        if not isinstance(command, ReceiveMessage):  # nobody waits for a message's outcome
            version = handled.ticket.version if handled.ticket else None
            work.outcomes[command_id] = Outcome.of(command_id, command, outcome, reason, version)

    def _forward(self, work: BatchWork, ticket: Ticket | None, record: Record, command: Command) -> bool:
        if ticket is None or not isinstance(command, ReceiveMessage):
            return False
        successor = goes_to_successor(ticket, command)
        if successor is not None:
            work.published.append(forwarded_command(command, successor, record))
        return successor is not None

    def _decide_timer(self, work: BatchWork, timer: DueTimer, policies: Policies) -> None:
        """Decide what is due up to the time that the log is read to for certain, not up to now.

        After an outage that is all a ticket has missed, in one decision and so in one alert (rule 29).
        """
        ticket_id = ticket_of_key(timer.key)
        handled = work.tickets.get(ticket_id) if ticket_id else None
        if handled is None or handled.ticket is None:
            return
        handled.timer_fired = True
        work.record(handled, decide_due(handled.ticket, policies, timer.read_until), Cause(timer.origin), policies)


async def _decided_before(connection: Connection, asked: list[Asked]) -> set[str]:
    ids = [record.event.id for record, command in asked if not isinstance(command, ReceiveMessage)]
    if not ids:
        return set()
    return {row["command_id"] for row in await connection.fetch(command_outcomes.FIND_DECIDED, ids)}


async def _find_recorded(connection: Connection, work: BatchWork, asked: list[Asked]) -> None:
    """Note which entries are in the table already, where a conversation is longer than its ticket remembers."""
    long = {ticket_id for ticket_id, each in work.tickets.items() if each.loaded and each.loaded.forgets_messages}
    ids = {entry_id(command, record.event.id) for record, command in asked if command.ticket_id in long} - {None}
    if ids:
        rows = await connection.fetch(messages.FIND_RECORDED, list(long), list(ids))
        work.recorded.update((row["ticket_id"], row["message_id"]) for row in rows)


async def _entries_to_split(connection: Connection, asked: list[Asked]) -> dict[UUID, tuple[MessageEntry, ...]]:
    """Read the messages that Splits name: a ticket remembers their ids, not their words."""
    splits = [command for _, command in asked if isinstance(command, Split)]
    if not splits:
        return {}
    tickets_of, ids = [each.ticket_id for each in splits], [id_ for each in splits for id_ in each.message_ids]
    found: dict[UUID, tuple[MessageEntry, ...]] = {}
    for row in await connection.fetch(messages.READ_ENTRIES, tickets_of, ids):
        entry = MessageEntry.model_validate_json(row["entry"]).model_copy(update={"text": row["text"]})
        found[row["ticket_id"]] = (*found.get(row["ticket_id"], ()), entry)
    return found


async def _draw_numbers(connection: Connection, work: BatchWork, asked: list[Asked]) -> dict[UUID, int]:
    """Draw a number for every ticket that this batch may open, in one statement; unused ones leave gaps."""
    opening = dict.fromkeys(
        command.ticket_id
        for _, command in asked
        if isinstance(command, OPENING_COMMANDS) and work.tickets[command.ticket_id].loaded is None
    )
    if not opening:
        return {}
    drawn = await connection.fetch(tickets.DRAW_NUMBERS, len(opening))
    return {ticket_id: row[0] for ticket_id, row in zip(opening, drawn, strict=True)}


def _schedule(batch: Batch, work: BatchWork) -> None:
    """Set the one timer of each ticket whose next warning, step or breach is another than before."""
    for ticket_id, handled in work.tickets.items():
        if handled.ticket is None or (handled.ticket is handled.loaded and not handled.timer_fired):
            continue
        before = handled.loaded.next_transition() if handled.loaded else None
        after = handled.ticket.next_transition()
        due_before, due_after = before and before.at, after and after.at
        if handled.timer_fired or due_before != due_after:
            batch.schedule(handled.origin, str(ticket_id), due_after)
