"""The sources in use, replaced as a whole when a sources file or a secret of it changes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from ingest_files.file_sources import FileSource, FileSources, read_all_sources
from ingest_files.metrics import FileMetrics
from ticket_intake.reloaded_file import LOOK_SECONDS, ReloadedFile

log = structlog.get_logger("sources")


class FileSourceTable(Mapping[str, FileSource]):
    """Holds the newest valid reading. A file that became invalid changes nothing but a log line and a metric."""

    def __init__(
        self, path: Path, pull_path: Path | None, environment: Mapping[str, str], metrics: FileMetrics
    ) -> None:
        """Read the files.

        :param pull_path: the sources file of ingest-pull, if any.
        :raises SourcesInvalid:
        """
        self._file: ReloadedFile[FileSources] = ReloadedFile(
            lambda: read_all_sources(path, pull_path, environment),
            lambda result: metrics.reloads.labels(result).inc(),
        )
        self._sources: Mapping[str, FileSource] = self._file.current.by_name

    def __getitem__(self, name: str) -> FileSource:
        return self._sources[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._file.ask_reload()

    async def watch(self, look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked or when a file changed. Run this in the supervisor."""
        await self._file.watch(self._adopt, look_seconds)

    def _adopt(self, read: FileSources) -> None:
        # What did not change stays itself, and with it the access tokens that its provider gave.
        kept = {name: before for name, new in read.by_name.items() if (before := self.get(name)) == new}
        self._sources = {**read.by_name, **kept}
        log.info("sources read", sources=sorted(self))
