"""A stream that was refused stays up, not ready and saying why: a process that ends would be started for ever."""

import asyncio

import structlog

from ticket_stream.context import StreamContext
from ticket_stream.failure_classes import describe
from ticket_stream.failures import StreamRefused

log = structlog.get_logger("ticket_stream")

_LOOK_SECONDS = 5.0  # until it is looked whether an operator has acted, which takes minutes


class Refused:
    """Why the stream stands still, if it does; part of its readiness."""

    def __init__(self, context: StreamContext) -> None:
        self._context = context
        self.reason: str | None = None

    def note(self, refused: StreamRefused) -> None:
        """Say it once, not at every look."""
        self._context.metrics.refused.set(1)
        if self.reason != str(refused):
            log.critical("stream refused", consumer=self._context.consumer, reason=describe(refused))
        self.reason = str(refused)

    async def wait(self, stopping: asyncio.Event) -> None:
        """Return when it is worth looking again, or at the stop."""
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await stopping.wait()
        except TimeoutError:
            return

    def over(self) -> None:
        """The stream runs."""
        if self.reason is not None:
            log.info("no longer refused", consumer=self._context.consumer)
            self._context.metrics.refused.set(0)
        self.reason = None
