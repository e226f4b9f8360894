"""Whose turn it is in each team. Writer: router."""

from sqlalchemy import BigInteger, Column, Table, Text

from ticket_store.tables.metadata import METADATA

AGENT_LOAD = Table(
    "agent_load",
    METADATA,
    Column("team", Text, primary_key=True),
    Column("assigned", BigInteger, nullable=False, server_default="0"),  # tickets given out; modulo members = next
)

GIVE_OUT = """
INSERT INTO agent_load (team, assigned)
SELECT * FROM unnest($1::text[], $2::bigint[])
ON CONFLICT (team) DO UPDATE SET assigned = agent_load.assigned + excluded.assigned
RETURNING team, assigned
"""
"""Raise the counters by the tickets given out; teams sorted, for everyone waits here until the other's commit."""
