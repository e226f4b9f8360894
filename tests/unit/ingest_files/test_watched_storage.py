"""Our storage away, full or hanging: told in time, asked seldom, and no thread more for each attempt."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from ingest_files.metrics import FileMetrics
from ingest_files.watched_storage import FIRST_PAUSE, LONGEST_PAUSE, StorageAway, WatchedStorage
from ticket_contracts.messages import StoredObject
from ticket_store.object_storage import ObjectMissing, StorageUnavailable

DEADLINE_SECONDS = 10
KEY = "sha256/" + "0" * 64
NOTHING_IN_HAND = 0


class Mount:
    """A file system of the network under the storage: `hangs` holds every thread that touches it, `error` refuses."""

    def __init__(self) -> None:
        self.hangs = False
        self.error: Exception | None = None
        self.touched = 0
        self.released = threading.Event()
        self.now = 0.0
        self.registry = CollectorRegistry()
        self.storage = WatchedStorage(self._put, self._get, 0.05, FileMetrics(self.registry), lambda: self.now)

    async def _put(self, content: bytes, media_type: str) -> StoredObject:
        await asyncio.to_thread(self._touch)
        return StoredObject(key=KEY, size=len(content), media_type=media_type)

    async def _get(self, key: str) -> bytes:
        await asyncio.to_thread(self._touch)
        return key.encode()

    def _touch(self) -> None:
        self.touched += 1
        if self.hangs:
            self.released.wait(DEADLINE_SECONDS)
        if self.error is not None:
            raise self.error

    async def put(self) -> str:
        """One order's content, from being taken to what becomes of it."""
        self.storage.taken()
        try:
            await self.storage.put(b"paid", "text/plain")
        except StorageAway:
            return "away"
        return "stored"

    def counted(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"firebreak_file_storage_{name}", labels)

    @property
    def may_take(self) -> bool:
        return self.storage.may_take(NOTHING_IN_HAND)


@pytest.fixture
def mount() -> Iterator[Mount]:
    made = Mount()
    yield made
    made.released.set()  # or the process would wait for its threads


async def test_a_call_that_hangs_ends_in_time_is_counted_and_no_other_is_begun_until_it_ends(mount: Mount) -> None:
    mount.hangs = True
    assert await mount.put() == "away"
    assert (mount.counted("away"), mount.counted("failures_total", reason="no answer in time")) == (1, 1)
    mount.now += 10 * LONGEST_PAUSE
    assert not mount.may_take
    mount.hangs = False
    mount.released.set()
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not mount.may_take:  # noqa: ASYNC110 - a thread ends
            await asyncio.sleep(0.01)
    assert (mount.counted("away"), mount.storage.pause, mount.touched) == (0, 0, 1)


async def test_a_hanging_call_that_ends_in_an_error_leaves_the_storage_away(mount: Mount) -> None:
    mount.hangs, mount.error = True, StorageUnavailable("stale file handle")
    assert await mount.put() == "away"
    mount.released.set()
    mount.now += FIRST_PAUSE
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not mount.may_take:  # noqa: ASYNC110 - a thread ends
            await asyncio.sleep(0.01)
    assert mount.counted("away") == 1
    assert await mount.put() == "away"
    assert mount.storage.pause == 2 * FIRST_PAUSE


async def test_while_it_is_away_one_order_after_each_pause_finds_out_and_the_pauses_grow_to_minutes(
    mount: Mount,
) -> None:
    mount.error = StorageUnavailable("no space left on device")
    assert mount.may_take
    in_hand = [mount.storage.put(b"paid", "text/plain") for _ in range(3)]  # one outage is one pause
    assert [type(each) for each in await asyncio.gather(*in_hand, return_exceptions=True)] == [StorageAway] * 3
    pauses = []
    for _ in range(8):
        pauses.append(mount.storage.pause)
        mount.now += mount.storage.pause - 1
        assert not mount.may_take
        mount.now += 1
        assert mount.may_take
        assert not mount.storage.may_take(in_hand=1)
        assert await mount.put() == "away"
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    assert mount.counted("failures_total", reason="refused") == 11
    mount.error = None
    mount.now += LONGEST_PAUSE
    assert await mount.put() == "stored"
    assert (mount.may_take, mount.counted("away")) == (True, 0)


async def test_a_storage_that_lost_one_object_is_there(mount: Mount) -> None:
    mount.error = StorageUnavailable("away")
    assert await mount.put() == "away"
    mount.error = ObjectMissing(KEY)
    with pytest.raises(ObjectMissing):
        await mount.storage.get(KEY)
    assert mount.may_take
