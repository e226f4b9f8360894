"""Says what a process that will not stop is waiting for."""

import asyncio
import gc
import inspect
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


def describe_pending(loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
    """Each unfinished task with its chain of awaits, outermost first, and each thread that holds the process open.

    Called from another thread while the loop may be blocked: it only reads.
    """
    tasks = {task.get_name(): list(_awaits(task.get_coro())) for task in asyncio.all_tasks(loop)}
    frames = sys._current_frames()
    threads = {
        thread.name: _place(frames[thread.ident])
        for thread in threading.enumerate()
        if not thread.daemon and thread.ident in frames
    }
    return {"tasks": tasks, "threads": threads}


def _awaits(awaited: object) -> Iterator[str]:
    seen: set[int] = set()
    while awaited is not None and id(awaited) not in seen:
        seen.add(id(awaited))
        if inspect.iscoroutine(awaited):
            frame, following = awaited.cr_frame, awaited.cr_await
        elif inspect.isasyncgen(awaited):
            frame, following = awaited.ag_frame, awaited.ag_await
        else:
            # `async with` of an @asynccontextmanager awaits an object that names its generator to nobody but the
            # garbage collector, and every wiring is made of these.
            frame, following = None, next(filter(inspect.isasyncgen, gc.get_referents(awaited)), None)
        if frame is not None:
            yield _place(frame)
        awaited = following


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
