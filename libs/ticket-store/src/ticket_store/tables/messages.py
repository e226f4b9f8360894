"""The conversation of a ticket: the only place, beside its facts, that holds people's words. Writer: sla-engine."""

from sqlalchemy import Boolean, Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from ticket_store.tables.metadata import METADATA

MESSAGES = Table(
    "messages",
    METADATA,
    Column("ticket_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),  # of the fact that added it: the order of the conversation
    Column("message_id", Uuid, nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("text", Text, nullable=False),
    Column("entry", JSONB, nullable=False),  # ticket_contracts.tickets.MessageEntry without its text
)

FIND_RECORDED = """
SELECT ticket_id, message_id FROM messages WHERE ticket_id = ANY($1::uuid[]) AND message_id = ANY($2::uuid[])
"""
"""Reads all messages of these tickets, some 10 ms for ten thousand: only for conversations that are very long."""

READ_ENTRIES = """
SELECT DISTINCT ON (ticket_id, message_id) ticket_id, text, entry
FROM messages WHERE ticket_id = ANY($1::uuid[]) AND message_id = ANY($2::uuid[])
ORDER BY ticket_id, message_id, version
"""
"""Of a message that was edited the first entry."""

NEW_MESSAGE_COLUMNS = (
    "ticket_id",
    "version",
    "message_id",
    "author_kind",
    "author_id",
    "public",
    "at",
    "text",
    "entry",
)
"""For COPY."""
