"""Plans read all open tickets and ask rules of them: one after another, so that they leave the rest its share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service_kit.problems import ProblemError

MOST_PLANS = 5
"""The one that is made and those that wait for it; a plan takes seconds at most, and an answer may take twenty."""


class PlanTurns:
    """Whoever may read may ask for plans, any number at once; a roll-out needs the same few connections."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._plans = 0

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for the turn and hold it.

        :raises ProblemError: 503, too many wait already.
        """
        if self._plans >= MOST_PLANS:
            raise ProblemError(
                503,
                "Too many plans at once",
                "Plans are made one after another. Nothing was done; try again in a moment.",
                type="/problems/overloaded",
                headers={"Retry-After": "2"},
            )
        self._plans += 1
        try:
            async with self._turn:
                yield
        finally:
            self._plans -= 1
