"""Bounds the CPU time of a piece of work in the main thread of a worker process.

Python's regular expressions and pure Python code are interrupted; what stays inside other C code is ended by the
process that watches the worker.
"""

import signal
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import CodeType, FrameType, FunctionType
from typing import TypeVar

_AGAIN_SECONDS = 0.001


@dataclass(slots=True)
class _Limit:
    """Of the block that runs; the time may also end while the block is being left, where it can catch nothing."""

    seconds: float = 0.0


_limit = _Limit()
_in_vain: set[CodeType] = set()
_Callback = TypeVar("_Callback", bound=Callable[..., object])


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


def raises_in_vain(callback: _Callback) -> _Callback:
    """Mark a function whose caller, in another language, swallows what is raised in it: the time is up once it ends."""
    assert isinstance(callback, FunctionType), "written in Python, or no signal ends in it"
    _in_vain.add(callback.__code__)
    return callback


@cache
def _listen() -> None:
    """Once in a process: setting and resetting it took a thirtieth of a mail's reading."""
    signal.signal(signal.SIGVTALRM, _interrupt)


def _interrupt(_: int, frame: FrameType | None) -> None:
    if _would_be_swallowed(frame):
        signal.setitimer(signal.ITIMER_VIRTUAL, _AGAIN_SECONDS)
        return
    raise TookTooLong(f"more than {_limit.seconds} s of work")


def _would_be_swallowed(frame: FrameType | None) -> bool:
    """Whether a weak reference's callback, or one that is marked, runs: what is raised there is lost."""
    while frame is not None:
        if frame.f_code in _in_vain or frame.f_code.co_filename == weakref.__file__:
            return True
        frame = frame.f_back
    return False
