"""Pull sources: jobs that read somewhere else, have one owner each, and move their cursor after the acknowledgement.

A job is a lease row in Postgres with a cursor; `JobRunner` (job_runner) gives each job of a service to one process,
within a second of a start or an orderly stop and within the lease (3 s) after a kill:

    class Desk:
        name, interval_seconds = "asterisk-cdr/desk", 5.0

        async def run(self, turn: Turn) -> None:
            for page in read_from(turn.cursor.get("line", 0)):
                await turn.hand_over({"line": page.end}, [Outgoing(MESSAGES, key, event), ...])

`run` returns when there is nothing more for now and is called again after `interval_seconds` or a wake; one that holds
a connection (IMAP IDLE, AMI) never returns. It is cancelled when the job is given up. What it raises is logged, shown
and tried again after a pause, from the cursor in the table; no other job notices.

What a process hands over and then dies before its cursor moved is handed over again: the message's own identity makes
the second one a repeat. So derive identities from what the provider said, never from where or when it was read.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple, Protocol

import asyncpg
import structlog

from ticket_contracts.envelope import Event
from ticket_contracts.topics import Topic
from ticket_stream import job_rows
from ticket_stream.edge_publisher import KafkaAway
from ticket_stream.failure_classes import FailureClass, classify, describe
from ticket_stream.job_metrics import JobMetrics
from ticket_stream.job_rows import Cursor, JobKey, JobLost, Standing
from ticket_stream.processing import Connection

__all__ = ["Cursor", "Job", "JobLost", "Outgoing", "StoreAway", "Turn", "lent_connection"]

Publish = Callable[[Topic, str, Event], Awaitable[None]]
"""Returns when Kafka has acknowledged the event; `EdgePublisher.publish`."""

_ACQUIRE_SECONDS = 5.0
_KAFKA_RETRY_SECONDS = 0.5  # Kafka is away for seconds at least; what waits here is one page of each job

log = structlog.get_logger("jobs")


class Outgoing(NamedTuple):
    """An event and where it goes; events of one key keep their order."""

    topic: Topic
    key: str
    event: Event


class StoreAway(OSError):
    """Postgres did not answer: whether the cursor moved is unknown until it is read again."""


class Job(Protocol):
    """One pull source."""

    @property
    def name(self) -> str:
        """Its name among the jobs of the service, for good: another name begins from the start."""
        ...

    @property
    def interval_seconds(self) -> float:
        """How long to rest after `run` returned."""
        ...

    async def run(self, turn: "Turn") -> None:
        """Read on from `turn.cursor` and hand over what was found."""
        ...


class Turn:
    """What a job has while it is ours: its cursor and the one way to move it."""

    def __init__(
        self, key: JobKey, lease: timedelta, publish: Publish, pool: "asyncpg.Pool[asyncpg.Record]", metrics: JobMetrics
    ) -> None:
        self._key = key
        self._lease = lease
        self._publish = publish
        self._pool = pool
        self._metrics = metrics
        self._standing: Standing | None = None
        self._woken = asyncio.Event()
        self._hints: list[str] = []
        self.moves = 0
        self.is_ours = True  # for the runner: until it gives the job up

    @property
    def cursor(self) -> Cursor:
        """As it stands in the table; empty before the first move."""
        assert self._standing is not None, "the runner regains the job before it runs it"
        return self._standing.cursor

    async def hand_over(self, cursor: Cursor, messages: Sequence[Outgoing] = ()) -> None:
        """Publish, wait for all acknowledgements, for as long as Kafka is away, and then move the cursor.

        Hand over in pages of some hundred messages: a page is what a kill repeats.

        :raises JobLost: somebody else has the job; let it pass.
        :raises StoreAway: let it pass, too.
        """
        waiting = list(messages)
        while waiting := await self._unacknowledged(waiting):
            self._metrics.state(self._key.name, "waiting")
            await asyncio.sleep(_KAFKA_RETRY_SECONDS)
        assert self._standing is not None, "the runner regains the job before it runs it"
        async with lent_connection(self._pool) as connection:
            self._standing = await job_rows.move(connection, self._key, self._standing, cursor, self._lease)
        self.moves += 1
        self._metrics.moved(self._key.name, len(messages))
        self._metrics.state(self._key.name, "running")

    def behind(self, amount: float) -> None:
        """Report what is known to wait at the source."""
        self._metrics.lag(self._key.name, amount)

    async def rest(self, seconds: float) -> None:
        """Wait, or until somebody wakes the job."""
        self._metrics.state(self._key.name, "resting")
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()
        self._metrics.state(self._key.name, "running")

    def take_hints(self) -> list[str]:
        """Return what those who woke the job had to say, the oldest first, and forget it."""
        hints, self._hints = self._hints, []
        return hints

    def wake(self, hint: str = "") -> None:
        """For the runner: end a rest."""
        if hint:
            self._hints.append(hint)
        self._woken.set()

    async def regain(self) -> None:
        """For the runner: read the cursor under a new revision."""
        self._standing = None
        async with lent_connection(self._pool) as connection:
            self._standing = await job_rows.regain(connection, self._key, self._lease)

    async def note(self, error: Exception | None) -> None:
        """For the runner: keep the last error beside the cursor."""
        async with lent_connection(self._pool) as connection:
            await job_rows.note(connection, self._key, None if error is None else describe(error))

    async def _unacknowledged(self, messages: list[Outgoing]) -> list[Outgoing]:
        """Publish at once; return everything from the first failure on, so that the order stays.

        :raises EventTooLarge: the job made an event that no topic takes.
        """
        answers = await asyncio.gather(*(self._publish(*message) for message in messages), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, KafkaAway):
                raise answer
        return next((messages[place:] for place, answer in enumerate(answers) if answer is not None), [])


@asynccontextmanager
async def lent_connection(pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[Connection]:
    """Lend a connection of the pool whose failures are told apart from those of a source.

    :raises StoreAway:
    """
    try:
        async with pool.acquire(timeout=_ACQUIRE_SECONDS) as connection:
            yield connection
    except JobLost:
        raise
    except Exception as error:
        if classify(error) is FailureClass.AGAIN:
            raise StoreAway(describe(error)) from error
        raise
