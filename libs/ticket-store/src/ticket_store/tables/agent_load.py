"""Whose turn it is in each team. Writer: router."""

from sqlalchemy import BigInteger, Column, Table, Text

from ticket_store.tables.metadata import METADATA

AGENT_LOAD = Table(
    "agent_load",
    METADATA,
    Column("team", Text, primary_key=True),
    Column("assigned", BigInteger, nullable=False, server_default="0"),  # tickets given out; modulo members = next
)
