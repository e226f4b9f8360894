"""Requests of providers that do not repeat, kept in object storage while Kafka is away (docs/decisions/0025).

A source with something in the spool sends everything after it into the spool too, so order is kept per source and with
it per conversation. Several processes may share a bucket: each drains whatever lies there, oldest first, and what two
of them publish is dropped by its identity.
"""

import asyncio
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count, islice

from ingest_webhook.metrics import SpoolMetrics
from ingest_webhook.spooled_request import Entry, SpooledRequest, decode_request, encode_request
from ticket_store.object_storage import ObjectMissing, Shelf


class SpoolFull(OSError):
    """As many requests wait as may; the sender is told to come again."""


class Spool:
    """The queue of one process, with all that other processes left or leave in the same storage."""

    def __init__(
        self, shelf: Shelf, set_aside: Shelf, process: str, max_requests: int, now: Callable[[], datetime]
    ) -> None:
        self._shelf = shelf
        self._set_aside = set_aside
        self._process = process
        self._max_requests = max_requests
        self._now = now
        self._numbers = count()
        self._entries: dict[str, list[Entry]] = {}
        self._being_written: set[Entry] = set()
        self._written: set[Entry] = set()
        self._depth = 0
        self._kept = asyncio.Event()
        self._looked = False
        self._unknown = False

    def measure(self, metrics: SpoolMetrics) -> None:
        metrics.depth.set_function(lambda: self._depth)
        metrics.oldest_seconds.set_function(self._oldest_seconds)

    @property
    def depth(self) -> int:
        return self._depth

    @property
    def full(self) -> bool:
        return self._depth >= self._max_requests

    async def until_kept(self, seconds: float) -> None:
        """Return as soon as a request is kept, after this time at the latest."""
        self._kept.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._kept.wait()

    def holds(self, source: str) -> bool:
        """Whether a request of this source has to go behind others, or may have to: nobody could look yet."""
        return source in self._entries or self._unknown

    def sources(self) -> list[str]:
        return list(self._entries)

    async def keep(self, spooled: SpooledRequest) -> None:
        """Return when the request is on the disk or in the bucket. From the call on, others go behind it.

        :raises SpoolFull: or StorageUnavailable; then it is not kept.
        """
        if self.full:
            raise SpoolFull(f"{self._depth} requests wait already")
        entry = Entry.at(spooled.request.received_at, next(self._numbers), self._process, spooled.source)
        with self._placed(entry):
            await self._shelf.put(entry.name, encode_request(spooled))
            self._written.add(entry)
        self._kept.set()

    @contextmanager
    def _placed(self, entry: Entry) -> Iterator[None]:
        self._add(entry)
        self._being_written.add(entry)
        try:
            yield
        except BaseException:
            self._drop(entry)  # a caller that left while it was written: the next look at the storage finds it
            raise
        finally:
            self._being_written.discard(entry)

    async def look(self) -> None:
        """Learn what lies in the storage: left by a process that ended, or put there by another one.

        :raises StorageUnavailable:
        """
        self._written.clear()
        self._unknown = not self._looked
        names = await self._shelf.names()
        self._looked, self._unknown = True, False
        found = {entry for name in names if (entry := Entry.of(name)) is not None}
        found |= self._being_written | self._written  # put there while the list was made
        self._entries.clear()
        for entry in sorted(found):
            self._entries.setdefault(entry.source, []).append(entry)
        self._depth = len(found)

    def oldest(self, source: str, most: int) -> list[Entry]:
        """Return the first entries of a source; none behind one that is still being written."""
        first: list[Entry] = []
        for entry in islice(self._entries.get(source, ()), most):
            if entry in self._being_written:
                break
            first.append(entry)
        return first

    async def read(self, entry: Entry) -> SpooledRequest:
        """Return a request.

        :raises ObjectMissing: another process was faster.
        :raises NotSpooled: or StorageUnavailable.
        """
        return decode_request(await self._shelf.get(entry.name))

    async def remove(self, entry: Entry) -> None:
        """Forget a request that is in Kafka.

        :raises StorageUnavailable: it stays and is published again, which its identity makes harmless.
        """
        await self._shelf.remove(entry.name)
        self._drop(entry)

    async def put_aside(self, entry: Entry) -> None:
        """Move a request that can never be published out of the way of those behind it; it is kept as it came.

        :raises StorageUnavailable:
        """
        with suppress(ObjectMissing):  # another process has set it aside
            await self._set_aside.put(entry.name, await self._shelf.get(entry.name))
        await self.remove(entry)

    def _add(self, entry: Entry) -> None:
        insort(self._entries.setdefault(entry.source, []), entry)
        self._depth += 1

    def _drop(self, entry: Entry) -> None:
        self._written.discard(entry)
        waiting = self._entries.get(entry.source, [])
        if entry in waiting:
            waiting.remove(entry)
            self._depth -= 1
        if not waiting:
            self._entries.pop(entry.source, None)

    def _oldest_seconds(self) -> float:
        first = min((waiting[0] for waiting in self._entries.values()), default=None)
        return max((self._now() - first.received_at).total_seconds(), 0.0) if first else 0.0
