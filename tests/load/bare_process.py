"""Runs one of the bare programs beside the stack."""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.kept_part import wait_until

START_SECONDS = 20.0


@asynccontextmanager
async def bare_server(module: str, port: int, *arguments: str) -> AsyncIterator[Process]:
    """Run `python -m module port …` until the block ends; it listens when the block is entered."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, str(port), *arguments)

    async def listens() -> bool:
        assert process.returncode is None, f"{module} ended with {process.returncode}"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return False
        writer.close()
        return True

    try:
        await wait_until(listens, START_SECONDS, f"{module} listens")
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
