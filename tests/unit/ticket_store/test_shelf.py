"""Things put away under names of their own: in order, durable, gone when they are taken out."""

import os
from pathlib import Path

import pytest

from ticket_store.object_storage import ObjectMissing, ObjectStorage, Shelf, StorageUnavailable


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return ObjectStorage.open(tmp_path.as_uri()).shelf("spool")


@pytest.fixture(params=["folder", "bucket"])
def any_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    """A shelf in a folder and one in a bucket: the same holds for both."""
    url = tmp_path.as_uri() if request.param == "folder" else "memory:///"
    return ObjectStorage.open(url).shelf("spool")


async def test_an_empty_shelf_has_no_names(any_shelf: Shelf) -> None:
    assert await any_shelf.names() == []


async def test_what_was_put_away_is_found_in_the_order_of_its_names(any_shelf: Shelf) -> None:
    for name in ("0002.b", "0001.a", "0010.c"):
        await any_shelf.put(name, name.encode())
    assert await any_shelf.names() == ["0001.a", "0002.b", "0010.c"]
    assert [await any_shelf.get(name) for name in await any_shelf.names()] == [b"0001.a", b"0002.b", b"0010.c"]


async def test_what_was_put_away_is_there_after_a_restart(tmp_path: Path, shelf: Shelf) -> None:
    await shelf.put("0001.a", b"first")
    again = ObjectStorage.open(tmp_path.as_uri()).shelf("spool")
    assert [await again.get(name) for name in await again.names()] == [b"first"]


async def test_file_shelf_and_its_folder_reach_the_disk_before_put_returns(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync = os.fsync

    def noting_fsync(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        done.append(path.name if path.is_dir() else "file")

    monkeypatch.setattr(os, "fsync", noting_fsync)
    await shelf.put("0001.a", b"first")
    await shelf.put("0002.a", b"second")
    assert done == ["file", tmp_path.name, "spool", "file", "spool"]


async def test_what_is_put_away_is_for_its_user_alone_and_objects_are_for_all_that_the_umask_allows(
    tmp_path: Path,
) -> None:
    before = os.umask(0o022)
    try:
        storage = ObjectStorage.open(tmp_path.as_uri())
        await storage.shelf("spool").put("0001.a", b"a token")
        stored = await storage.put(b"a mail", "message/rfc822")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("spool", "spool/0001.a", stored.key)]
    assert modes == [0o700, 0o600, 0o644]


async def test_what_was_taken_out_is_gone_and_taking_it_out_again_is_no_error(any_shelf: Shelf) -> None:
    await any_shelf.put("0001.a", b"first")
    await any_shelf.remove("0001.a")
    await any_shelf.remove("0001.a")
    assert await any_shelf.names() == []
    with pytest.raises(ObjectMissing):
        await any_shelf.get("0001.a")


@pytest.mark.parametrize("name", ["", "../secret", "a/b", ".hidden", "x" * 201])
async def test_a_name_is_never_a_path(shelf: Shelf, name: str) -> None:
    with pytest.raises(ValueError, match="no name on a shelf"):
        await shelf.put(name, b"x")


async def test_a_shelf_that_cannot_be_written_says_so(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "spool").write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageUnavailable):
        await shelf.put("0001.a", b"first")
