"""Our object storage: each call ends in time, and while it is away one file at a pause finds out whether it is back.

Nothing is fetched from a provider only to find that it cannot be kept.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from ingest_files.errors import NotItsFault
from ingest_files.metrics import FileMetrics
from ticket_contracts.messages import StoredObject
from ticket_store.object_storage import ObjectDamaged, ObjectMissing, StorageUnavailable

Put = Callable[[bytes, str], Coroutine[Any, Any, StoredObject]]
"""`ObjectStorage.put`."""
Get = Callable[[str], Coroutine[Any, Any, bytes]]
"""`ObjectStorage.get`."""

# Between two files that find out. The first is the pause of any file that is tried again; at the longest a file costs
# its provider a dozen requests in an hour.
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 300.0

T = TypeVar("T")

log = structlog.get_logger("storage")


class StorageAway(NotItsFault):
    """It takes or gives nothing now, or not in time."""

    def __init__(self) -> None:
        super().__init__("our storage is away")


@dataclass(slots=True)
class WatchedStorage:
    """One per process. `seconds` are for one object; `monotonic` is a clock in seconds."""

    _put: Put
    _get: Get
    seconds: float
    metrics: FileMetrics
    monotonic: Callable[[], float]
    pause: float = field(default=0.0, init=False)
    """How long a file waits that has met it away; 0 while it is there."""
    _until: float = field(default=0.0, init=False)
    _trying: bool = field(default=False, init=False)
    _hung: set["asyncio.Task[Any]"] = field(default_factory=set, init=False)

    async def put(self, content: bytes, media_type: str) -> StoredObject:
        """Store durably.

        :raises StorageAway:
        """
        return await self._in_time(self._put(content, media_type))

    async def get(self, key: str) -> bytes:
        """Return the content of a key.

        :raises StorageAway:
        :raises ObjectMissing: or ObjectDamaged.
        """
        return await self._in_time(self._get(key))

    def may_take(self, in_hand: int) -> bool:
        """Whether an order may be taken, beside so many in hand.

        Away, it is one after each pause, and none while a call hangs, whose end will tell.
        """
        return not self.pause or not (in_hand or self._hung or self.monotonic() < self._until)

    def taken(self) -> None:
        """Count the order that was taken as the one that finds out, if it is away."""
        self._trying = bool(self.pause)

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        call = asyncio.create_task(work, name="object storage")
        try:
            ended, _ = await asyncio.wait({call}, timeout=self.seconds)
        except asyncio.CancelledError:
            call.cancel()
            raise
        if not ended:
            # Not cancelled: what hangs is a thread, and a call for each attempt would in the end hold all of them.
            self._hung.add(call)
            call.add_done_callback(self._hung_no_more)
            self._went_away("no answer in time")
            raise StorageAway
        try:
            result = call.result()
        except StorageUnavailable as error:
            self._went_away("refused", str(error))
            raise StorageAway from error
        except (ObjectMissing, ObjectDamaged):  # it answers
            self._is_back()
            raise
        self._is_back()
        return result

    def _hung_no_more(self, call: "asyncio.Task[Any]") -> None:
        self._hung.discard(call)
        if not call.cancelled() and not isinstance(call.exception(), OSError):
            self._is_back()

    def _went_away(self, reason: str, words: str = "") -> None:
        self.metrics.storage_failures.labels(reason).inc()
        if not self.pause:
            log.error("object storage is away; files stay pending", reason=words or reason)
            self.pause = FIRST_PAUSE
        elif self._trying:
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
        self._trying, self._until = False, self.monotonic() + self.pause
        self.metrics.storage_away.set(1)

    def _is_back(self) -> None:
        if self.pause:
            log.info("object storage is back")
        self.pause, self._trying = 0.0, False
        self.metrics.storage_away.set(0)
