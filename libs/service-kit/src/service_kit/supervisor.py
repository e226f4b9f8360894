"""Watches the tasks without which the process is of no use.

A task that dies alone is the worst failure of an asyncio service: everything looks alive and nothing is done. So each
long-running task is started through here, and its end, for whatever reason, is the end of the process.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TaskFailure:
    task: str
    reason: str
    error: BaseException | None = None


class Supervisor:
    """One per process; wiring starts tasks in it, the life cycle waits on it.

    `started` is set once every part of the process has started.
    """

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.stopping = asyncio.Event()
        self.failure: TaskFailure | None = None
        self.stop_reason: str | None = None

    @asynccontextmanager
    async def running(
        self, name: str, work: Coroutine[Any, Any, object], *, stop: Callable[[], None] | None = None
    ) -> AsyncIterator[asyncio.Task[object]]:
        """Run `work` while the block lasts, so that tasks stop in the reverse order of their start.

        At the end `stop` asks it to finish what it has in hand and is waited for; without `stop` it is cancelled.
        """
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        try:
            yield task
        finally:
            if not task.done():  # else its end has been reported as the failure it is
                task.remove_done_callback(self._ended)
                (stop or task.cancel)()
                await self._wait_until_ended(task)

    def fail(self, name: str, reason: str, error: BaseException | None = None) -> None:
        """End the process as failed. For parts that notice themselves that they cannot go on."""
        log.critical("part failed", part=name, reason=reason, exc_info=error)
        if self.failure is None:  # what follows the first is mostly its consequence
            self.failure = TaskFailure(name, reason, error)
        self.request_stop(f"{name} failed")

    def request_stop(self, reason: str) -> None:
        if self.stop_reason is None:
            self.stop_reason = reason
        self.stopping.set()

    async def _wait_until_ended(self, task: asyncio.Task[object]) -> None:
        try:
            await asyncio.wait({task})  # unlike `await task` it tells our own cancellation from the task's
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.cancelled() and task.exception() is not None:
            self.fail(task.get_name(), "failed while it was stopped", task.exception())

    def _ended(self, task: asyncio.Task[object]) -> None:
        if task.cancelled():
            self.fail(task.get_name(), "was cancelled from outside")
        elif (error := task.exception()) is not None:
            self.fail(task.get_name(), "failed", error)
        else:
            self.fail(task.get_name(), "ended, though it has to run until the stop")
