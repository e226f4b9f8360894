"""Which ticket a conversation key belongs to; the claim of a key decides the ticket id once. Writer: router."""

from sqlalchemy import Column, DateTime, Index, LargeBinary, Table, Uuid

from ticket_store.tables.metadata import METADATA

THREADS = Table(
    "threads",
    METADATA,
    Column("thread_hash", LargeBinary(16), primary_key=True),  # first half of SHA-256 of brand, account and key
    Column("ticket_id", Uuid, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index(None, "ticket_id"),
)
