"""The same time limit for many requests at once: one timer for all of them.

`asyncio.timeout` makes a timer for each, which takes as long as reading an ordinary request.
"""

import asyncio
from collections import deque
from types import TracebackType


class Patience:
    """`with patience.wait():` raises TimeoutError inside a task once the block has taken `seconds`.

    All waits are equally long, so that the one that began first ends first.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: deque[Wait] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> "Wait":
        return Wait(self)

    def begin(self, wait: "Wait", loop: asyncio.AbstractEventLoop) -> float:
        """Return the loop's time at which the wait is over."""
        deadline = loop.time() + self._seconds
        self._waits.append(wait)
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._look, loop)
        return deadline

    def forget_ended(self) -> None:
        """Drop what has ended from the front."""
        waits = self._waits
        while waits and waits[0].task is None:
            waits.popleft()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        while self._waits and (self._waits[0].task is None or self._waits[0].deadline <= now):
            self._waits.popleft().expire()
        if self._waits:
            self._timer = loop.call_at(self._waits[0].deadline, self._look, loop)


class Wait:
    """One block; made by `Patience.wait`. `task` is None before and after it."""

    __slots__ = ("_cancelling", "_expired", "_patience", "deadline", "task")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.task: asyncio.Task[object] | None = None
        self.deadline = 0.0
        self._expired = False
        self._cancelling = 0

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "only a task can be interrupted"
        self.task, self._cancelling = task, task.cancelling()
        self.deadline = self._patience.begin(self, task.get_loop())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """As `asyncio.Timeout` does: a cancellation that somebody else asked for goes on."""
        task, self.task = self.task, None
        self._patience.forget_ended()
        if (
            self._expired
            and task is not None
            and task.uncancel() <= self._cancelling
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error

    def expire(self) -> None:
        if self.task is not None:
            self._expired = True
            self.task.cancel()
