"""People by their identities: (brand, kind, value) belongs to one contact. Writer: router."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, Table, Text, Uuid

from ticket_store.tables.metadata import METADATA

CONTACTS = Table(
    "contacts",
    METADATA,
    Column("contact_id", Uuid, primary_key=True),
    Column("brand", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

CONTACT_IDENTITIES = Table(
    "contact_identities",
    METADATA,
    Column("brand", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("contact_id", Uuid, ForeignKey("contacts.contact_id"), nullable=False),
    Index(None, "contact_id"),
)

FIND = """
SELECT i.brand, i.kind, i.value, i.contact_id, c.name
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (brand, kind, value)
JOIN contact_identities AS i USING (brand, kind, value)
JOIN contacts AS c USING (contact_id)
"""

CREATE = """
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[])
        AS row (brand, kind, value, contact_id, name)
), claimed AS (
    INSERT INTO contact_identities (brand, kind, value, contact_id)
    SELECT brand, kind, value, contact_id FROM wanted
    ON CONFLICT (brand, kind, value) DO NOTHING
    RETURNING contact_id
)
INSERT INTO contacts (contact_id, brand, name, created_at)
SELECT contact_id, brand, name, $6 FROM wanted
WHERE (contact_id IN (SELECT contact_id FROM claimed)) IS TRUE
RETURNING contact_id
"""
"""Identities sorted. One statement, so that whoever loses an identity leaves no contact without one; the foreign key
is checked at its end. A contact that does not come back exists: find it in a new statement. `IS TRUE` keeps the
planner from making a join of it, which without hash joins (`index_plans`) compares each with each: 15 ms for 500.
"""
