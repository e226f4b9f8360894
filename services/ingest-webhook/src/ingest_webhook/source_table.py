"""The sources in use, replaced as a whole when the file or a secret changes: secrets rotate without a restart."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import structlog

from ingest_webhook.metrics import Metrics
from ingest_webhook.sources import Source, Sources, read_sources
from ticket_intake.source_file import SourcesInvalid

# Kubernetes itself takes up to a minute to bring a changed secret into a pod; a stat of a few files costs nothing.
LOOK_SECONDS = 5.0

log = structlog.get_logger("sources")

_Fingerprint: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class SourceTable:
    """Holds the newest valid reading. A file that became invalid changes nothing but a log line and a metric."""

    def __init__(self, path: Path, environment: Mapping[str, str], metrics: Metrics) -> None:
        """Read the file.

        :raises SourcesInvalid:
        """
        self._path = path
        self._environment = environment
        self._metrics = metrics
        self._sources = read_sources(path, environment)
        self._seen = _fingerprint(self._sources)
        self._asked = asyncio.Event()

    def get(self, name: str) -> Source | None:
        return self._sources.by_name.get(name)

    def any_spooled(self) -> bool:
        return any(source.spooled for source in self._sources.by_name.values())

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._asked.set()

    async def watch(self, look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked or when a file changed. Run this in the supervisor."""
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), look_seconds)
            except TimeoutError:
                if _fingerprint(self._sources) == self._seen:
                    continue
            self._asked.clear()
            self._reload()

    def _reload(self) -> None:
        self._seen = _fingerprint(self._sources)  # before reading: a change during the reading is seen next time
        try:
            self._sources = read_sources(self._path, self._environment)
        except SourcesInvalid as error:
            self._metrics.reloads.labels("refused").inc()
            log.error("sources file is not valid, the sources in use stay", problems=error.problems)
            return
        self._seen = _fingerprint(self._sources)
        self._metrics.reloads.labels("done").inc()
        log.info("sources read", sources=sorted(self._sources.by_name))


def _fingerprint(sources: Sources) -> _Fingerprint:
    return tuple(_stat(path) for path in sources.files)


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # follows links: a mounted secret changes by its folder's link
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
