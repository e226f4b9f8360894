"""The loop of a streaming service: lease, read, commit, publish."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg
import structlog
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from ticket_contracts.topics import Topic
from ticket_stream.batch_work import BatchWork, StoppedWaiting
from ticket_stream.context import StreamContext
from ticket_stream.due_timers import DueTimers
from ticket_stream.failure_classes import describe
from ticket_stream.failures import StreamRefused
from ticket_stream.held_connection import SESSION_ERRORS, HeldConnection
from ticket_stream.lease import Leases
from ticket_stream.log_inspection import LogInspector
from ticket_stream.operator_decisions import OperatorDecisions
from ticket_stream.owned import CommitUnanswered, Fenced, OwnedPartition
from ticket_stream.ownership import Ownership
from ticket_stream.preparation import prepare
from ticket_stream.publishing import Publisher
from ticket_stream.reading import Reader
from ticket_stream.refused import Refused
from ticket_stream.resting import rest_after
from ticket_stream.time_travel import TimeTravelChecks, WentBack
from ticket_stream.transactions import Transactions
from ticket_stream.waiting import Waiting
from ticket_stream.watchdog import Watchdog
from ticket_stream.work import Work

log = structlog.get_logger("ticket_stream")

_POLL_SECONDS = 0.1  # the longest that a change of leases, a failed publication or a new timer waits for the loop
_FIRST_LEASE_SECONDS = 1.0  # a lease call takes milliseconds; without an answer the preparation is done again
_CLEAN_UP_SECONDS = 0.5  # an idle partition's acknowledged rows go within a second


class Stream:
    """One consumer in one process. `run` ends only by cancellation or `stop`."""

    def __init__(self, context: StreamContext, topics: Sequence[Topic], pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        settings = context.settings
        stop_seconds = settings.stop_seconds / 4  # a half is for the batch in hand, a quarter for the leases
        self._context = context
        self._topics = topics
        self._work_connection = HeldConnection(pool, context.owner)
        self._leases = Leases(context, HeldConnection(pool, context.owner))
        self._inspector = LogInspector(settings.kafka, stop_seconds)
        self._reader = Reader(settings.kafka, stop_seconds)
        self._publisher = Publisher(
            settings.kafka,
            settings.topic_prefix,
            settings.compression,
            stop_seconds=stop_seconds,
            metrics=context.metrics,
            failpoints=context.failpoints,
        )
        self._checks = TimeTravelChecks(context, self._inspector)
        self._ownership = Ownership(
            context, self._work_connection, self._leases, self._publisher, self._reader, self._checks
        )
        transactions = Transactions(context, self._checks, self._publisher)
        self._batches = BatchWork(context, self._work_connection, self._leases, transactions)
        self._decisions = OperatorDecisions(self._batches, self._work_connection, self._inspector)
        self._timers = DueTimers(context, self._work_connection, self._inspector, self._reader)
        self._watchdog = Watchdog(context, self._inspector, lambda: self._ownership.held, self._reader.position)
        self._stopping = asyncio.Event()
        self._waiting = Waiting(context.consumer, context.clock.monotonic)
        self._refused = Refused(context)
        self._generation = 0
        self._next_clean_up = 0.0

    async def ready(self) -> str | None:
        """None when records flow as far as this process is concerned, else the reason why not."""
        return (
            self._refused.reason
            or self._waiting.reason
            or self._leases.refusal
            or self._leases.away
            or self._publisher.failure
            or self._batches.retrying
            or (None if self._ownership.settled else "partitions are being taken over")
        )

    def stop(self) -> None:
        """Finish the batch in hand, publish it, give the partitions back; then `run` returns."""
        self._batches.stopping = True
        self._stopping.set()

    async def run(self) -> None:
        """Return after `stop`. A refusal is waited out, until an operator has acted."""
        while not self._stopping.is_set():
            try:
                await self._run_unless_refused()
            except StreamRefused as refused:
                self._refused.note(refused)
                await self._refused.wait(self._stopping)

    async def _run_unless_refused(self) -> None:
        """:raises StreamRefused: an operator has to act before any service may go on."""
        name = self._context.consumer
        self._checks.forget()
        self._ownership.doubt()
        self._leases.forget()
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(self._watchdog.watch(), name=f"{name} watchdog"),
                    group.create_task(self._leases.keep(), name=f"{name} leases"),
                ]
                await self._until_stopped(group.create_task(self._loop(), name=f"{name} loop"))
                for task in helpers:
                    task.cancel()
        except* Exception as failures:  # noqa: BLE001 - every one of them is raised again, out of its group
            raise self._end(failures) from None
        finally:
            await self._leave()

    async def _until_stopped(self, loop: "asyncio.Task[None]") -> None:
        """Return when the loop has ended, or a while after it was asked to: it may be waiting for what is away."""
        asked = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({loop, asked}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({loop}, timeout=self._context.settings.stop_seconds / 2)
            loop.cancel()
        finally:
            asked.cancel()

    def _end(self, failures: BaseExceptionGroup[Exception]) -> Exception:
        """Return what ended the stream; a refusal before its consequences."""
        refusals, others = failures.split(StreamRefused)
        found: BaseException | None = refusals or others
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        assert isinstance(found, Exception), "only exceptions are caught"
        if not isinstance(found, StreamRefused):
            log.critical("stream ended", consumer=self._context.consumer, reason=describe(found))
        return found

    async def _loop(self) -> None:
        await self._until_prepared()
        while not self._stopping.is_set():
            if self._leases.refusal is not None:
                raise StreamRefused(self._leases.refusal)
            if self._leases.lost:
                self._leases.lost = False
                await self._start_over()
            try:
                await self._step()
                self._waiting.over()
                self._refused.over()
            except Fenced as fenced:
                self._context.metrics.fenced.inc()
                log.warning("fenced", consumer=self._context.consumer, reason=str(fenced))
                self._ownership.doubt()
            except CommitUnanswered as doubt:
                self._context.metrics.unanswered.inc()
                log.warning("no answer to COMMIT", consumer=self._context.consumer, error=str(doubt))
                await self._start_over()
            except StoppedWaiting:
                return
            except WentBack as found:
                await self._refuse(found)
            except KafkaError as error:
                await self._reader.close()
                await self._start_over()
                await self._waiting.a_moment(describe(error))
            except Exception as error:  # noqa: BLE001 - raised again unless it comes back by itself
                await self._start_over()
                await self._waiting.out(error)

    async def _until_prepared(self) -> None:
        while not self._stopping.is_set():
            try:
                connection = await self._work_connection.get()
                await prepare(self._context, self._topics, connection, self._inspector)
                self._leases.wake()
                async with asyncio.timeout(_FIRST_LEASE_SECONDS):
                    await self._leases.answered.wait()
                return
            except Exception as error:  # noqa: BLE001 - raised again unless it comes back by itself
                await self._start_over()
                await self._waiting.out(error)

    async def _refuse(self, found: WentBack) -> None:
        try:
            await self._checks.refuse(await self._work_connection.get(), found)
        except Exception as error:  # noqa: BLE001 - the refusal itself, or the database is away and it is found again
            await self._start_over()
            await self._waiting.out(error)

    async def _start_over(self) -> None:
        """After any doubt: nothing in memory counts, and each side may have gone back in time meanwhile."""
        await self._work_connection.discard()
        self._checks.forget()
        self._ownership.doubt()

    async def _step(self) -> None:
        await self._connect()
        if self._context.generation != self._generation:
            self._generation = self._context.generation
            self._ownership.doubt()  # what is written from now on has another source
        if not self._ownership.settled:
            await self._ownership.settle()
        await self._carry_out_decisions()
        self._ownership.direct_reader()
        if not await self._room():
            return
        ready = await self._timers.look(self._ownership.active)
        polled = await self._poll(0.0 if ready else _POLL_SECONDS)
        busy = {(raw.key or b"").decode(errors="replace") for _, raws in polled for raw in raws} if ready else set()
        if overtaken := self._timers.overtaken(ready, busy, self._context.settings.batch_size):
            await self._batches.handle(Work(timers=overtaken))
        work = Work(polled, self._timers.take(ready, busy, self._context.settings.batch_size))
        began = time.monotonic()
        if work:
            await self._batches.handle(work)
        await self._clean_up()
        if rest := rest_after(len(work), time.monotonic() - began, self._context.settings.batch_size):
            await asyncio.sleep(rest)

    async def _connect(self) -> None:
        if self._watchdog.suspicious:
            self._watchdog.suspicious = False
            self._context.metrics.consumers_renewed.inc()
            await self._reader.close()
        if not self._reader.connected:
            await self._reader.connect()
            self._ownership.reader_is_new()
        if self._publisher.failure is not None:
            if not await self._publisher.restart():
                raise ConnectionError(f"publishing waits for Kafka: {self._publisher.failure}")
            self._ownership.doubt()

    async def _room(self) -> bool:
        """Back-pressure: read nothing more while too much is unpublished."""
        metrics = self._context.metrics
        metrics.unpublished.set(self._publisher.unpublished)
        full = self._publisher.unpublished >= self._context.settings.max_unpublished
        metrics.back_pressure.set(full)
        if full:
            await self._publisher.wait_for_progress(_POLL_SECONDS)
            await self._clean_up()
        return not full

    async def _poll(self, seconds: float) -> Sequence[tuple[OwnedPartition, list[ConsumerRecord]]]:
        if not self._ownership.active:
            await asyncio.sleep(seconds)
            return []
        polled = await self._reader.poll(self._context.settings.batch_size, seconds)
        self._watchdog.polled(sum(len(raws) for _, raws in polled))
        return polled

    async def _carry_out_decisions(self) -> None:
        for owned in self._ownership.held:
            if owned.paused is not None and owned.id in self._leases.decided:
                await self._decisions.carry_out(owned)
                self._ownership.reader_is_new()  # it has read past the pause, perhaps within this very turn

    async def _clean_up(self, *, now: bool = False) -> None:
        if not now and time.monotonic() < self._next_clean_up:
            return
        self._next_clean_up = time.monotonic() + _CLEAN_UP_SECONDS
        due = [
            owned for owned in self._ownership.held if (self._publisher.deletable(owned.id) or 0) > owned.cleaned_up_to
        ]
        if due:
            await self._batches.clean_up(due)

    async def _leave(self) -> None:
        """Bounded: what does not end in time stays for the next owner, who finds it in the tables."""
        seconds = self._context.settings.stop_seconds / 4
        name = self._context.consumer
        try:
            async with asyncio.timeout(seconds):
                await self._publisher.drain(seconds / 2)
                if self._leases.answered.is_set():
                    await self._clean_up_at_last()
                    await self._leases.leave()
                await self._leases.close()
                await self._work_connection.give_back()
        except SESSION_ERRORS as error:
            log.warning("left without saying so", consumer=name, reason=describe(error))
        finally:
            await asyncio.gather(self._publisher.stop(), self._reader.close(), self._inspector.close())
            log.info("left", consumer=name)

    async def _clean_up_at_last(self) -> None:
        """Rows that stay are published once more by the next owner. A batch cut off in its COMMIT fences us."""
        try:
            await self._clean_up(now=True)
        except (Fenced, CommitUnanswered, StoppedWaiting, StreamRefused, *SESSION_ERRORS) as error:
            log.info("acknowledged rows are left to the next owner", consumer=self._context.consumer, error=str(error))
