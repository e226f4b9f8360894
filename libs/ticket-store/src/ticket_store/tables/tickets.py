"""The present state of every ticket: always the fold of its events. Writer: sla-engine."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Sequence, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ticket_store.tables.metadata import METADATA

TICKET_NUMBERS = Sequence("ticket_numbers", metadata=METADATA, start=1001)
"""Short numbers for people; gaps are allowed, so a rolled-back batch may burn some."""

TICKETS = Table(
    "tickets",
    METADATA,
    Column("ticket_id", Uuid, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("brand", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("contact_id", Uuid, nullable=False),
    Column("subject", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text),
    Column("team", Text, nullable=False),
    Column("assignee", Text),
    Column("tags", ARRAY(Text), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("first_response_due_at", DateTime(timezone=True)),  # of the open clock, for lists
    Column("next_due_at", DateTime(timezone=True)),  # the earliest due time of any open clock
    Column("successor_id", Uuid),
    Column("state", JSONB, nullable=False),  # the folded domain state, what `evolve` continues from
    Index("ix_tickets_list", "updated_at", "ticket_id"),
    Index("ix_tickets_queue", "team", "status", "updated_at", "ticket_id"),
    Index("ix_tickets_assignee", "assignee", "status", "updated_at", "ticket_id"),
    Index("ix_tickets_contact", "contact_id", "updated_at"),
)
