"""Keys of API callers; only the SHA-256 of a key is stored. Writer: crm-api (and `firebreak` at first start)."""

from sqlalchemy import Column, DateTime, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from ticket_store.tables.metadata import METADATA

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", Uuid, primary_key=True),
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("agent", Text),  # the agent whose name commands carry; None for machines
    Column("scopes", ARRAY(Text), nullable=False),  # read | write | admin
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)
