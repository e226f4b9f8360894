"""What became of messages of ours, by the ids that channels gave them and by time. Writer: router."""

from hashlib import sha256

from sqlalchemy import Column, DateTime, LargeBinary, Table, Text

from ticket_store.tables.metadata import METADATA

DELIVERY_RECEIPTS = Table(
    "delivery_receipts",
    METADATA,
    Column("brand", Text, primary_key=True),
    Column("provider_hash", LargeBinary(32), primary_key=True),  # an id may be longer than an index holds
    Column("account", Text, primary_key=True),  # last: whoever looks a message up knows brand and id
    Column("conversation", LargeBinary(16), nullable=False),  # as `threads.thread_hash`
    Column("sent_by", DateTime(timezone=True), nullable=False),  # the earliest time by which it had been sent
    Column("delivered_at", DateTime(timezone=True)),
    Column("read_at", DateTime(timezone=True)),
    Column("failed_at", DateTime(timezone=True)),
    Column("reason", Text, nullable=False),
)

DELIVERY_WATERMARKS = Table(
    "delivery_watermarks",
    METADATA,
    Column("conversation", LargeBinary(16), primary_key=True),
    Column("state", Text, primary_key=True),  # delivered | read
    Column("up_to", DateTime(timezone=True), primary_key=True),  # all that had been sent by then
    Column("at", DateTime(timezone=True), nullable=False),
)

ADD_RECEIPTS = """
INSERT INTO delivery_receipts AS r (
    brand, provider_hash, account, conversation, sent_by, delivered_at, read_at, failed_at, reason
)
SELECT brand, provider_hash, account, (array_agg(conversation ORDER BY conversation))[1], min(least(at, up_to)),
    min(at) FILTER (WHERE state = 'delivered'), min(at) FILTER (WHERE state = 'read'),
    min(at) FILTER (WHERE state = 'failed'), max(reason)
FROM unnest(
    $1::text[], $2::bytea[], $3::text[], $4::bytea[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[]
) AS told (brand, provider_hash, account, conversation, state, at, up_to, reason)
GROUP BY brand, provider_hash, account ORDER BY brand, provider_hash, account
ON CONFLICT (brand, provider_hash, account) DO UPDATE SET
    conversation = least(r.conversation, excluded.conversation),
    sent_by = least(r.sent_by, excluded.sent_by),
    delivered_at = least(r.delivered_at, excluded.delivered_at),
    read_at = least(r.read_at, excluded.read_at),
    failed_at = least(r.failed_at, excluded.failed_at),
    reason = greatest(r.reason, excluded.reason)
"""
"""Each column keeps what does not depend on the order of arrival: the earliest time (`least` passes over NULL), and of
two reasons the one that is later in the alphabet, so that none is hidden by an empty one."""

ADD_WATERMARKS = """
INSERT INTO delivery_watermarks AS w (conversation, state, up_to, at)
SELECT conversation, state, up_to, min(at)
FROM unnest($1::bytea[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS told (conversation, state, up_to, at)
GROUP BY conversation, state, up_to ORDER BY conversation, state, up_to
ON CONFLICT (conversation, state, up_to) DO UPDATE SET at = least(w.at, excluded.at)
"""

_COVERED_BY = """
LEFT JOIN LATERAL (
    SELECT w.at FROM delivery_watermarks AS w
    WHERE w.conversation = r.conversation AND w.state = '{state}' AND w.up_to >= r.sent_by AND r.failed_at IS NULL
    ORDER BY w.up_to LIMIT 1
) AS {state} ON true
"""

FIND_DELIVERIES = f"""
SELECT r.provider_hash, r.account, least(r.delivered_at, delivered.at) AS delivered_at,
    least(r.read_at, read.at) AS read_at, r.failed_at, r.reason
FROM delivery_receipts AS r JOIN tickets AS t ON t.brand = r.brand
{_COVERED_BY.format(state="delivered")} {_COVERED_BY.format(state="read")}
WHERE t.ticket_id = :ticket_id AND r.provider_hash = ANY (:provider_hashes)
"""  # noqa: S608 - made of constants
"""What became of messages of a ticket's brand. A time counts for each message that had been sent by then: the first
such time, whether it was told before the message's own receipt or after it."""


def provider_hash(provider_id: str) -> bytes:
    """Return the key of a channel's id."""
    return sha256(provider_id.encode()).digest()
