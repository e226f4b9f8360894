"""Object storage in a folder of this machine, written by our own code (docs/decisions/0009)."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

_INCOMING = "incoming"
_SHARED = "sha256"  # for every service that has the folder; what else there is belongs to who wrote it
_MOST_AT_ONCE = 64  # files in a group; what comes meanwhile waits for the next
_THREADS = 4  # that flush one group: a disk does flushes that come together in little more than the time of one
_LEFTOVER_SECONDS = 3600.0  # a write takes seconds, so an unfinished file of this age belongs to nobody alive

# A request in the spool may hold what opens it: a signature, a token in its body.
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


class _Pending(NamedTuple):
    contents: Mapping[str, bytes]
    stored: "asyncio.Future[None]"


class _Incoming(NamedTuple):
    """A file that gets its name when it has reached the disk."""

    path: str
    target: Path
    content: bytes


class Folder:
    """A folder of this machine. obstore's own local store renames without fsync, so files are written here.

    Writes that come while others are being flushed go together: all are written and flushed, several at once, then the
    folder once; the journal of the file system commits them together too. A failure, mostly a full disk, is the whole
    group's.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / _INCOMING
        self._objects = root / _SHARED
        self._waiting: list[_Pending] = []
        self._flushing: asyncio.Task[None] | None = None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="object storage")
        prefix = token_hex(8)  # never that of another process, not even of one that died
        self._names = (f"{prefix}-{number}" for number in count())
        for folder in (self._incoming, self._objects):
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(folder.parent)
        self._sweep()

    async def write(self, contents: Mapping[str, bytes]) -> None:
        pending = _Pending(contents, asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="object storage flush")
        await pending.stored

    async def read(self, key: str) -> bytes:
        return await asyncio.to_thread((self._root / key).read_bytes)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread((self._root / key).unlink)

    async def names(self, folder: str) -> list[str]:
        try:
            return await asyncio.to_thread(os.listdir, self._root / folder)
        except FileNotFoundError:  # nothing was ever put there
            return []

    async def _flush(self) -> None:
        """Store group after group until nobody waits."""
        try:
            while self._waiting:
                group = self._take_group()
                failure = await self._store(group)
                for pending in group:
                    if pending.stored.done():  # its caller went away
                        continue
                    if failure is None:
                        pending.stored.set_result(None)
                    else:
                        pending.stored.set_exception(failure)
        finally:
            self._flushing = None

    def _take_group(self) -> list[_Pending]:
        """The first of those that wait, and as many more as the group has room for."""
        taken = files = 0
        for pending in self._waiting:
            files += len(pending.contents)
            if taken and files > _MOST_AT_ONCE:
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    async def _store(self, group: list[_Pending]) -> Exception | None:
        """Store a group; a failure is everybody's (a full disk is), each may try again."""
        contents = {key: content for pending in group for key, content in pending.contents.items()}
        try:
            await asyncio.to_thread(self._write_all, contents)
        except Exception as error:  # noqa: BLE001 - handed to every caller, who would wait for ever otherwise
            return error
        return None

    def _write_all(self, contents: Mapping[str, bytes]) -> None:
        files = [
            _Incoming(os.path.join(self._incoming, next(self._names)), target, content)
            for key, content in contents.items()
            if not _is_whole(target := self._root / key, content)
        ]
        with _nothing_left_behind(files):
            self._write_to_disk(files)
            for file in files:
                self._make_folder(file.target.parent)
                os.replace(file.path, file.target)
        # Also for files that were there: whoever renamed them may have died before this line.
        for folder in sorted({(self._root / key).parent for key in contents}):
            _sync_folder(folder)

    def _write_to_disk(self, files: Sequence[_Incoming]) -> None:
        shares = [share for first in range(_THREADS) if (share := files[first::_THREADS])]
        if len(shares) == 1:
            _write_and_sync(shares[0])
            return
        writing = [self._threads.submit(_write_and_sync, share) for share in shares]
        wait(writing)  # all of them: what failed is removed only when nobody writes any more
        for done in writing:
            done.result()

    def _make_folder(self, folder: Path) -> None:
        if folder != self._objects and not folder.is_dir():
            folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
            _sync_folder(self._root)

    def _sweep(self) -> None:
        """Remove what a killed process left unfinished; nobody was told that it was stored."""
        for leftover in self._incoming.iterdir():
            with suppress(FileNotFoundError):  # another process has finished or swept it meanwhile
                if time.time() - leftover.stat().st_mtime > _LEFTOVER_SECONDS:
                    leftover.unlink()


def _is_whole(target: Path, content: bytes) -> bool:
    try:
        return os.stat(target).st_size == len(content)
    except FileNotFoundError:
        return False


@contextmanager
def _nothing_left_behind(files: Sequence[_Incoming]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for file in files:
            with suppress(FileNotFoundError):
                os.unlink(file.path)
        raise


def _write_and_sync(files: Sequence[_Incoming]) -> None:
    """Write all, then flush all: the first flush takes what the others would have waited for with it."""
    with ExitStack() as opened:
        written = []
        for file in files:
            out = opened.enter_context(open(file.path, "xb", opener=_opener_of(file.target)))
            out.write(file.content)
            out.flush()
            written.append(out)
        for out in written:
            os.fsync(out.fileno())


def _opener_of(target: Path) -> Callable[[str, int], int]:
    """Return what opens a new file for `open`: objects as the umask says, all else for this user alone."""
    mode = 0o666 if target.parent.name == _SHARED else _PRIVATE_FILE
    return lambda path, flags: os.open(path, flags, mode)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
