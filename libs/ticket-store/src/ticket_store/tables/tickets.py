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
    Column("state", JSONB, nullable=False),  # the fold of its events: sla_engine.domain.ticket.Ticket as JSON
    Index("ix_tickets_list", "updated_at", "ticket_id"),
    Index("ix_tickets_queue", "team", "status", "updated_at", "ticket_id"),
    Index("ix_tickets_assignee", "assignee", "status", "updated_at", "ticket_id"),
    Index("ix_tickets_contact", "contact_id", "updated_at"),
)

LOAD_STATES = "SELECT ticket_id, state FROM tickets WHERE ticket_id = ANY($1::uuid[])"

DRAW_NUMBERS = "SELECT nextval('ticket_numbers') FROM generate_series(1, $1::integer)"

NEW_TICKET_COLUMNS = (
    "ticket_id",
    "number",
    "version",
    "brand",
    "channel",
    "contact_id",
    "subject",
    "status",
    "priority",
    "team",
    "assignee",
    "tags",
    "opened_at",
    "updated_at",
    "first_response_due_at",
    "next_due_at",
    "successor_id",
    "state",
)
"""For COPY of tickets just opened."""

UPDATE_TICKETS = """
UPDATE tickets
SET version = changed.version, status = changed.status, priority = changed.priority, team = changed.team,
    assignee = changed.assignee, tags = ARRAY(SELECT jsonb_array_elements_text(changed.state #> '{summary,tags}')),
    updated_at = $1, first_response_due_at = changed.first_response_due_at, next_due_at = changed.next_due_at,
    successor_id = changed.successor_id, state = changed.state
FROM unnest(
    $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::uuid[], $12::jsonb[]
) AS changed (
    ticket_id, loaded_version, version, status, priority, team, assignee,
    first_response_due_at, next_due_at, successor_id, state
)
WHERE tickets.ticket_id = changed.ticket_id AND tickets.version = changed.loaded_version
"""
"""Touches fewer rows than it is given when somebody else wrote a ticket since it was loaded: a bug, never normal."""
