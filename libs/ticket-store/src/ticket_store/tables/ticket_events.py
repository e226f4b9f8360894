"""The timeline: one row per fact, and the proof that versions have no gap and one writer. Writer: sla-engine."""

from sqlalchemy import Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from ticket_store.tables.metadata import METADATA

TICKET_EVENTS = Table(
    "ticket_events",
    METADATA,
    Column("ticket_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),  # event time
    Column("recorded_at", DateTime(timezone=True), nullable=False),  # database time of the batch
    Column("causation_id", Text, nullable=False),
    Column("correlation_id", Text),
    Column("data", JSONB, nullable=False),  # the fact exactly as published
)

NEW_EVENT_COLUMNS = (
    "ticket_id",
    "version",
    "event_id",
    "type",
    "at",
    "recorded_at",
    "causation_id",
    "correlation_id",
    "data",
)
"""For COPY. A violated key means a second writer: the batch fails before anything else is written."""

READ_HISTORY = "SELECT type, data FROM ticket_events WHERE ticket_id = $1 ORDER BY version"
