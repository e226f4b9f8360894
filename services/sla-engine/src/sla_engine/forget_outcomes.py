"""Forget the outcomes of commands that nobody can be waiting for any more."""

import asyncio

import asyncpg
import structlog

from ticket_store.sessions import Pool
from ticket_store.tables.command_outcomes import FORGET_OUTCOMES

KEPT_DAYS = 7
"""How long an `Idempotency-Key` is remembered (architecture §1)."""

ROWS = 10_000
"""At once: some 100 ms, so that no lock is held for long."""

PAUSE_SECONDS = 600.0
"""Between two looks. A day's outcomes then go in 144 small steps."""

log = structlog.get_logger("forget_outcomes")


async def forget_forever(pool: Pool) -> None:
    """Look again and again; a database that is away is what the stream reports, here it only costs a look."""
    while True:
        try:
            while await forget(pool) == ROWS:
                continue
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("outcomes not forgotten", reason=type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)


async def forget(pool: Pool) -> int:
    """Delete one portion and return how many there were."""
    async with pool.acquire() as connection:
        status = await connection.execute(FORGET_OUTCOMES, KEPT_DAYS, ROWS)
    return int(status.removeprefix("DELETE "))
