"""Everything that a stack holds about its tickets, read at once from PostgreSQL and, whole, from Kafka's topics."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from ticket_contracts.envelope import read_event
from ticket_contracts.topics import ALERTS, COMMANDS, TICKETS, Topic
from ticket_contracts.vocabulary import DeliveryState

FETCH_MS = 200


@dataclass(frozen=True, slots=True)
class Inbound:
    """A row of `inbound_messages`."""

    provider_id: str
    outcome: str
    ticket_id: UUID | None
    deliveries: int


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A row of `ticket_events`."""

    ticket_id: UUID
    version: int
    event_id: str
    type: str
    causation_id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A row of `tickets`; `columns` are those that repeat the summary of the last fact, `state` is the fold."""

    ticket_id: UUID
    version: int
    columns: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A row of `messages`."""

    ticket_id: UUID
    version: int
    message_id: UUID


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A row of `delivery_receipts`."""

    provider_hash: bytes
    times: Mapping[DeliveryState, datetime | None]


@dataclass(frozen=True, slots=True)
class Published:
    """A record of a topic; a repeat has the same source and sequence."""

    topic: str
    partition: int
    offset: int
    source: str
    sequence: str
    event_id: str
    type: str
    data: Mapping[str, Any]
    appended_at: datetime | None = None  # the broker's time stamp


@dataclass
class World:
    """One look at everything. `trouble` is what must not be there: dead letters, pauses, refusals.

    `shown` is what the API says of answers, by the channel's id (`shown_deliveries`).
    `is_still` says that tables and topics show the same moment: nothing was under way, and nothing came in between.
    """

    moment: datetime
    inbound: list[Inbound] = field(default_factory=list)
    facts: list[StoredFact] = field(default_factory=list)
    tickets: list[TicketRow] = field(default_factory=list)
    conversation: list[ConversationRow] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    shown: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    is_still: bool = True

    def once(self, topic: Topic) -> list[Published]:
        """Return a topic's records in log order, repeats by (source, sequence) dropped as a subscriber does."""
        first: dict[tuple[str, str], Published] = {}
        for record in self.published:
            if record.topic == topic.name:
                first.setdefault((record.source, record.sequence), record)
        return list(first.values())

    @property
    def republished(self) -> int:
        """How many records stand in the topics a second time."""
        return len(self.published) - len({(record.source, record.sequence) for record in self.published})


SUMMARY_COLUMNS = ("number", "brand", "channel", "subject", "status", "priority", "team", "assignee", "tags")

_INBOUND = "SELECT provider_id, outcome, ticket_id, deliveries FROM inbound_messages"
_FACTS = """
SELECT ticket_id, version, event_id, type, causation_id, data FROM ticket_events ORDER BY ticket_id, version
"""
_TICKETS = f"SELECT ticket_id, version, state, {', '.join(SUMMARY_COLUMNS)} FROM tickets"
_CONVERSATION = "SELECT ticket_id, version, message_id FROM messages"
_OUTCOMES = "SELECT command_id, outcome FROM command_outcomes"
_DELIVERIES = "SELECT provider_hash, delivered_at, read_at, failed_at FROM delivery_receipts"
_TROUBLE = """
SELECT 'dead letter: ' || reason FROM dead_letters
UNION ALL SELECT 'paused: ' || reason FROM stream_pauses
UNION ALL SELECT 'refused: ' || reason FROM stream_refusals WHERE resolved_at IS NULL
"""


_UNDER_WAY = "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM ticket_events)"


async def read_world(database: str, kafka: str) -> World:
    """Read everything in one snapshot of the database, and the topics after it."""
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            world = await _read_tables(connection)
            unpublished, _ = await connection.fetchrow(_UNDER_WAY)
        world.published = await read_topics(kafka, (COMMANDS, TICKETS, ALERTS))
        _, facts = await connection.fetchrow(_UNDER_WAY)
    finally:
        await connection.close()
    world.is_still = unpublished == 0 and facts == len(world.facts)
    return world


async def _read_tables(connection: "asyncpg.Connection[asyncpg.Record]") -> World:
    world = World(await connection.fetchval("SELECT clock_timestamp()"))
    world.inbound = [Inbound(*row) for row in await connection.fetch(_INBOUND)]
    world.facts = [_fact(row) for row in await connection.fetch(_FACTS)]
    world.tickets = [
        TicketRow(
            row["ticket_id"], row["version"], {name: row[name] for name in SUMMARY_COLUMNS}, json.loads(row["state"])
        )
        for row in await connection.fetch(_TICKETS)
    ]
    world.conversation = [ConversationRow(*row) for row in await connection.fetch(_CONVERSATION)]
    world.outcomes = {row["command_id"]: row["outcome"] for row in await connection.fetch(_OUTCOMES)}
    world.deliveries = [
        DeliveryRow(row["provider_hash"], {state: row[f"{state}_at"] for state in DeliveryState})
        for row in await connection.fetch(_DELIVERIES)
    ]
    world.trouble = [row[0] for row in await connection.fetch(_TROUBLE)]
    return world


def _fact(row: asyncpg.Record) -> StoredFact:
    return StoredFact(
        row["ticket_id"], row["version"], row["event_id"], row["type"], row["causation_id"], json.loads(row["data"])
    )


async def read_topics(kafka: str, topics: Sequence[Topic]) -> list[Published]:
    """Read topics from their first record to the last one there is now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="none")
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions_local)
        ]
        starts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, starts[partition])
        records: list[Published] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for batch in (await consumer.getmany(timeout_ms=FETCH_MS)).values():
                records += [_published(record) for record in batch]
        return records
    finally:
        await consumer.stop()


def _published(record: Any) -> Published:
    event = read_event(record.headers, record.value)
    return Published(
        record.topic,
        record.partition,
        record.offset,
        event.source,
        # A command of the API comes from an edge, which numbers nothing: its place in the log tells it apart.
        event.sequence or f"{record.partition}:{record.offset}",
        event.id,
        event.type,
        json.loads(event.data),
        datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
