"""What became of a command, kept 7 days: the caller waits for it. Writer: sla-engine."""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid

from ticket_store.tables.metadata import METADATA

COMMAND_OUTCOMES = Table(
    "command_outcomes",
    METADATA,
    Column("command_id", Text, primary_key=True),
    Column("ticket_id", Uuid, nullable=False),
    Column("outcome", Text, nullable=False),  # applied | no-op | rejected | conflict | expired | failed
    Column("reason", Text, nullable=False, server_default=""),
    Column("version", Integer),  # of the ticket afterwards
    Column("content_hash", LargeBinary(32), nullable=False),  # Command.fingerprint: another body is a 422
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Index(None, "decided_at"),
)

FIND_DECIDED = "SELECT command_id FROM command_outcomes WHERE command_id = ANY($1::text[])"

READ_OUTCOMES = "SELECT command_id, outcome, reason FROM command_outcomes WHERE command_id = ANY($1::text[])"

ADD_OUTCOMES = """
INSERT INTO command_outcomes (command_id, ticket_id, outcome, reason, version, content_hash, decided_at)
SELECT decided.*, $7::timestamptz
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::bytea[]) AS decided
ON CONFLICT DO NOTHING
"""
"""The first outcome of a command id stands: a repeat is answered with it."""

FORGET_OUTCOMES = """
DELETE FROM command_outcomes
WHERE command_id IN (
    SELECT command_id FROM command_outcomes
    WHERE decided_at < now() - make_interval(days => $1)
    ORDER BY decided_at LIMIT $2
    FOR UPDATE SKIP LOCKED
)
"""
