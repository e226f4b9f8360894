"""Senders who open many conversations at once, and the ticket that takes what is too much. Writer: router."""

from sqlalchemy import Column, DateTime, Integer, Table, Text, Uuid

from ticket_store.tables.metadata import METADATA

SENDER_FLOODS = Table(
    "sender_floods",
    METADATA,
    Column("brand", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("window_started_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Column("opened", Integer, nullable=False),  # conversations since the window began
    Column("ticket_id", Uuid),  # of the flood; NULL before there is one
    Column("taken", Integer, nullable=False, server_default="0"),  # messages that the flood took
)

# A flood ends once the sender has been quiet for a window; a count begins anew with each window.
_OVER = """excluded.last_at - CASE WHEN f.opened > $6 THEN f.last_at ELSE f.window_started_at END > $7::interval"""

COUNT_OPENINGS = f"""
INSERT INTO sender_floods AS f (brand, kind, value, window_started_at, last_at, opened)
SELECT brand, kind, value, at, at, opened
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::integer[])
    AS row (brand, kind, value, at, opened)
ON CONFLICT (brand, kind, value) DO UPDATE SET
    window_started_at = CASE WHEN {_OVER} THEN excluded.last_at ELSE f.window_started_at END,
    last_at = greatest(f.last_at, excluded.last_at),
    opened = CASE WHEN {_OVER} THEN excluded.opened ELSE f.opened + excluded.opened END,
    ticket_id = CASE WHEN {_OVER} THEN NULL ELSE f.ticket_id END,
    taken = CASE WHEN {_OVER} THEN 0 ELSE f.taken END
RETURNING brand, kind, value, opened, ticket_id, taken
"""  # noqa: S608 - made of constants
"""Senders sorted, each once; $6 is what they may open within $7. Holds the rows until the commit: two routers count one
after the other. The end of a flood is judged by the time of receipt, so that a backlog is no flood."""

KEEP_FLOODS = """
UPDATE sender_floods AS f SET ticket_id = row.ticket_id, taken = row.taken
FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::integer[])
    AS row (brand, kind, value, ticket_id, taken)
WHERE (f.brand, f.kind, f.value) = (row.brand, row.kind, row.value)
"""
"""Only of senders that `COUNT_OPENINGS` has just returned to the same transaction."""
