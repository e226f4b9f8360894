"""One row per SLA clock, for lists and reports; the fold in `tickets.state` is the truth. Writer: sla-engine."""

from sqlalchemy import Column, DateTime, Index, Integer, Table, Text, Uuid, text

from ticket_store.tables.metadata import METADATA

CLOCKS = Table(
    "clocks",
    METADATA,
    Column("ticket_id", Uuid, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("status", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("target_seconds", Integer, nullable=False),
    Column("used_seconds", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("stopped_at", DateTime(timezone=True)),
    Column("breached_at", DateTime(timezone=True)),
    Index("ix_clocks_due", "due_at", postgresql_where=text("status = 'running'")),
)
