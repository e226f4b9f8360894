"""Work that an event loop does itself: in small portions, and not without end."""

import asyncio
import time
from collections.abc import Callable

PORTION_SECONDS = 0.005
"""Without a break: meanwhile the process answers nobody else."""


class WorkAllowance:
    """How long something may be worked on in all. Who has waited for something else calls `resume` before going on."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._left = seconds
        self._clock = clock
        self._since = clock()

    def resume(self) -> None:
        """Leave out the time since the last call."""
        self._since = self._clock()

    async def lasts(self) -> bool:
        """Let others go on when a portion is done; return whether there is time left. Once used up, it stays so."""
        if (worked := self._clock() - self._since) >= PORTION_SECONDS:
            self._left -= worked
            await asyncio.sleep(0)
            self.resume()
        return self._left > 0
