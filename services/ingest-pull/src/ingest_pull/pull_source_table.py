"""The sources in use: read again while the service runs, and only what changed is built anew."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from ingest_pull.kinds.parts import Shared
from ingest_pull.kinds.wecom_service import WecomService
from ingest_pull.pull_sources import NO_SOURCES, PullSources, read_pull_sources
from ticket_intake.reloaded_file import LOOK_SECONDS, ReloadedFile
from ticket_stream.leased_jobs import Job

log = structlog.get_logger("sources")


class PullSourceTable:
    """Holds the newest valid reading. A file that became invalid changes nothing but a log line and a metric."""

    def __init__(self, path: Path, environment: Mapping[str, str], shared: Shared) -> None:
        """Read the file.

        :raises SourcesInvalid:
        """
        self._path = path
        self._environment = environment
        self._shared = shared
        self._newest = NO_SOURCES
        self._file: ReloadedFile[PullSources] = ReloadedFile(self._read, shared.metrics.reloaded)

    @property
    def jobs(self) -> list[Job]:
        return list(self._file.current.jobs.values())

    def called(self, name: str) -> WecomService | None:
        """Return the source that takes callbacks under this name."""
        job = self._file.current.jobs.get(name)
        return job if isinstance(job, WecomService) else None

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._file.ask_reload()

    async def watch(self, change: Callable[[Sequence[Job]], None], look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked or when a file changed, and give `change` the jobs. Run this in the supervisor."""

        def adopt(sources: PullSources) -> None:
            log.info("sources read", sources=sorted(sources.jobs))
            change(list(sources.jobs.values()))

        await self._file.watch(adopt, look_seconds)

    def _read(self) -> PullSources:
        self._newest = read_pull_sources(self._path, self._environment, self._shared, self._newest)
        return self._newest
