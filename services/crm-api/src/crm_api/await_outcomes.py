"""Wait until commands are decided: one query for all waiters of the process."""

import asyncio
from typing import Any

import structlog
from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ticket_store.tables.command_outcomes import COMMAND_OUTCOMES

POLL_SECONDS = 0.015
"""Between two looks: a small part of the 20 to 60 ms that a command takes through Kafka and the engine."""

RETRY_SECONDS = 0.5  # after the database was away

log = structlog.get_logger("await_outcomes")

Outcome = Row[Any]
"""A row of `command_outcomes`."""


async def read_outcomes(connection: AsyncConnection, command_ids: list[str]) -> list[Outcome]:
    """Return the outcomes that exist of these commands."""
    query = select(COMMAND_OUTCOMES).where(COMMAND_OUTCOMES.c.command_id.in_(command_ids))
    return list((await connection.execute(query)).all())


class OutcomeWaiters:
    """Requests that wait for an outcome; several may wait for the same command."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: dict[str, set[asyncio.Future[Outcome]]] = {}
        self._somebody_waits = asyncio.Event()

    async def wait_for(self, command_id: str, seconds: float) -> Outcome | None:
        """Return the outcome, or None when it is not known after `seconds`."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(command_id, set()).add(future)
        self._somebody_waits.set()
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            self._leave(command_id, future)

    def _leave(self, command_id: str, future: asyncio.Future[Outcome]) -> None:
        waiters = self._waiting.get(command_id, set())
        waiters.discard(future)
        if not waiters:
            self._waiting.pop(command_id, None)

    async def run(self) -> None:
        """Look for outcomes while somebody waits, until cancelled."""
        while True:
            await self._somebody_waits.wait()
            try:
                await self._look()
                await asyncio.sleep(POLL_SECONDS)
            except (SQLAlchemyError, OSError) as error:
                log.warning("outcomes cannot be read", reason=type(error).__name__, waiting=len(self._waiting))
                await asyncio.sleep(RETRY_SECONDS)

    async def _look(self) -> None:
        if not self._waiting:
            self._somebody_waits.clear()
            return
        async with self._engine.connect() as connection:
            found = await read_outcomes(connection, list(self._waiting))
        for outcome in found:
            for future in self._waiting.get(outcome.command_id, set()):
                if not future.done():
                    future.set_result(outcome)
