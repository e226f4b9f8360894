"""Wait until commands are decided: one query for all waiters of the process."""

import asyncio
from typing import Any

import structlog
from sqlalchemy import Row, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import Text

from crm_api.database_failures import DATABASE_FAILURES
from ticket_store.tables.command_outcomes import COMMAND_OUTCOMES

POLL_SECONDS = 0.015
"""Between two looks: a small part of the 20 to 60 ms that a command takes through Kafka and the engine."""

RETRY_SECONDS = 0.5  # after the database was away

log = structlog.get_logger("await_outcomes")

Outcome = Row[Any]
"""A row of `command_outcomes`."""

# One array and not a list of parameters: the statement is the same for one waiter and for a thousand.
_OUTCOMES = select(COMMAND_OUTCOMES).where(
    COMMAND_OUTCOMES.c.command_id == any_(bindparam("command_ids", type_=ARRAY(Text)))
)


async def read_outcomes(connection: AsyncConnection, command_ids: list[str]) -> list[Outcome]:
    """Return the outcomes that exist of these commands."""
    return list((await connection.execute(_OUTCOMES, {"command_ids": command_ids})).all())


class OutcomeWaiters:
    """Requests that wait for an outcome; several may wait for the same command."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: dict[str, set[asyncio.Future[Outcome | None]]] = {}
        self._somebody_waits = asyncio.Event()
        self._released = False

    @property
    def waiting(self) -> int:
        """How many commands are waited for."""
        return len(self._waiting)

    async def wait_for(self, command_id: str, seconds: float) -> Outcome | None:
        """Return the outcome, or None when it is not known after `seconds` or the process is to stop."""
        if self._released:
            return None
        future: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(command_id, set()).add(future)
        self._somebody_waits.set()
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            self._leave(command_id, future)

    def release(self) -> None:
        """Let everybody go, now and from now on: at a stop 202 with the outcome's URL is better than a cut answer."""
        self._released = True
        for futures in self._waiting.values():
            _settle(futures, None)

    def _leave(self, command_id: str, future: asyncio.Future[Outcome | None]) -> None:
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
            except DATABASE_FAILURES as error:
                log.warning("outcomes cannot be read", reason=type(error).__name__, waiting=len(self._waiting))
                await asyncio.sleep(RETRY_SECONDS)

    async def _look(self) -> None:
        if not self._waiting:
            self._somebody_waits.clear()
            return
        async with self._engine.connect() as connection:
            found = await read_outcomes(connection, list(self._waiting))
        for outcome in found:
            _settle(self._waiting.get(outcome.command_id, set()), outcome)


def _settle(futures: set[asyncio.Future[Outcome | None]], outcome: Outcome | None) -> None:
    for future in futures:
        if not future.done():
            future.set_result(outcome)
