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

CLOCK_COLUMNS = (
    "ticket_id",
    "metric",
    "cycle",
    "status",
    "policy",
    "policy_version",
    "target_seconds",
    "used_seconds",
    "started_at",
    "due_at",
    "stopped_at",
    "breached_at",
)
"""For COPY of clocks just started, and the order in which UPDATE_CLOCKS takes its arrays."""

UPDATE_CLOCKS = """
UPDATE clocks
SET status = changed.status, policy = changed.policy, policy_version = changed.policy_version,
    target_seconds = changed.target_seconds, used_seconds = changed.used_seconds, started_at = changed.started_at,
    due_at = changed.due_at, stopped_at = changed.stopped_at, breached_at = changed.breached_at
FROM unnest(
    $1::uuid[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::integer[],
    $7::integer[], $8::integer[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[]
) AS changed (
    ticket_id, metric, cycle, status, policy, policy_version,
    target_seconds, used_seconds, started_at, due_at, stopped_at, breached_at
)
WHERE clocks.ticket_id = changed.ticket_id AND clocks.metric = changed.metric AND clocks.cycle = changed.cycle
"""
