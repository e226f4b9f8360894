"""What the runner of jobs does that needs no database."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from ticket_stream.job_metrics import JobMetrics
from ticket_stream.job_rows import JobKey
from ticket_stream.job_runner import JobRunner
from ticket_stream.leased_jobs import Job, Turn


class Deaf:
    """A job, or a library below it, that takes its cancellation for the end of a wait."""

    name, interval_seconds = "deaf", 0.0

    def __init__(self) -> None:
        self.runs = 0
        self.waits = asyncio.Event()

    async def run(self, turn: Turn) -> None:
        self.runs += 1
        self.waits.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


class WithoutLease(Turn):
    """A turn whose lease is always ours."""

    async def regain(self) -> None:
        """There is no table."""


class OneJob(JobRunner):
    """Begins and ends a job by hand."""

    async def begin(self, job: Job) -> "asyncio.Task[None]":
        nobody: Any = None
        key = JobKey("test", job.name, "owner")
        turn = WithoutLease(key, timedelta(seconds=3), self._publish, nobody, JobMetrics("test", None))
        task = asyncio.create_task(self._live(job, turn))
        self._running[job.name] = (turn, task)
        return task

    async def end(self, job: Job) -> None:
        await self._end({job.name})


async def test_a_job_that_swallows_its_cancellation_is_not_run_again() -> None:
    nobody: Any = None
    job = Deaf()
    runner = OneJob("test", [job], nobody, nobody)
    task = await runner.begin(job)
    await job.waits.wait()
    await runner.end(job)
    assert (task.done(), job.runs) == (True, 1)


class NoPool:
    """A database that nobody may ask."""

    async def acquire(self, **_: Any) -> None:
        raise AssertionError("who has no jobs asks no database")


async def test_a_runner_that_never_had_jobs_asks_no_database() -> None:
    pool: Any = NoPool()
    runner = JobRunner("test", [], pool, pool)
    running = asyncio.create_task(runner.run())
    while await runner.ready() is not None:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0)
    runner.stop()
    await running
