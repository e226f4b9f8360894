"""Is everything stored of every ticket what its facts fold to? Judged by the engine's own check."""

import asyncpg

from sla_engine.check_fold import TicketRange, check_folds


async def find_fold_flaws(database: str) -> list[str]:
    """Return what differs, one line each."""
    connection = await asyncpg.connect(database)
    try:
        pages = [page async for page in check_folds(connection, TicketRange())]
    finally:
        await connection.close()
    return [f"ticket {each.ticket_id}: {each.what}" for page in pages for each in page.differences]
