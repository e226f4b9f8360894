"""Content-addressed storage in a folder: durable before it answers, honest when it cannot."""

import asyncio
import errno
import os
import subprocess
import sys
import time
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from ticket_store.object_storage import ObjectDamaged, ObjectMissing, ObjectStorage, StorageUnavailable

LETTER = b"Dear support,\r\nit burns again.\r\n"
LETTER_KEY = f"sha256/{sha256(LETTER).hexdigest()}"


@pytest.fixture
def storage(tmp_path: Path) -> ObjectStorage:
    return ObjectStorage.open(tmp_path.as_uri())


async def test_what_was_put_can_be_got_by_its_content_hash(storage: ObjectStorage) -> None:
    stored = await storage.put(LETTER, "message/rfc822")

    assert (stored.key, stored.size, stored.media_type) == (LETTER_KEY, len(LETTER), "message/rfc822")
    assert await storage.get(stored.key) == LETTER


async def test_the_same_content_is_one_object_however_often_and_at_once(tmp_path: Path, storage: ObjectStorage) -> None:
    await asyncio.gather(*(storage.put(LETTER, "text/plain") for _ in range(8)))

    assert [file.name for file in (tmp_path / "sha256").iterdir()] == [LETTER_KEY.removeprefix("sha256/")]
    assert list((tmp_path / "incoming").iterdir()) == []


def noted_disk_work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is flushed or given its name from now on, in order."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor: int) -> None:
        fsync(descriptor)
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file")

    def noting_replace(source: str, target: Path) -> None:
        replace(source, target)
        done.append("rename")

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    return done


async def test_file_and_folder_reach_the_disk_before_put_returns(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = noted_disk_work(monkeypatch)
    await storage.put(LETTER, "text/plain")
    await storage.put(LETTER, "text/plain")  # whoever wrote it first may have died before its folder was synced

    assert done == ["file", "rename", "folder", "folder"]


LETTERS = [LETTER * number for number in range(1, 11)]
"""More than are flushed at once."""


async def test_what_is_put_together_is_all_on_the_disk_before_any_of_it_has_its_name(
    tmp_path: Path, storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = noted_disk_work(monkeypatch)
    keys = await storage.put_all(LETTERS)

    assert done == ["file"] * len(LETTERS) + ["rename"] * len(LETTERS) + ["folder"]
    assert [await storage.get(key) for key in keys] == LETTERS
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_where_one_of_several_cannot_be_flushed_nothing_is_promised_and_nothing_left_behind(
    tmp_path: Path, storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, calls = os.fsync, count()

    def failing_once(descriptor: int) -> None:
        if next(calls) == len(LETTERS) // 2:
            raise OSError(errno.EIO, "the disk is gone")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing_once)
    with pytest.raises(StorageUnavailable, match="the disk is gone"):
        await storage.put_all(LETTERS)

    assert [*(tmp_path / "incoming").iterdir(), *(tmp_path / "sha256").iterdir()] == []
    keys = await storage.put_all(LETTERS)
    assert [await storage.get(key) for key in keys] == LETTERS


async def test_a_key_that_nothing_is_stored_under_is_missing(storage: ObjectStorage) -> None:
    with pytest.raises(ObjectMissing):
        await storage.get(LETTER_KEY)


@pytest.mark.parametrize("key", ["../secret", "sha256/../../secret", "/etc/passwd", "sha256/" + "g" * 64, ""])
async def test_a_key_is_never_a_path_out_of_the_folder(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_text("hush")
    storage = ObjectStorage.open((tmp_path / "objects").as_uri())

    with pytest.raises(ObjectMissing):
        await storage.get(key)


async def test_changed_content_is_found_out_and_not_given(tmp_path: Path, storage: ObjectStorage) -> None:
    await storage.put(LETTER, "text/plain")
    (tmp_path / LETTER_KEY).write_bytes(b"x" * len(LETTER))

    with pytest.raises(ObjectDamaged):
        await storage.get(LETTER_KEY)


async def test_a_file_that_a_crash_cut_short_is_written_again(tmp_path: Path, storage: ObjectStorage) -> None:
    (tmp_path / LETTER_KEY).write_bytes(LETTER[:5])

    await storage.put(LETTER, "text/plain")

    assert await storage.get(LETTER_KEY) == LETTER


async def test_leftovers_of_a_killed_process_are_removed_and_writes_under_way_are_not(tmp_path: Path) -> None:
    ObjectStorage.open(tmp_path.as_uri())
    old, fresh = tmp_path / "incoming" / "old", tmp_path / "incoming" / "fresh"
    old.write_bytes(b"half")
    fresh.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)

    ObjectStorage.open(tmp_path.as_uri())

    assert [file.name for file in (tmp_path / "incoming").iterdir()] == ["fresh"]


WRITER = """
import asyncio, sys
from ticket_store.object_storage import ObjectStorage

async def main():
    storage = ObjectStorage.open(sys.argv[1])
    together = int(sys.argv[2])
    for number in range(10_000):
        contents = [b"%d" % (number * together + each) * 20_000 for each in range(together)]
        for key in await storage.put_all(contents):
            print(key, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("together", [1, 10])
async def test_a_process_killed_while_writing_leaves_whole_objects_and_all_that_it_had_promised(
    tmp_path: Path, together: int
) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, tmp_path.as_uri(), str(together), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    promised = [(await writer.stdout.readline()).decode().strip() for _ in range(20)]
    writer.kill()
    rest, _ = await writer.communicate()
    promised += [key for key in rest.decode().split("\n") if len(key) == len(LETTER_KEY)]

    storage = ObjectStorage.open(tmp_path.as_uri())
    stored = {f"sha256/{file.name}" for file in (tmp_path / "sha256").iterdir()}
    assert set(promised) <= stored
    for key in stored:
        await storage.get(key)  # raises when the content is not the key's


# The limit on file size stands in for a full disk: the kernel refuses in the middle of a write, for root as well.
FULL_DISK = """
import asyncio, resource, sys
from ticket_store.object_storage import ObjectStorage, StorageUnavailable

async def main():
    storage = ObjectStorage.open(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        await storage.put(b"x" * 5000, "text/plain")
    except StorageUnavailable:
        print("unavailable")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print((await storage.put(b"x" * 5000, "text/plain")).size)

asyncio.run(main())
"""


def test_a_full_disk_is_told_leaves_nothing_behind_and_heals_alone(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path.as_uri()], capture_output=True, text=True, check=True, timeout=60
    )

    assert run.stdout.split() == ["unavailable", "5000"]
    assert list((tmp_path / "incoming").iterdir()) == []
    assert len(list((tmp_path / "sha256").iterdir())) == 1


async def test_a_folder_sync_that_fails_is_no_success(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing_fsync(_descriptor: int) -> None:
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(os, "fsync", failing_fsync)

    with pytest.raises(StorageUnavailable, match="the disk is gone"):
        await storage.put(LETTER, "text/plain")


async def test_a_bucket_keeps_the_same_promises() -> None:
    """obstore's memory store runs the code of every cloud, without a cloud."""
    storage = ObjectStorage.open("memory:///")

    stored = await storage.put(LETTER, "text/plain")
    await storage.put(LETTER, "text/plain")

    assert await storage.get(stored.key) == LETTER
    with pytest.raises(ObjectMissing):
        await storage.get("sha256/" + "0" * 64)


async def test_a_bucket_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:1")  # a port where nobody listens
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    storage = ObjectStorage.open("s3://bucket/prefix")

    async with asyncio.timeout(30):
        with pytest.raises(StorageUnavailable):
            await storage.put(LETTER, "text/plain")


def test_an_unknown_kind_of_storage_is_refused_with_the_kinds_there_are() -> None:
    with pytest.raises(ValueError, match="use file:///folder, s3://, gs:// or az://"):
        ObjectStorage.open("ftp://example.org/objects")


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageUnavailable):
        ObjectStorage.open((tmp_path / "file" / "objects").as_uri())
