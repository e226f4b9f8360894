"""Raw messages, attachments and long texts by content hash, in a local folder or a bucket.

A `put` that returned has reached the disk (file and folder fsynced) or the bucket's own durability. The same content
is one object, so a repeated `put` is harmless and nothing is ever changed in place.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError

from ticket_contracts.messages import StoredObject
from ticket_store.object_folder import Folder

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

_KEY = re.compile(r"sha256/[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z._-]{0,199}")

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
    """Keys to bytes. Raises OSError or obstore's errors; a missing key is FileNotFoundError.

    `write` returns when everything is stored; after a failure some of it may be.
    """

    async def write(self, contents: Mapping[str, bytes]) -> None: ...

    async def read(self, key: str) -> bytes: ...

    async def delete(self, key: str) -> None: ...

    async def names(self, folder: str) -> list[str]: ...


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
                return cls(Folder(Path(unquote(parts.path))))
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
        (key,) = await self.put_all([content])
        return StoredObject(key=key, size=len(content), media_type=media_type)

    async def put_all(self, contents: Sequence[bytes]) -> list[str]:
        """Store several contents durably, in a folder by one flush, and return their keys in order.

        :raises StorageUnavailable: nothing is promised about any of them; put all again later.
        """
        keys = [f"sha256/{sha256(content).hexdigest()}" for content in contents]
        try:
            await self._backend.write(dict(zip(keys, contents, strict=True)))
        except (OSError, BaseError) as error:
            raise StorageUnavailable(f"{', '.join(keys[:3])} cannot be stored: {error}") from error
        return keys

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

    def shelf(self, name: str) -> "Shelf":
        """Return the place of this name for things that are put away for a while and taken out again."""
        return Shelf(self._backend, name)


class Shelf:
    """Things under names of their maker's own, in the order of the names; each is written once and removed later.

    What `put` returned from is as durable as an object. A removal may be undone by a power cut, so who takes things
    out has to bear one that comes again.
    """

    def __init__(self, backend: _Backend, folder: str) -> None:
        self._backend = backend
        self._folder = folder

    async def put(self, name: str, content: bytes) -> None:
        """Store durably.

        :raises StorageUnavailable: nothing is promised; put again later.
        """
        with self._told_apart(name):
            await self._backend.write({self._key(name): content})

    async def get(self, name: str) -> bytes:
        """Return what was put.

        :raises ObjectMissing: or StorageUnavailable.
        """
        with self._told_apart(name):
            return await self._backend.read(self._key(name))

    async def remove(self, name: str) -> None:
        """Forget it; what is gone already is no error.

        :raises StorageUnavailable:
        """
        with self._told_apart(name), suppress(FileNotFoundError):
            await self._backend.delete(self._key(name))

    async def names(self) -> list[str]:
        """Return all names, sorted.

        :raises StorageUnavailable:
        """
        with self._told_apart("its list"):
            return sorted(await self._backend.names(self._folder))

    def _key(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name on a shelf")  # nor ever a path out of it
        return f"{self._folder}/{name}"

    @contextmanager
    def _told_apart(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectMissing(f"{self._folder}/{name}") from error
        except (OSError, BaseError) as error:
            raise StorageUnavailable(f"{self._folder}: {name}: {error}") from error


class _Bucket:
    """A bucket of a cloud through obstore, which retries and bounds each request."""

    def __init__(self, store: "ObjectStore") -> None:
        self._store = store

    async def write(self, contents: Mapping[str, bytes]) -> None:
        await asyncio.gather(*(obstore.put_async(self._store, key, content) for key, content in contents.items()))

    async def read(self, key: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, key)
        except NotFoundError as error:
            raise FileNotFoundError(key) from error
        return bytes(await found.bytes_async())

    async def delete(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, key)
        except NotFoundError as error:
            raise FileNotFoundError(key) from error

    async def names(self, folder: str) -> list[str]:
        found = await obstore.list(self._store, prefix=f"{folder}/").collect_async()
        return [each["path"].rpartition("/")[2] for each in found]
