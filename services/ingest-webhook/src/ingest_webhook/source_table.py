"""The sources in use, replaced as a whole when the file or a secret changes: secrets rotate without a restart."""

from collections.abc import Mapping
from pathlib import Path

import structlog

from ingest_webhook.metrics import Metrics
from ingest_webhook.sources import Source, read_sources
from ticket_intake.file_watch import LOOK_SECONDS, FileWatch
from ticket_intake.source_file import SourcesInvalid

log = structlog.get_logger("sources")


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
        self._watch = FileWatch()
        self._watch.follow(self._sources.files)

    def get(self, name: str) -> Source | None:
        return self._sources.by_name.get(name)

    def any_spooled(self) -> bool:
        return any(source.spooled for source in self._sources.by_name.values())

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._watch.ask()

    async def watch(self, look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked or when a file changed. Run this in the supervisor."""
        async for _ in self._watch.changes(look_seconds):
            self._reload()

    def _reload(self) -> None:
        try:
            self._sources = read_sources(self._path, self._environment)
        except SourcesInvalid as error:
            self._metrics.reloads.labels("refused").inc()
            log.error("sources file is not valid, the sources in use stay", problems=error.problems)
            return
        self._watch.follow(self._sources.files)
        self._metrics.reloads.labels("done").inc()
        log.info("sources read", sources=sorted(self._sources.by_name))
