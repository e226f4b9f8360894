"""Every message that ever arrived, by identity: what recognises a repeat. Writer: router."""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid

from ticket_store.tables.metadata import METADATA

INBOUND_MESSAGES = Table(
    "inbound_messages",
    METADATA,
    Column("identity", LargeBinary(32), primary_key=True),  # SHA-256 of account, provider id, kind and revision
    Column("message_id", Uuid, nullable=False),
    Column("source", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),  # routed | recorded (bounce or automatic answer without a thread)
    Column("reason", Text, nullable=False, server_default=""),
    Column("ticket_id", Uuid),
    Column("raw_key", Text),
    Column("deliveries", Integer, nullable=False, server_default="1"),
    Column("last_delivered_at", DateTime(timezone=True), nullable=False),
    Index(None, "ticket_id"),
    Index(None, "received_at"),
)
