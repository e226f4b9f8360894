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

FIND_KNOWN = """
SELECT identity, outcome, reason, ticket_id FROM inbound_messages WHERE identity = ANY($1::bytea[])
"""

RECORD_DELIVERIES = """
INSERT INTO inbound_messages (
    identity, message_id, source, channel, provider_id, received_at,
    outcome, reason, ticket_id, raw_key, deliveries, last_delivered_at
)
SELECT * FROM unnest(
    $1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
    $7::text[], $8::text[], $9::uuid[], $10::text[], $11::integer[], $12::timestamptz[]
)
ON CONFLICT (identity) DO UPDATE SET
    deliveries = inbound_messages.deliveries + excluded.deliveries,
    last_delivered_at = greatest(inbound_messages.last_delivered_at, excluded.last_delivered_at)
RETURNING identity, deliveries
"""
"""Identities sorted, each once. Where more deliveries come back than were given, the message was there before:
a repeat, even of one that another partition's transaction committed while this one ran."""
