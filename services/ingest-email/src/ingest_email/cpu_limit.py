"""Bounds the CPU time of a piece of work in the main thread of a worker process.

Python's regular expressions and pure Python code are interrupted; what stays inside other C code is ended by the
process that watches the worker.
"""

import signal
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import FrameType

_AGAIN_SECONDS = 0.001


@dataclass(slots=True)
class _Limit:
    """Of the block that runs; the time may also end while the block is being left, where it can catch nothing."""

    seconds: float = 0.0


_limit = _Limit()


class TookTooLong(Exception):
    """The work used up its CPU time."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` inside the block once it has used that much CPU time (of the user's kind). Do not nest."""
    _listen()
    _limit.seconds = seconds
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
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
    raise TookTooLong(f"more than {_limit.seconds} s of work")
