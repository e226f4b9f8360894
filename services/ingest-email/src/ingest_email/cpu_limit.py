"""Bounds the CPU time of a piece of work in the main thread of a worker process.

Python's regular expressions and pure Python code are interrupted; what stays inside other C code is ended by the
process that watches the worker.
"""

import signal
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_SECONDS = 0.001


class TookTooLong(Exception):
    """The work used up its CPU time."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` inside the block once it has used that much CPU time (of the user's kind). Do not nest."""

    def interrupt(_: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_filename == weakref.__file__:
            # What is raised in a weak reference's callback is swallowed: it has to be raised a moment later.
            signal.setitimer(signal.ITIMER_VIRTUAL, _AGAIN_SECONDS)
            return
        raise TookTooLong(f"more than {seconds} s of work")

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
