"""Bounds the CPU time of a piece of work in the main thread of a worker process.

Python's regular expressions and pure Python code are interrupted; what stays inside other C code is ended by the
process that watches the worker.
"""

import signal
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType

_AGAIN_SECONDS = 0.001


class TookTooLong(Exception):
    """The work used up its CPU time."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` inside the block once it has used that much CPU time (of the user's kind). Do not nest."""
    _listen()
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    except TookTooLong as end:
        raise TookTooLong(f"more than {seconds} s of work") from end
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


@cache
def _listen() -> None:
    """Once in a process: setting and resetting it took a thirtieth of a mail's reading."""
    signal.signal(signal.SIGVTALRM, _interrupt)


def _interrupt(_: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_code.co_filename == weakref.__file__:
        # What is raised in a weak reference's callback is swallowed: it has to be raised a moment later.
        signal.setitimer(signal.ITIMER_VIRTUAL, _AGAIN_SECONDS)
        return
    raise TookTooLong("more than its share of work")
