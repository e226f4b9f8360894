"""Waiting for a server: ask by its own protocol until it answers, its process ends, or the time is up."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from firebreak_cli.local_stack.child_process import ChildProcess
from firebreak_cli.local_stack.errors import ServerFailedError

ASK_EVERY = 0.05  # seconds between two questions; start-up is felt by a person


async def wait_until_ready(
    name: str, process: ChildProcess, answers: Callable[[], Awaitable[bool]], timeout: float
) -> None:
    """Return once `answers` is true; raise `ServerFailedError` with the end of the log otherwise."""
    deadline = time.monotonic() + timeout
    while not await answers():
        if process.exit_code is not None:
            raise ServerFailedError(f"{name} ended with code {process.exit_code}. {process.log_end()}")
        if time.monotonic() > deadline:
            raise ServerFailedError(f"{name} did not answer within {timeout:.0f} s. {process.log_end()}")
        await asyncio.sleep(ASK_EVERY)
