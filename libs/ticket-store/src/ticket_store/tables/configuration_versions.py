"""Every head version of the configuration: who made it and when. Writer: crm-api (and `firebreak`, by an operator)."""

from sqlalchemy import BigInteger, Column, DateTime, Table, Text

from ticket_store.tables.metadata import METADATA

CONFIGURATION_VERSIONS = Table(
    "configuration_versions",
    METADATA,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
    Column("applied_by", Text, nullable=False),
    Column("rolled_back_to", BigInteger),  # the earlier version that this one repeats
)

ADD_VERSION = """
INSERT INTO configuration_versions (version, applied_at, applied_by, rolled_back_to) VALUES ($1, now(), $2, $3)
"""

READ_VERSIONS = """
SELECT of_head.version, of_head.applied_at, of_head.applied_by, of_head.rolled_back_to,
    coalesce(array_agg(document.kind || '/' || document.name ORDER BY document.kind, document.name)
        FILTER (WHERE NOT document.archived), '{}') AS changed,
    coalesce(array_agg(document.kind || '/' || document.name ORDER BY document.kind, document.name)
        FILTER (WHERE NOT document.archived AND coalesce(before.archived, true)), '{}') AS added,
    coalesce(array_agg(document.kind || '/' || document.name ORDER BY document.kind, document.name)
        FILTER (WHERE document.archived), '{}') AS archived
FROM (
    SELECT * FROM configuration_versions
    WHERE $1::bigint IS NULL OR version < $1
    ORDER BY version DESC
    LIMIT $2
) AS of_head
LEFT JOIN configuration_documents AS document ON document.head = of_head.version
LEFT JOIN configuration_documents AS before
    ON before.kind = document.kind AND before.name = document.name AND before.version = document.version - 1
GROUP BY of_head.version, of_head.applied_at, of_head.applied_by, of_head.rolled_back_to
ORDER BY of_head.version DESC
"""
"""The newest first; `changed` holds those that are `added` too: new ones, and archived ones that come back."""
