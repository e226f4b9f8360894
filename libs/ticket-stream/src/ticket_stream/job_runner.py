"""The process's share of a service's jobs, kept up to date once a second and whenever a process joins or leaves."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import structlog
from prometheus_client import CollectorRegistry

from ticket_stream import job_rows
from ticket_stream.failure_classes import FailureClass, classify, describe
from ticket_stream.held_connection import SESSION_ERRORS, HeldConnection
from ticket_stream.job_functions import JOB_CHANNEL
from ticket_stream.job_metrics import JobMetrics
from ticket_stream.job_rows import JobKey, JobLost
from ticket_stream.lease import new_owner
from ticket_stream.leased_jobs import Job, Publish, StoreAway, Turn, lent_connection
from ticket_stream.processing import Connection

LEASE_SECONDS = 3.0  # a killed process's jobs wait this long
RENEW_SECONDS = 1.0  # a third of the lease, so that one lost call costs nothing
_CALL_SECONDS = 2.0  # shorter than a lease: a silent server costs one renewal and not the lease
_RETRY_SECONDS = 0.3  # Postgres is away, or the job changed hands: soon after its return jobs go on
_STOP_SECONDS = 1.5  # for jobs to put down what they hold; the leases of the others are not renewed meanwhile
# A source that fails: a second at first, a minute in the end, so that it is neither hammered nor forgotten.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0

log = structlog.get_logger("jobs")


class JobRunner:
    """Runs those of `jobs` that this process has. All processes of `consumer`, a service, are given the same jobs."""

    def __init__(
        self,
        consumer: str,
        jobs: Sequence[Job],
        publish: Publish,
        pool: "asyncpg.Pool[asyncpg.Record]",
        registry: CollectorRegistry | None = None,
        *,
        lease_seconds: float = LEASE_SECONDS,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        """The pool lends one connection for as long as `run` lasts, and another for each move of a cursor."""
        self._jobs = self._wanted = _by_name(jobs)
        self._to_release: set[str] = set()
        self._consumer = consumer
        self._owner = new_owner()
        self._publish = publish
        self._pool = pool
        self._metrics = JobMetrics(consumer, registry)
        self._lease = timedelta(seconds=lease_seconds)
        self._first_pause = first_pause_seconds
        self._held = HeldConnection(pool, self._owner)
        self._listening: Connection | None = None
        self._has_joined = False
        self._look = asyncio.Event()
        self._stopping = False
        self._running: dict[str, tuple[Turn, asyncio.Task[None]]] = {}
        self._away: str | None = "not started yet"

    @property
    def owned(self) -> frozenset[str]:
        """The names of the jobs that this process runs."""
        return frozenset(self._running)

    async def ready(self) -> str | None:
        """A job that fails is no reason: its source may be broken for days, and the others go on."""
        return self._away

    def stop(self) -> None:
        """Ask `run` to give everything back and end."""
        self._stopping = True
        self._look.set()

    def change(self, jobs: Sequence[Job]) -> None:
        """Run these jobs from now on, soon: what is the same object goes on undisturbed.

        Another job of a name that was there is begun under the same lease, from the cursor in the table; one that is
        not named any more is ended before its lease is given up, and its cursor stays for the day it comes back.

        :raises ValueError: two jobs have the same name; nothing changes.
        """
        self._wanted = _by_name(jobs)
        self._look.set()

    async def wake(self, name: str, hint: str = "") -> None:
        """Wake a job in whichever process has it.

        :raises StoreAway:
        """
        async with lent_connection(self._pool) as connection:
            await job_rows.wake_job(connection, self._consumer, name, hint)

    async def run(self) -> None:
        """Run until stopped. Postgres may be away; an error of it is only a reason to try again."""
        try:
            while not self._stopping:
                try:
                    await self._adopt()
                    await self._renew()
                    delay = RENEW_SECONDS
                except Exception as error:
                    if classify(error) is not FailureClass.AGAIN:
                        raise
                    await self._note_away(error)
                    delay = _RETRY_SECONDS
                await self._look_again_within(delay)
        finally:
            await self._end(set(self._running))
            await self._leave()

    async def _adopt(self) -> None:
        """Take over what `change` asked for, between two renewals: none is ever under way with another set of names."""
        before, self._jobs = self._jobs, self._wanted
        changed = {name for name, job in before.items() if self._jobs.get(name) is not job}
        await self._end(changed & self._running.keys())
        self._to_release = (self._to_release | changed) - self._jobs.keys()

    async def _renew(self) -> None:
        if not self._jobs and not self._to_release:
            self._away = None  # and no member: the jobs are shared by processes that have some
            return
        self._has_joined = True
        async with asyncio.timeout(_CALL_SECONDS):
            connection = await self._held.get()
            if self._listening is not connection:
                await connection.add_listener(JOB_CHANNEL, self._on_notify)
                self._listening = connection
            if self._to_release:
                await job_rows.release(connection, self._consumer, self._owner, sorted(self._to_release))
                self._to_release = set()
            owned = await job_rows.lease(connection, self._consumer, self._owner, self._lease, list(self._jobs))
        if self._away is not None:
            log.info("job leases are renewed", consumer=self._consumer, jobs=len(owned))
        self._away = None
        died = {name for name, (_, task) in self._running.items() if task.done()}
        await self._end(died | (self._running.keys() - owned))
        for name in sorted(owned - self._running.keys()):  # also one whose task ended by a stray cancellation
            self._begin(self._jobs[name])

    def _begin(self, job: Job) -> None:
        log.info("job taken", job=job.name)
        key = JobKey(self._consumer, job.name, self._owner)
        turn = Turn(key, self._lease, self._publish, self._pool, self._metrics)
        self._running[job.name] = (turn, asyncio.create_task(self._live(job, turn), name=f"job {job.name}"))

    async def _live(self, job: Job, turn: Turn) -> None:
        """Run the job over and over until it is cancelled; also a job that swallowed that ends with its next error."""
        failures, moves = 0, 0
        while turn.is_ours:
            try:
                await turn.regain()
                await self._run_on(job, turn, noted=failures > 0)
            except JobLost:
                self._metrics.lost(job.name)
                self._look.set()
                await asyncio.sleep(_RETRY_SECONDS)
            except StoreAway as error:
                log.debug("job waits for Postgres", job=job.name, error=str(error))
                self._metrics.state(job.name, "waiting")
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - one source's fault must not stop the others; shown and retried
                failures = failures + 1 if turn.moves == moves else 1
                moves = turn.moves
                await self._fail(job, turn, error, failures)

    async def _run_on(self, job: Job, turn: Turn, *, noted: bool) -> None:
        while turn.is_ours:
            self._metrics.state(job.name, "running")
            await job.run(turn)
            if noted:
                await turn.note(None)
                noted = False
            await turn.rest(job.interval_seconds)

    async def _fail(self, job: Job, turn: Turn, error: Exception, failures: int) -> None:
        pause = min(self._first_pause * 2 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS)
        self._metrics.failed(job.name, error)
        transient = classify(error) is FailureClass.AGAIN
        log.warning(
            "job failed",
            job=job.name,
            error=describe(error),
            again_in_seconds=pause,
            exc_info=None if transient else error,
        )
        try:
            await turn.note(error)
        except StoreAway:
            log.debug("the error of a job could not be noted", job=job.name)
        await asyncio.sleep(pause)

    async def _end(self, names: set[str]) -> None:
        """Cancel these jobs' tasks and wait for them, a bounded time: the fence holds without them, too."""
        ended = [(name, *self._running.pop(name)) for name in sorted(names)]
        for _, turn, task in ended:
            turn.is_ours = False
            task.cancel()
        if ended:
            _, hung = await asyncio.wait({task for _, _, task in ended}, timeout=_STOP_SECONDS)
            for task in hung:
                log.error("a job does not let itself be cancelled", task=task.get_name())
            for task in {task for _, _, task in ended} - hung:
                if not task.cancelled() and (error := task.exception()) is not None:
                    log.error("a job died and is begun anew", task=task.get_name(), exc_info=error)
        for name, _, _ in ended:
            self._metrics.forget(name)
            log.info("job given up", job=name)

    async def _leave(self) -> None:
        """Give everything back, so that the others need not wait for the leases to expire."""
        if not self._has_joined:  # who never had jobs asks no database
            return
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                connection = await self._held.get()
                await job_rows.leave(connection, self._consumer, self._owner)
                if self._listening is not None:
                    await self._listening.remove_listener(JOB_CHANNEL, self._on_notify)
        except (*SESSION_ERRORS, TimeoutError) as error:
            log.info("jobs could not be given back: their leases expire", error=describe(error))
            await self._held.discard()
        self._listening = None
        await self._held.give_back()

    async def _look_again_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._look.wait()
        except TimeoutError:
            return
        self._look.clear()

    async def _note_away(self, error: Exception) -> None:
        if self._away is None:
            log.warning("job leases cannot be renewed", consumer=self._consumer, error=describe(error))
        self._away = f"Postgres is away: {describe(error)}"
        self._listening = None
        await self._held.discard()

    def _on_notify(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        wake = job_rows.read_wake(str(payload))
        if wake is None and payload == self._consumer:
            self._look.set()
        elif wake is not None and wake.consumer == self._consumer and wake.job in self._running:
            self._running[wake.job][0].wake(wake.hint)


def _by_name(jobs: Sequence[Job]) -> dict[str, Job]:
    found = {job.name: job for job in jobs}
    if len(found) != len(jobs):
        raise ValueError("two jobs have the same name")
    return found
