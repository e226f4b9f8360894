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

FIND_TICKETS = """
WITH RECURSIVE followed AS (
    SELECT thread_hash, ticket_id, NULL::uuid AS previous_ticket_id, 0 AS step
    FROM threads WHERE thread_hash = ANY($1::bytea[])
    UNION ALL
    SELECT thread_hash, successor_id, followed.ticket_id, step + 1
    FROM followed JOIN tickets ON tickets.ticket_id = followed.ticket_id AND successor_id IS NOT NULL
    WHERE step < 1000
)
SELECT DISTINCT ON (thread_hash) thread_hash, ticket_id, previous_ticket_id FROM followed
ORDER BY thread_hash, step DESC
"""
"""Of a closed ticket the last of its follow-ups, and which ticket that one follows. The engine would forward a message
there, too, but ticket by ticket and not without end. Ids of follow-ups are derived, so their chain is never a ring;
the bound only keeps a row that was changed by hand from stopping the router."""

CLAIM = """
INSERT INTO threads (thread_hash, ticket_id, created_at)
SELECT thread_hash, ticket_id, $3 FROM unnest($1::bytea[], $2::uuid[]) AS claim (thread_hash, ticket_id)
ON CONFLICT (thread_hash) DO NOTHING
RETURNING thread_hash
"""
"""Keys sorted. A key that does not come back was claimed by somebody else: read whose in a new statement."""

MOVE_OWN_CLAIMS = """
UPDATE threads SET ticket_id = claim.ticket_id
FROM unnest($1::bytea[], $2::uuid[]) AS claim (thread_hash, ticket_id)
WHERE threads.thread_hash = claim.thread_hash
"""
"""Only for keys claimed in the same transaction: nobody has seen them yet."""
