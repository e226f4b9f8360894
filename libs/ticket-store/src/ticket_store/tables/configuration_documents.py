"""Versioned business configuration. Writer: ticket_store.configuration, used by crm-api and `firebreak apply`."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from ticket_store.tables.metadata import METADATA

CONFIGURATION_DOCUMENTS = Table(
    "configuration_documents",
    METADATA,
    Column("kind", Text, primary_key=True),  # brand | team | agent | calendar | policy | routing
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True),  # 1, 2, 3 per document; the highest is in force unless archived
    Column("archived", Boolean, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
    Column("applied_by", Text, nullable=False),
)

CONFIGURATION_HEAD = Table(
    "configuration_head",
    METADATA,
    Column("only", Integer, CheckConstraint("only = 1", name="one_row"), primary_key=True),
    Column("version", BigInteger, nullable=False),  # raised by every apply; a batch compares it and reloads
)
