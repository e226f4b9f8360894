"""The sources in use, replaced as a whole when the sources file or a token of it changes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from ingest_files.file_sources import FileSource, FileSources, read_all_sources
from ingest_files.metrics import FileMetrics
from ticket_intake.file_watch import LOOK_SECONDS, FileWatch
from ticket_intake.source_file import SourcesInvalid

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
        self._paths = (path, pull_path)
        self._environment = environment
        self._metrics = metrics
        self._sources = read_all_sources(path, pull_path, environment)
        self._watch = FileWatch()
        self._watch.follow(self._sources.files)

    def __getitem__(self, name: str) -> FileSource:
        return self._sources.by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources.by_name)

    def __len__(self) -> int:
        return len(self._sources.by_name)

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._watch.ask()

    async def watch(self, look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked or when a file changed. Run this in the supervisor."""
        async for _ in self._watch.changes(look_seconds):
            self._reload()

    def _reload(self) -> None:
        try:
            read = read_all_sources(*self._paths, self._environment)
        except SourcesInvalid as error:
            self._metrics.reloads.labels("refused").inc()
            log.error("sources file is not valid, the sources in use stay", problems=error.problems)
            return
        # What did not change stays itself, and with it the access tokens that its provider gave.
        kept = {name: before for name, new in read.by_name.items() if (before := self.get(name)) == new}
        self._sources = FileSources({**read.by_name, **kept}, read.files)
        self._watch.follow(read.files)
        self._metrics.reloads.labels("done").inc()
        log.info("sources read", sources=sorted(self))
