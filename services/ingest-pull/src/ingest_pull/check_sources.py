"""What `firebreak sources check` tries of a pull sources file: each job's own look, which no cursor follows."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx
from prometheus_client import CollectorRegistry
from uuid_utils import uuid7

from ingest_pull.compose_outgoing import Composer
from ingest_pull.kinds.parts import Shared
from ingest_pull.pull_metrics import PullMetrics
from ingest_pull.pull_sources import read_pull_sources
from ticket_contracts.messages import StoredObject
from ticket_intake.source_checks import PAST_PROXIES, Asked, Attempt, Checker, SourcesFile, Trial, not_tried
from ticket_stream.leased_jobs import Job


@asynccontextmanager
async def open_trials(asked: Asked) -> AsyncIterator[Sequence[Trial]]:
    """Every source of the file.

    :raises SourcesInvalid:
    """
    composer = Composer(_store_nothing, lambda: str(uuid7()), lambda: asked.now)
    async with httpx.AsyncClient(mounts=PAST_PROXIES) as client:
        shared = Shared(composer, PullMetrics(CollectorRegistry()), client)
        jobs = read_pull_sources(asked.file, asked.environment, shared).jobs
        yield [_trial(job, asked) for job in jobs.values()]


def _trial(job: Job, asked: Asked) -> Trial:
    kind, _, source = job.name.partition("/")
    return Trial(source, kind, partial(attempts, job, asked))


async def attempts(job: Job, asked: Asked) -> AsyncIterator[Attempt]:
    """What the job says of itself."""
    try_out = getattr(job, "try_out", None)
    if try_out is None:
        yield not_tried("nothing: this kind has no check", "look at firebreak_job_state of ingest-pull")
        return
    async for attempt in try_out(asked.url):
        yield attempt


async def _store_nothing(_content: bytes, _media_type: str) -> StoredObject:
    raise AssertionError("a check stores nothing")


CHECKER = Checker(SourcesFile.PULL, open_trials)
