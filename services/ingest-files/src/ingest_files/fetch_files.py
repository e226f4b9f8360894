"""Takes files under leases, has them fetched, and tells; a row goes only after Kafka has acknowledged."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from ingest_files.compose_result import compose_result
from ingest_files.errors import TryLater
from ingest_files.fetch_file import FileFetcher, failed
from ingest_files.metrics import FileMetrics
from ticket_contracts.envelope import Event
from ticket_contracts.messages import RemoteFile
from ticket_contracts.topics import MESSAGES, Topic
from ticket_store.sessions import Pool
from ticket_store.tables import file_fetches
from ticket_stream.edge_publisher import KafkaAway
from ticket_stream.failure_classes import FailureClass, classify

Publish = Callable[[Topic, str, Event], Awaitable[None]]

# Between two looks at the table when nothing was due.
REST_SECONDS = 1.0
# A lease outlives the longest attempt by this: publishing and the database's own waits.
LEASE_MARGIN = timedelta(seconds=60)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)

log = structlog.get_logger("files")


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` is for one attempt at one file."""

    seconds: float
    at_once: int
    attempts: int


@dataclass(frozen=True, slots=True)
class _Taken:
    identity: bytes
    source: str
    message: Mapping[str, Any]
    file: RemoteFile
    correlation_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class FileFetching:
    """Runs for ever in the supervisor; any number of processes share the table."""

    pool: Pool
    fetcher: FileFetcher
    publish: Publish
    limits: Limits
    metrics: FileMetrics
    new_id: Callable[[], str]
    now: Callable[[], datetime]

    async def run(self) -> None:
        """Work off what is due, then rest. A database or Kafka that is away is waited for."""
        while True:
            try:
                worked = await self.work_once()
            except Exception as error:
                if classify(error) is not FailureClass.AGAIN:
                    raise
                log.warning("files wait", reason=str(error) or type(error).__name__)
                worked = 0
            if not worked:
                await asyncio.sleep(REST_SECONDS)

    async def work_once(self) -> int:
        """Take as many files as may be fetched at once, and finish or put off each; return how many there were."""
        lease = timedelta(seconds=self.limits.seconds) + LEASE_MARGIN
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(file_fetches.TAKE, self.limits.at_once, lease)
            waiting = await connection.fetchrow(file_fetches.WAITING)
        self.metrics.waiting.set(waiting["files"] if waiting else 0)
        ends = await asyncio.gather(*(self._work(_read(row)) for row in rows), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end  # the others are done; this one's lease ends by itself
        return len(rows)

    async def _work(self, taken: _Taken) -> None:
        try:
            async with asyncio.timeout(self.limits.seconds):
                result = await self.fetcher.fetch(taken.source, taken.file)
        except Exception as error:  # whatever it is: this process and the other files must not fall with one
            if not isinstance(error, TryLater | TimeoutError):
                log.exception("a file cannot be fetched", source=taken.source, attempt=taken.attempt)
            reason = _reason(error, self.limits.seconds)
            if taken.attempt < self.limits.attempts:
                await self._put_off(taken, reason)
                return
            result = failed(taken.file, f"given up after {taken.attempt} attempts: {reason}")
        await self._tell(taken, result)

    async def _tell(self, taken: _Taken, result: RemoteFile) -> None:
        key, event = compose_result(taken.message, result, self.new_id(), self.now(), taken.correlation_id)
        try:
            await self.publish(MESSAGES, key, event)
        except KafkaAway:
            await self._put_off(taken, "Kafka is away")
            return
        async with self.pool.acquire() as connection:
            await connection.execute(file_fetches.REMOVE, taken.identity, taken.file.number)
        self.metrics.files.labels(taken.source, result.state).inc()
        if result.content is not None:
            self.metrics.bytes.inc(result.content.size)

    async def _put_off(self, taken: _Taken, reason: str) -> None:
        pause = min(FIRST_PAUSE * 2 ** (taken.attempt - 1), LONGEST_PAUSE)
        log.info("a file is tried again", source=taken.source, attempt=taken.attempt, reason=reason)
        self.metrics.tries.labels(taken.source).inc()
        async with self.pool.acquire() as connection:
            await connection.execute(file_fetches.PUT_OFF, taken.identity, taken.file.number, taken.attempt, pause)


def _reason(error: Exception, seconds: float) -> str:
    """Say it for an agent; what nobody foresaw is in the log only."""
    if isinstance(error, TimeoutError):
        return f"not complete within {seconds:g} seconds"
    return str(error) if isinstance(error, TryLater) else "a defect of ingest-files, see its log"


def _read(row: Mapping[str, Any]) -> _Taken:
    return _Taken(
        row["identity"],
        row["source"],
        json.loads(row["message"]),
        RemoteFile.model_validate_json(row["file"]),
        row["correlation_id"],
        row["attempts"],
    )
