"""Ctrl-C and its relatives: the first ends the work in order, a second one at once."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAME_PRESS = 1.0  # seconds; a terminal and `uv run` may both pass one Ctrl-C on


@contextmanager
def cancelled_by_signals() -> Iterator[None]:
    """Cancel the current task on a signal. Its clean-up runs undisturbed unless the person insists."""
    task = asyncio.current_task()
    assert task is not None, "only inside a task"
    loop = asyncio.get_running_loop()
    last = 0.0

    def cancel() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > SAME_PRESS:
            last = now
            task.cancel()

    for each in SIGNALS:
        loop.add_signal_handler(each, cancel)
    try:
        yield
    finally:
        for each in SIGNALS:
            loop.remove_signal_handler(each)
