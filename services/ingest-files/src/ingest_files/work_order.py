"""One order: fetched or scanned, told to the ticket, or put off; the row goes only after Kafka has acknowledged."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from ingest_files.compose_result import compose_result
from ingest_files.errors import NotItsFault, TryLater
from ingest_files.fetch_file import FileFetcher
from ingest_files.leased_orders import FETCH, LeasedOrders, Order
from ingest_files.metrics import FileMetrics
from ingest_files.scan_attachments import AttachmentScanner, Undecided, without_verdict
from ingest_files.scan_file import ScannerAway, ScannerFell
from ingest_files.scanner_state import ScannerState
from ingest_files.watched_storage import StorageAway, WatchedStorage
from ticket_contracts.envelope import Event
from ticket_contracts.messages import RemoteFile
from ticket_contracts.topics import MESSAGES, Topic
from ticket_contracts.vocabulary import FileState
from ticket_stream.edge_publisher import KafkaAway

Publish = Callable[[Topic, str, Event], Awaitable[None]]

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)

log = structlog.get_logger("files")


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` is for one attempt at one file, whatever it waits for: provider, scanner, storage."""

    seconds: float
    attempts: int


@dataclass(frozen=True, slots=True)
class OrderWork:
    """What it takes; safe to call at once for many orders."""

    orders: LeasedOrders
    fetcher: FileFetcher
    attachments: AttachmentScanner
    scanner: ScannerState
    storage: WatchedStorage
    publish: Publish
    limits: Limits
    metrics: FileMetrics
    new_id: Callable[[], str]
    now: Callable[[], datetime]

    async def work(self, order: Order) -> None:
        """Bring an order to its end or put it off.

        :raises OSError: or another of the database; then the lease ends by itself.
        """
        if order.attempt > self.limits.attempts:  # whoever took it last did not live to put it off
            await self._give_up(order, "what worked on it ended each time without a result")
            return
        try:
            results = await self._results(order)
        except NotItsFault as error:
            if isinstance(error, ScannerAway):
                self.scanner.went_away()
            pause = timedelta(seconds=self.storage.pause) if isinstance(error, StorageAway) else FIRST_PAUSE
            await self._put_off(order, str(error), pause, order.attempt - 1)
        except Exception as error:  # whatever it is: this process and the other files must not fall with one
            if isinstance(error, ScannerFell):
                self.scanner.went_away()
            if not isinstance(error, TryLater | TimeoutError):
                log.exception("a file cannot be worked on", source=order.source, attempt=order.attempt)
            reason = _reason(error, self.limits.seconds)
            if order.attempt < self.limits.attempts:
                pause = min(FIRST_PAUSE * 2 ** (order.attempt - 1), LONGEST_PAUSE)
                await self._put_off(order, reason, pause, order.attempt)
            else:
                await self._give_up(order, reason, error.results if isinstance(error, Undecided) else ())
        else:
            await self._tell(order, results)

    async def _results(self, order: Order) -> tuple[RemoteFile, ...]:
        async with asyncio.timeout(self.limits.seconds * len(order.files)):
            if order.work == FETCH:
                return (await self.fetcher.fetch(order.source, order.files[0]),)
            return await self.attachments.scan(order.files)

    async def _give_up(self, order: Order, reason: str, results: tuple[RemoteFile, ...] = ()) -> None:
        """Tell that it failed; of `results`, only those files that did."""
        words = f"given up after {min(order.attempt, self.limits.attempts)} attempts: "
        if results:
            failed = {file.number: without_verdict(file, words + file.reason) for file in results if _is_failed(file)}
            await self._tell(order, tuple(failed.get(file.number, file) for file in results))
            return
        await self._tell(order, tuple(without_verdict(file, words + reason) for file in order.files))

    async def _tell(self, order: Order, results: tuple[RemoteFile, ...]) -> None:
        try:
            key, event = compose_result(order, results, self.new_id(), self.now())
            await self.publish(MESSAGES, key, event)
        except KafkaAway:
            await self._put_off(order, "Kafka is away", FIRST_PAUSE, order.attempt - 1)
            return
        except ValueError:  # no event can hold it; the other files must not fall with it
            log.exception("what became of files cannot be told", source=order.source, identity=order.identity.hex())
            await self._put_off(order, "it cannot be told", LONGEST_PAUSE, order.attempt)
            return
        await self.orders.remove(order)
        for file in results:
            self.metrics.files.labels(order.source, file.state).inc()
            if order.work == FETCH and file.content is not None:
                self.metrics.bytes.inc(file.content.size)

    async def _put_off(self, order: Order, reason: str, pause: timedelta, attempts: int) -> None:
        log.info("a file is tried again", source=order.source, attempt=order.attempt, reason=reason)
        self.metrics.tries.labels(order.source).inc()
        await self.orders.put_off(order, pause, attempts)


def _is_failed(file: RemoteFile) -> bool:
    return file.state is FileState.FAILED


def _reason(error: Exception, seconds: float) -> str:
    """Say it for an agent; what nobody foresaw is in the log only."""
    if isinstance(error, TimeoutError):
        return f"not complete within {seconds:g} seconds"
    return str(error) if isinstance(error, TryLater) else "a defect of ingest-files, see its log"
