"""The same time limit for many publications at once: one timer for all of them.

`asyncio.timeout` makes a timer for each and interrupts a task, which takes as long as reading an ordinary request.
"""

import asyncio
from collections import deque

from ticket_stream.edge_publisher import KafkaAway


class Patience:
    """After `limit(future)` the future fails with KafkaAway unless it is done within `seconds`.

    All limits are equally long, so that the one that began first ends first.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def limit(self, acknowledged: "asyncio.Future[None]") -> None:
        loop = acknowledged.get_loop()
        waits = self._waits
        while waits and waits[0][1].done():  # so that no more are remembered than wait
            waits.popleft()
        deadline = loop.time() + self._seconds
        waits.append((deadline, acknowledged))
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        while self._waits and (self._waits[0][1].done() or self._waits[0][0] <= now):
            _, acknowledged = self._waits.popleft()
            if not acknowledged.done():
                acknowledged.set_exception(KafkaAway(f"Kafka did not acknowledge within {self._seconds:g} s"))
        if self._waits:
            self._timer = loop.call_at(self._waits[0][0], self._look, loop)
