"""Stopping aiokafka's clients in a bounded time.

With the broker away, `producer.stop()` never returns while a record is pending, and `consumer.stop()` raises a stray
CancelledError and leaves its connections open (facts §4.3b, 6). What does not end in time is left behind.
"""

import asyncio
from typing import Protocol

import structlog

log = structlog.get_logger("ticket_stream")


class Stoppable(Protocol):
    """A consumer or a producer of aiokafka."""

    async def stop(self) -> None: ...


async def stop_within(client: Stoppable, seconds: float) -> None:
    """Stop the client or leave it; never raises what the client raises, only our own cancellation."""
    task = asyncio.create_task(client.stop())
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        log.warning("client did not stop in time and is left behind", client=type(client).__name__, seconds=seconds)
    elif task.cancelled() or task.exception() is not None:
        error = None if task.cancelled() else task.exception()
        log.info("client stopped with an error", client=type(client).__name__, error=repr(error))
