"""Who owns the partitions of a service just now."""

import asyncpg

from tests.support.stack import Stack

_OWNERS = "SELECT count(DISTINCT owner) FROM stream_positions WHERE consumer = $1 AND lease_until > clock_timestamp()"
_UNOWNED = """
SELECT count(*) FROM stream_positions
WHERE consumer = $1 AND (owner IS NULL OR lease_until <= clock_timestamp())
"""


async def is_shared_by(stack: Stack, service: str, owners: int) -> bool:
    """Whether every partition is owned, by so many living processes; a frozen one's leases expire."""
    connection = await asyncpg.connect(stack.database)
    try:
        living = await connection.fetchval(_OWNERS, service)
        unowned = await connection.fetchval(_UNOWNED, service)
    finally:
        await connection.close()
    return bool(living == owners and unowned == 0)
