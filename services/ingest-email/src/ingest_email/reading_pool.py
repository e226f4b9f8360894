"""Reads mails in worker processes, kept warm, and replaces those that die or do not answer in time.

A worker is asked for several mails in one write when several wait. When one of them takes long, the ones behind it are
given to another worker, so a poisonous mail delays itself alone. A mail whose worker ended is tried once more as a
whole (the worker may have been killed by somebody else), then with its headers only, so that it still finds its
conversation; after that it is reported as unreadable.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from ingest_email.delivery import Delivery, EncodedMessage, StoredFile
from ingest_email.frames import BrokenFrame, Frame, receive
from ingest_email.metrics import MailMetrics
from ingest_email.reading_worker import ask
from service_kit.supervisor import Supervisor

MOST_MAILS_AT_ONCE = 16
"""Mails in one worker's hands. Eight already hide the pipe's latency; more only wait longer behind a slow one."""

SLOW_SECONDS = 0.1
"""After this the mails behind a slow one go to another worker. A hundred times what a usual mail takes."""

DEADLINE_SECONDS = 3.4
"""Until a worker that does not answer is killed. Its own limits are 2.2 s of CPU; the rest is for a busy machine."""

WHOLE_ATTEMPTS = 2
"""How often a mail may end its worker before its body is left alone."""

START_SECONDS = 30.0
"""Until a new worker must have loaded its code; a second is usual."""

PAUSE_SECONDS = 1.0
"""Before a worker that could not be started is tried again."""

log = structlog.get_logger("reading_pool")


class Unreadable(Exception):
    """No worker survived this mail; the message says how it ended."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The events of one mail in the order of its deliveries, and the files to store before publishing."""

    messages: list[EncodedMessage]
    files: list[StoredFile]


@dataclass(slots=True, eq=False)
class _Task:
    raw: bytes
    sender: str
    deliveries: list[Delivery]
    done: "asyncio.Future[ReadResult]"
    failures: int = 0

    def question(self) -> bytes:
        return ask(self.raw, self.sender, self.deliveries, headers_only=self.failures >= WHOLE_ATTEMPTS).pack()


class ReadingPool:
    """Hands mails to workers; `read` may be called any number of times at once."""

    def __init__(self, own_addresses: Collection[str], metrics: MailMetrics, trusted_server: str = "") -> None:
        self._trusted_server = trusted_server
        self.introduce(own_addresses)
        self._metrics = metrics
        self._waiting: deque[_Task] = deque()
        self._arrival = asyncio.Event()
        self._warm: set[int] = set()

    async def read(self, raw: bytes, sender: str, deliveries: list[Delivery]) -> ReadResult:
        """Return the mail's events.

        :raises Unreadable: it brought down every worker that tried.
        """
        task = _Task(raw, sender, deliveries, asyncio.get_running_loop().create_future())
        self._put(task)
        return await task.done

    def introduce(self, own_addresses: Collection[str]) -> None:
        """Tell the workers which addresses are ours, each before its next mail."""
        head = {"own_addresses": sorted(own_addresses), "trusted_server": self._trusted_server}
        self._introduction = Frame(head, ()).pack()

    def warm_workers(self) -> int:
        """How many workers can read now."""
        return len(self._warm)

    def worker_pids(self) -> list[int]:
        return sorted(self._warm)

    async def run_worker(self) -> None:
        """Keep one worker alive, for ever."""
        while True:
            try:
                async with _started_worker(self._introduction) as worker:
                    self._warm.add(worker.process.pid)
                    try:
                        await self._feed(worker)
                    finally:
                        self._warm.discard(worker.process.pid)
            except (OSError, BrokenFrame, TimeoutError) as error:
                log.error("reading worker cannot start", error=repr(error))
                await asyncio.sleep(PAUSE_SECONDS)

    def _put(self, task: _Task) -> None:
        self._waiting.append(task)
        self._arrival.set()

    async def _take(self, ended: "asyncio.Future[int]") -> list[_Task]:
        """Wait for mails and take a fair share of them; none that is answered already or whose sender went away.

        :raises BrokenFrame: the worker ended meanwhile.
        """
        while True:
            if ended.done():
                raise BrokenFrame("the process ended while it was idle")
            share = max(1, min(MOST_MAILS_AT_ONCE, len(self._waiting) // max(1, len(self._warm))))
            taken: list[_Task] = []
            while self._waiting and len(taken) < share:
                task = self._waiting.popleft()
                if not task.done.done():
                    taken.append(task)
            if taken:
                return taken
            self._arrival.clear()
            await self._arrival.wait()

    async def _feed(self, worker: "_Worker") -> None:
        """Give mails to the worker until it has to be replaced."""
        ended = asyncio.ensure_future(worker.process.wait())
        ended.add_done_callback(lambda _: self._arrival.set())
        tasks: deque[_Task] = deque()
        try:
            while True:
                tasks.extend(await self._take(ended))
                await worker.introduce(self._introduction)
                await self._converse(worker, tasks)
        except (BrokenFrame, TimeoutError, OSError) as end:
            self._metrics.worker_ends.labels("slow" if isinstance(end, TimeoutError) else "died").inc()
            log.warning("reading worker replaced", reason=repr(end), pid=worker.process.pid)
            self._give_back(tasks)
        finally:
            ended.cancel()

    async def _converse(self, worker: "_Worker", tasks: deque[_Task]) -> None:
        """Ask and listen at once: a pipe holds 64 KiB, a mail may be larger in both directions."""
        writing = asyncio.create_task(worker.write([task.question() for task in tasks]))
        try:
            await self._collect(worker, tasks)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)  # a broken pipe shows in the answers, too

    async def _collect(self, worker: "_Worker", tasks: deque[_Task]) -> None:
        """Take the answers, which come in the order of the questions; who stands behind a slow one is passed on, once.

        :raises TimeoutError: the worker does not answer.
        """
        loop = asyncio.get_running_loop()
        passed_on = False

        def pass_on() -> None:
            nonlocal passed_on
            passed_on = True
            self._pass_on(list(tasks)[1:])

        async with asyncio.timeout(None) as deadline:
            while tasks:
                deadline.reschedule(loop.time() + DEADLINE_SECONDS)
                watch = None if passed_on else loop.call_later(SLOW_SECONDS, pass_on)
                try:
                    frame = await receive(worker.answers)
                finally:
                    if watch is not None:
                        watch.cancel()
                task = tasks.popleft()
                if not task.done.done():
                    task.done.set_result(_result(frame))

    def _pass_on(self, behind: list[_Task]) -> None:
        """Let another worker answer them too; the first answer counts."""
        for task in reversed(behind):
            self._waiting.appendleft(task)
        if behind:
            self._arrival.set()

    def _give_back(self, tasks: deque[_Task]) -> None:
        """The first unanswered mail is the one at fault; the others only stood behind it."""
        guilty = tasks.popleft() if tasks else None
        self._pass_on(list(tasks))
        if guilty is None or guilty.done.done():
            return
        guilty.failures += 1
        if guilty.failures > WHOLE_ATTEMPTS:
            guilty.done.set_exception(Unreadable("the mail could not be read: it brought down the reader"))
        else:
            self._pass_on([guilty])


@dataclass(slots=True)
class _Worker:
    process: Process
    questions: asyncio.StreamWriter
    answers: asyncio.StreamReader
    introduced: bytes = b""

    async def introduce(self, introduction: bytes) -> None:
        """Say what the worker has to know, if it does not yet, and wait until it has heard."""
        if introduction == self.introduced:
            return
        await self.write([introduction])
        async with asyncio.timeout(START_SECONDS if not self.introduced else DEADLINE_SECONDS):
            await receive(self.answers)
        self.introduced = introduction

    async def write(self, questions: list[bytes]) -> None:
        self.questions.writelines(questions)
        await self.questions.drain()


@asynccontextmanager
async def _started_worker(introduction: bytes) -> AsyncIterator[_Worker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_email.reading_worker", stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        worker = _Worker(process, process.stdin, process.stdout)
        await worker.introduce(introduction)
        yield worker
    finally:
        if process.returncode is None:
            process.kill()
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def open_reading_pool(
    workers: int,
    own_addresses: Collection[str],
    metrics: MailMetrics,
    supervisor: Supervisor,
    trusted_server: str = "",
) -> AsyncIterator[ReadingPool]:
    """Run a pool while the block lasts; the workers warm up in the background."""
    pool = ReadingPool(own_addresses, metrics, trusted_server)
    async with AsyncExitStack() as stack:
        for number in range(workers):
            await stack.enter_async_context(supervisor.running(f"reading worker {number}", pool.run_worker()))
        yield pool


def _result(frame: Frame) -> ReadResult:
    keys, media_types = frame.head["keys"], frame.head["media_types"]
    messages = [EncodedMessage(key, data) for key, data in zip(keys, frame.blobs, strict=False)]
    files = [StoredFile(kind, content) for kind, content in zip(media_types, frame.blobs[len(keys) :], strict=True)]
    return ReadResult(messages, files)
