"""One file: asked for, looked at, scanned, stored; and in the end a state that an agent understands."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ingest_files.errors import GiveUp, TryLater
from ingest_files.file_sources import FileSource
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.scan_attachments import without_verdict
from ingest_files.scan_file import Scanner
from ticket_contracts.messages import RemoteFile, StoredObject
from ticket_contracts.vocabulary import FileState, Scan
from ticket_intake.file_danger import danger_of

Store = Callable[[bytes, str], Awaitable[StoredObject]]
"""`WatchedStorage.put`."""

_MEDIA_TYPE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class FileFetcher:
    """What it takes; `scanner` is None where none is configured, `seconds` are the provider's for one file."""

    client: GuardedClient
    sources: Mapping[str, FileSource]
    store: Store
    scanner: Scanner | None
    seconds: float = 60

    async def fetch(self, source: str, file: RemoteFile) -> RemoteFile:
        """Return the file as it is now: stored, infected, or failed for good.

        :raises TryLater:
        """
        configured = self.sources.get(source)
        if configured is None:
            # Who takes its messages may have read a new sources file some seconds before us.
            raise TryLater("the source has no `files` in the sources file")
        try:
            answer = await self._ask(configured, file)
            return await self._keep(file, answer)
        except GiveUp as error:
            return without_verdict(file, str(error))

    async def _ask(self, source: FileSource, file: RemoteFile) -> Answer:
        try:
            async with asyncio.timeout(self.seconds):
                return await _with_any_token(self.client, source, file)
        except TimeoutError as error:
            raise TryLater(f"not complete within {self.seconds:g} seconds") from error

    async def _keep(self, file: RemoteFile, answer: Answer) -> RemoteFile:
        media_type = (answer.media_type or file.media_type)[:_MEDIA_TYPE_LENGTH] or "application/octet-stream"
        seen = file.model_copy(
            update={"danger": danger_of(file.name, answer.body), "size": len(answer.body), "media_type": media_type}
        )
        scan = None
        if self.scanner is not None:
            if (found := await self.scanner.find(answer.body)) is not None:
                # Not stored, so that nobody can get it, from here or from a backup.
                return seen.model_copy(update={"state": FileState.INFECTED, "scan": Scan.INFECTED, "reason": found})
            scan = Scan.CLEAN
        stored = await self.store(answer.body, media_type)
        return seen.model_copy(update={"state": FileState.STORED, "content": stored, "scan": scan})


async def _with_any_token(client: GuardedClient, source: FileSource, file: RemoteFile) -> Answer:
    """All tokens are active, so that one can be changed without a gap; a refusal of the last is the answer."""
    *others, last = source.access.tokens
    for token in others:
        try:
            return await source.fetch(client, source.access, token, file)
        except GiveUp:
            continue
    return await source.fetch(client, source.access, last, file)
