"""The sources in use, replaced as a whole when the file or a secret changes: secrets rotate without a restart."""

from collections.abc import Mapping
from pathlib import Path

import structlog

from ingest_webhook.metrics import Metrics
from ingest_webhook.sources import Source, Sources, read_sources
from ticket_intake.reloaded_file import LOOK_SECONDS, ReloadedFile

log = structlog.get_logger("sources")


class SourceTable:
    """Holds the newest valid reading. A file that became invalid changes nothing but a log line and a metric."""

    def __init__(self, path: Path, environment: Mapping[str, str], metrics: Metrics) -> None:
        """Read the file.

        :raises SourcesInvalid:
        """
        self._file: ReloadedFile[Sources] = ReloadedFile(
            lambda: read_sources(path, environment),
            lambda result: metrics.reloads.labels(result).inc(),
        )

    def get(self, name: str) -> Source | None:
        return self._file.current.by_name.get(name)

    def any_spooled(self) -> bool:
        return any(source.spooled for source in self._file.current.by_name.values())

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._file.ask_reload()

    async def watch(self, look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked or when a file changed. Run this in the supervisor."""
        await self._file.watch(_tell, look_seconds)


def _tell(sources: Sources) -> None:
    log.info("sources read", sources=sorted(sources.by_name))
