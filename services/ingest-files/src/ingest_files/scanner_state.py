"""Whether the scanner answers: while it does not, no order is taken that could only wait for it."""

from dataclasses import dataclass

import structlog

from ingest_files.metrics import FileMetrics
from ingest_files.scan_file import Scanner

log = structlog.get_logger("scanner")


@dataclass(slots=True)
class ScannerState:
    """`scanner` is None where none is configured, and then never away."""

    scanner: Scanner | None
    metrics: FileMetrics
    away: bool = False

    def went_away(self) -> None:
        """Remember what an order met."""
        if not self.away:
            log.error("the scanner is away; files stay pending")
        self._set(away=True)

    async def ready(self) -> bool:
        """Whether an order may be taken. Nobody is asked as long as none has met silence."""
        if self.away and self.scanner is not None and await self.scanner.answers():
            log.info("the scanner is back")
            self._set(away=False)
        return not self.away

    def _set(self, *, away: bool) -> None:
        self.away = away
        self.metrics.scanner_away.set(away)
