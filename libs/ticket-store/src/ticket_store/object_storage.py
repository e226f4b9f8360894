"""Raw messages, attachments and long texts by content hash, in a local folder or a bucket.

A `put` that returned has reached the disk (file and folder fsynced) or the bucket's own durability. The same content
is one object, so a repeated `put` is harmless and nothing is ever changed in place.
"""

import asyncio
import os
import re
import time
from contextlib import ExitStack, suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError

from ticket_contracts.messages import StoredObject

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_KEY = re.compile(r"sha256/[0-9a-f]{64}")
_INCOMING = "incoming"
_MOST_AT_ONCE = 64  # files open at once; a group of this size takes some 20 ms
_LEFTOVER_SECONDS = 3600.0  # a write takes seconds, so an unfinished file of this age belongs to nobody alive

# A sender waits for the answer: SMTP clients for minutes, webhook providers for 3 to 15 s (facts §1.0).
_CLIENT: "ClientConfig" = {"connect_timeout": "3s", "timeout": "10s"}
_RETRY: "RetryConfig" = {"max_retries": 3}


class StorageUnavailable(OSError):
    """The storage cannot take or give content now (away, full, no permission): tell the sender to try again later."""


class ObjectMissing(LookupError):
    """There is no object under this key."""


class ObjectDamaged(Exception):
    """What the storage holds under the key is not the content that the key names."""


class _Backend(Protocol):
    """Keys to bytes. Raises OSError or obstore's errors; a missing key is FileNotFoundError."""

    async def write(self, key: str, content: bytes) -> None: ...

    async def read(self, key: str) -> bytes: ...


class ObjectStorage:
    """Content-addressed storage; make one with `open`."""

    def __init__(self, backend: _Backend) -> None:
        self._backend = backend

    @classmethod
    def open(cls, url: str) -> "ObjectStorage":
        """Open the folder (`file:///…`, made when missing) or bucket (`s3://`, `gs://`, `az://`) that the URL names.

        :raises StorageUnavailable: the folder cannot be made.
        :raises ValueError: the URL names no known kind of storage.
        """
        parts = urlsplit(url)
        if parts.scheme == "file":
            try:
                return cls(_Folder(Path(unquote(parts.path))))
            except OSError as error:
                raise StorageUnavailable(f"object storage {url}: {error}") from error
        try:
            return cls(_Bucket(obstore.store.from_url(url, client_options=_CLIENT, retry_config=_RETRY)))
        except BaseError as error:
            raise ValueError(f"object storage {url!r}: {error}; use file:///folder, s3://, gs:// or az://") from error

    async def put(self, content: bytes, media_type: str) -> StoredObject:
        """Store the content durably and return the reference to it.

        The media type stays in the reference: the same bytes may come under several.

        :raises StorageUnavailable: nothing is promised; put again later.
        """
        key = f"sha256/{sha256(content).hexdigest()}"
        try:
            await self._backend.write(key, content)
        except (OSError, BaseError) as error:
            raise StorageUnavailable(f"object {key} cannot be stored: {error}") from error
        return StoredObject(key=key, size=len(content), media_type=media_type)

    async def get(self, key: str) -> bytes:
        """Return the content of a key.

        :raises ObjectMissing: nothing is stored under the key.
        :raises ObjectDamaged: the storage returned other bytes than the key names.
        :raises StorageUnavailable: try again later.
        """
        if not _KEY.fullmatch(key):
            raise ObjectMissing(f"{key!r} is not a key of object storage")  # nor ever a path out of the folder
        try:
            content = await self._backend.read(key)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        except (OSError, BaseError) as error:
            raise StorageUnavailable(f"object {key} cannot be read: {error}") from error
        if sha256(content).hexdigest() != key.removeprefix("sha256/"):
            raise ObjectDamaged(key)
        return content


class _Bucket:
    """A bucket of a cloud through obstore, which retries and bounds each request."""

    def __init__(self, store: "ObjectStore") -> None:
        self._store = store

    async def write(self, key: str, content: bytes) -> None:
        await obstore.put_async(self._store, key, content)

    async def read(self, key: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, key)
        except NotFoundError as error:
            raise FileNotFoundError(key) from error
        return bytes(await found.bytes_async())


class _Pending(NamedTuple):
    key: str
    content: bytes
    stored: "asyncio.Future[None]"


class _Folder:
    """A folder of this machine. obstore's own local store renames without fsync, so files are written here.

    Writes that come while others are being flushed go together: all are written, then all flushed, then the folder
    once; the journal of the file system commits them together too. A failure, mostly a full disk, is the whole group's.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / _INCOMING
        self._objects = root / "sha256"
        self._waiting: list[_Pending] = []
        self._flushing: asyncio.Task[None] | None = None
        prefix = token_hex(8)  # never that of another process, not even of one that died
        self._names = (f"{prefix}-{number}" for number in count())
        for folder in (self._incoming, self._objects):
            folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(folder.parent)
        self._sweep()

    async def write(self, key: str, content: bytes) -> None:
        pending = _Pending(key, content, asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="object storage flush")
        await pending.stored

    async def read(self, key: str) -> bytes:
        return await asyncio.to_thread((self._root / key).read_bytes)

    async def _flush(self) -> None:
        """Store group after group until nobody waits."""
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
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

    async def _store(self, group: list[_Pending]) -> Exception | None:
        """Store a group; a failure is everybody's (a full disk is), each may try again."""
        contents = {pending.key: pending.content for pending in group}
        try:
            await asyncio.to_thread(self._write_all, contents)
        except Exception as error:  # noqa: BLE001 - handed to every caller, who would wait for ever otherwise
            return error
        return None

    def _write_all(self, contents: dict[str, bytes]) -> None:
        with ExitStack() as leftovers:
            opened = []
            for key, content in contents.items():
                target = self._root / key
                if target.exists() and target.stat().st_size == len(content):
                    continue
                incoming = self._incoming / next(self._names)
                file = leftovers.enter_context(incoming.open("xb"))
                leftovers.callback(incoming.unlink, missing_ok=True)
                file.write(content)
                file.flush()
                opened.append((file, incoming, target))
            for file, _, _ in opened:
                os.fsync(file.fileno())
            for _, incoming, target in opened:
                incoming.replace(target)
        # Also for files that were there: whoever renamed them may have died before this line.
        _sync_folder(self._objects)

    def _sweep(self) -> None:
        """Remove what a killed process left unfinished; nobody was told that it was stored."""
        for leftover in self._incoming.iterdir():
            with suppress(FileNotFoundError):  # another process has finished or swept it meanwhile
                if time.time() - leftover.stat().st_mtime > _LEFTOVER_SECONDS:
                    leftover.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
