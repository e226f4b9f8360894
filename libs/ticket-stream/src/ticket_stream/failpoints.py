"""Named places where a fault test stops the world. In production nothing is there, and nothing is called."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum


class Failpoint(StrEnum):
    """Each is a moment at which the two sides disagree about what has happened."""

    COMMITTED_NOT_ANSWERED = "committed, not answered"
    COMMITTED_NOT_PUBLISHED = "committed, not published"
    PUBLISHED_NOT_CLEANED = "published, not cleaned"
    TAKING_OVER = "taking over"


class Failpoints:
    """What to call at which point. An exception raised there counts as a fault at that very place."""

    def __init__(self, calls: Mapping[Failpoint, Callable[[], Awaitable[None]]] | None = None) -> None:
        self._calls = dict(calls or {})

    async def reach(self, point: Failpoint) -> None:
        if self._calls and (call := self._calls.get(point)) is not None:
            await call()


NO_FAILPOINTS = Failpoints()
