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
