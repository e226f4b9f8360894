"""Versioned business configuration. Writer: crm-api (at first start the owner, by `firebreak up` or deploy)."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, Index, Integer, Table, Text
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
    Column("head", BigInteger, nullable=False),  # the head version with which it came into force
    Index("ix_configuration_documents_head", "head"),
)

CONFIGURATION_HEAD = Table(
    "configuration_head",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),  # raised by every apply; a batch compares it and reloads
)

READ_HEAD = "SELECT coalesce(max(version), 0) FROM configuration_head"

READ_IN_FORCE = f"""
SELECT head.version AS head, latest.kind, latest.name, latest.version, latest.body
FROM ({READ_HEAD}) AS head (version)
LEFT JOIN (
    SELECT DISTINCT ON (kind, name) kind, name, version, archived, body
    FROM configuration_documents
    ORDER BY kind, name, version DESC
) AS latest ON NOT latest.archived
ORDER BY latest.kind, latest.name
"""  # noqa: S608 - put together from a constant
"""Head and documents in one statement, so that they belong together under READ COMMITTED."""

READ_PAST = """
SELECT document.name, document.version, document.body
FROM configuration_documents AS document
JOIN unnest($2::text[], $3::integer[]) AS wanted (name, version) USING (name, version)
WHERE document.kind = $1
"""

READ_AT_HEAD = """
SELECT kind, name, version, body
FROM (
    SELECT DISTINCT ON (kind, name) kind, name, version, archived, body
    FROM configuration_documents
    WHERE head <= $1
    ORDER BY kind, name, version DESC
) AS latest
WHERE NOT archived
ORDER BY kind, name
"""
"""What was in force at an earlier head."""

READ_KNOWN_NAMES = "SELECT DISTINCT name FROM configuration_documents WHERE kind = $1 AND name = ANY($2::text[])"

MAKE_HEAD = "INSERT INTO configuration_head (id, version) VALUES (1, 0) ON CONFLICT DO NOTHING"

LOCK_HEAD = "SELECT version FROM configuration_head WHERE id = 1 FOR UPDATE"

RAISE_HEAD = "UPDATE configuration_head SET version = version + 1 WHERE id = 1 RETURNING version"

ADD_VERSIONS = """
INSERT INTO configuration_documents (kind, name, version, archived, body, applied_at, applied_by, head)
SELECT
    added.kind, added.name, 1 + coalesce(max(document.version), 0), added.archived, added.body::jsonb, now(), $5, $6
FROM unnest($1::text[], $2::text[], $3::boolean[], $4::text[]) AS added (kind, name, archived, body)
LEFT JOIN configuration_documents AS document USING (kind, name)
GROUP BY added.kind, added.name, added.archived, added.body
"""
