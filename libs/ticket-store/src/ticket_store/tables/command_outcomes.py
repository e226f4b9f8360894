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
    Column("content_hash", LargeBinary(32), nullable=False),  # SHA-256 of type and data: another body is a 422
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Index(None, "decided_at"),
)
