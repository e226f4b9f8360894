"""Drives the engine's Processor as the stream does: one transaction a batch, on a real database."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from uuid import UUID

import asyncpg
from asyncpg.connection import LoggedQuery
from prometheus_client import CollectorRegistry

from sla_engine.compile_policies import PolicyBook
from sla_engine.decide_commands import DecideCommands
from sla_engine.metrics import EngineMetrics
from ticket_contracts.commands import Command
from ticket_contracts.envelope import Event
from ticket_contracts.topics import COMMANDS
from ticket_store import configuration
from ticket_store.documents import Agent, Brand, Calendar, Document, Policy, Team
from ticket_store.sessions import Pool
from ticket_stream.processing import Batch, DueTimer, NewEvent, Partition, Record

ORIGIN = Partition(COMMANDS.name, 2)

OFFICE = Calendar.model_validate(
    {
        "name": "office",
        "week": {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
    }
)
STANDARD = Policy.model_validate(
    {
        "name": "standard",
        "order": 1,
        "calendar": "office",
        "targets": {
            "first_response": {"normal": "1h", "urgent": "30m"},
            "resolution": {"normal": "1bd", "urgent": "4h"},
        },
    }
)
SURROUNDINGS: tuple[Document, ...] = (
    Brand(name="acme", display_name="Acme"),
    Agent(name="li.wei", display_name="Li Wei", email="li.wei@acme.example"),
    Team(name="service", display_name="Service", members=("li.wei",), triage=True),
)


async def configure(pool: Pool, *documents: Document) -> None:
    """Make these documents, with a brand, a team and an agent, the whole configuration."""
    async with pool.acquire() as connection:
        await configuration.apply(connection, [*SURROUNDINGS, *documents], "test")


class EngineUnderTest:
    """One engine process; `timers` is what the stream would hold for it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.registry = CollectorRegistry()
        self.processor = DecideCommands(PolicyBook(), EngineMetrics(self.registry))
        self.timers: dict[str, datetime] = {}
        self._offsets = count()

    def record(self, command: Command, at: datetime, command_id: str) -> Record:
        """Return the command as a record that the broker appended at `at`."""
        return self.raw_record(str(command.ticket_id), command.event_type, command.encode(), at, command_id)

    def raw_record(self, key: str, event_type: str, data: bytes, at: datetime, event_id: str) -> Record:
        event = Event(
            id=event_id,
            source="/firebreak/1/router/support.messages.v1/0",
            type=event_type,
            time=at,
            data=data,
            correlationid=f"first of {event_id}",
            traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        return Record(ORIGIN, next(self._offsets), at, key, event)

    async def run(self, records: Sequence[Record] = (), *, now: datetime) -> list[NewEvent]:
        """Process records in one committed transaction."""
        return await self._commit(Batch(records, (), now))

    async def fire(self, *, now: datetime) -> list[NewEvent]:
        """Fire the timers due at `now`, again and again until none is due."""
        published: list[NewEvent] = []
        while due := [DueTimer(ORIGIN, key, at, now) for key, at in sorted(self.timers.items()) if at <= now]:
            published += await self._commit(Batch((), due, now))
        return published

    async def abandon(
        self, records: Sequence[Record], timers: Sequence[DueTimer] = (), *, now: datetime
    ) -> list[NewEvent]:
        """Process records and timers in a transaction that is rolled back."""
        batch = Batch(records, timers, now)
        async with self.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            published = await self.processor.process(batch, connection)
            await transaction.rollback()
        return list(published)

    async def count_statements(self, records: Sequence[Record], *, now: datetime) -> int:
        """Process records in one committed transaction and return how many statements that took, COPY left out."""
        seen: list[str] = []

        def note(query: LoggedQuery) -> None:
            seen.append(query.query)

        async with self.pool.acquire() as connection, connection.transaction():
            connection.add_query_logger(note)
            await self.processor.process(Batch(records, (), now), connection)
            connection.remove_query_logger(note)
        return len(seen)

    async def _commit(self, batch: Batch) -> list[NewEvent]:
        async with self.pool.acquire() as connection, connection.transaction():
            published = await self.processor.process(batch, connection)
        for callback in batch.after_commit:
            callback()
        for (origin, key), due_at in batch.schedules.items():
            assert origin == ORIGIN
            self.timers.pop(key, None)
            if due_at is not None:
                self.timers[key] = due_at
        return list(published)

    async def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.pool.acquire() as connection:
            return list(await connection.fetch(query, *arguments))

    async def history(self, ticket_id: UUID) -> list[asyncpg.Record]:
        return await self.rows("SELECT * FROM ticket_events WHERE ticket_id = $1 ORDER BY version", ticket_id)


def as_record(event: NewEvent, at: datetime, offset: int = 0) -> Record:
    """Return a published command as the record it becomes."""
    content = {name: getattr(event, name) for name in ("id", "type", "time", "data", "subject", "traceparent")}
    read = Event(
        source="/firebreak/1/sla-engine/support.commands.v1/2",
        correlationid=event.correlation_id,
        causationid=event.causation_id,
        **content,
    )
    return Record(ORIGIN, offset, at, event.key, read)


def types_of(published: Sequence[NewEvent]) -> list[str]:
    """Return the short names of published events, in order."""
    return [event.type.removeprefix("firebreak.").removesuffix(".v1") for event in published]
