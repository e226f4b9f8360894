"""What ingest-pull counts beside what every job shows (`firebreak_job_…`)."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter


class PullMetrics:
    """Labels come from the sources file."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._unreadable = Counter(
            "firebreak_pull_unreadable",
            "Lines or records that could not be read and were passed over; the log says where and why",
            ["source"],
            registry=registry,
        )
        self._reloads = Counter(
            "firebreak_sources_reloads",
            "Readings of the sources file after the first",
            ["result"],
            registry=registry,
        )

    def reloaded(self, result: Literal["done", "refused"]) -> None:
        self._reloads.labels(result).inc()

    def unreadable(self, source: str) -> None:
        self._unreadable.labels(source).inc()
